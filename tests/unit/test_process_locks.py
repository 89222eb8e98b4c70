"""Who gets a lock knows that the one before has ended, and nobody else does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway import process_locks
from gateway.process_locks import hold_lock, holders, is_over_a_network

HOLDS = """
import pathlib, sys
from gateway.process_locks import hold_lock
lock = hold_lock(pathlib.Path(sys.argv[1]), sys.argv[2])
lock.noted()
print("held", flush=True)
sys.stdin.read()
"""


async def test_each_has_a_lock_of_its_own_and_the_next_learns_who_ended(tmp_path: Path) -> None:
    first, second = hold_lock(tmp_path, "prc_1"), hold_lock(tmp_path, "prc_2")
    assert (first.ended, second.ended) == ((), ())
    await first.release()
    third = hold_lock(tmp_path, "prc_3")
    assert third.ended == ("prc_1",)
    third.noted()
    await second.release()
    await third.release()
    fourth = hold_lock(tmp_path, "prc_4")
    assert sorted(fourth.ended) == ["prc_2", "prc_3"], "every lock that is free tells"
    fourth.noted()
    await fourth.release()
    assert hold_lock(tmp_path, "prc_5").ended == ("prc_4",)


async def test_who_holds_a_lock_can_be_asked(tmp_path: Path) -> None:
    assert holders(tmp_path) == frozenset()
    first, second = hold_lock(tmp_path, "prc_1"), hold_lock(tmp_path, "prc_2")
    assert holders(tmp_path) == {"prc_1", "prc_2"}
    await first.release()
    assert holders(tmp_path) == {"prc_2"}
    await second.release()


async def test_what_was_not_noted_is_passed_on(tmp_path: Path) -> None:
    first, second = hold_lock(tmp_path, "prc_1"), hold_lock(tmp_path, "prc_2")
    await first.release()
    await second.release()
    third = hold_lock(tmp_path, "prc_3")
    await third.release()
    assert sorted(hold_lock(tmp_path, "prc_4").ended) == ["prc_1", "prc_2", "prc_3"]


async def test_a_copy_tells_nothing(tmp_path: Path) -> None:
    (here := tmp_path / "here").mkdir()
    hold_lock(here, "prc_1")
    shutil.copytree(here, tmp_path / "there")
    assert hold_lock(tmp_path / "there", "prc_2").ended == ()


@pytest.mark.parametrize("content", ["", "{", '{"processIds": 7}', "[]", '{"file": [1, 2], "processIds": ["prc_1"]}'])
async def test_what_is_torn_tells_nothing(tmp_path: Path, content: str) -> None:
    lock = hold_lock(tmp_path, "prc_1")
    await lock.release()
    (tmp_path / "processes" / "0.lock").write_text(content, encoding="ascii")
    assert hold_lock(tmp_path, "prc_2").ended == ()


def test_one_that_stands_still_keeps_its_lock_and_one_that_is_killed_does_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, str(tmp_path), "prc_1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        os.kill(child.pid, signal.SIGSTOP)
        assert hold_lock(tmp_path, "prc_2").ended == ()
        child.kill()
        child.wait()
    assert hold_lock(tmp_path, "prc_3").ended == ("prc_1",)


def test_locks_that_another_machine_gives_are_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_over_a_network(tmp_path)
    hold_lock(tmp_path, "prc_1")
    monkeypatch.setattr(process_locks, "is_over_a_network", lambda _path: True)
    assert hold_lock(tmp_path, "prc_2").ended == ()


async def test_in_a_directory_that_cannot_be_written_nothing_is_proven_and_the_log_says_so(tmp_path: Path) -> None:
    (tmp_path / "processes").write_text("", encoding="ascii")
    with capture_logs() as said:
        lock = hold_lock(tmp_path, "prc_1")
    lock.noted()
    await lock.release()
    assert lock.ended == ()
    assert [one["event"] for one in said] == ["no_process_lock"]
