"""In containers nobody sees another process: its lock, or its supervisor's word, puts on record that it ended."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import liveness
from gateway.domain.activations import Heartbeat
from gateway.settings import load_settings
from gateway.store.store import StoreUnit
from gateway.wiring.record import BY_LOCK
from gateway.wiring.runtime import open_runtime
from tests.command_line import erp_gateway
from tests.integration.test_wiring import data
from tests.store.made import NOW, a_process
from tests.store.test_forgotten_processes import insert_sent

__all__ = ["data"]

THIS_HOST = liveness.this_host()


@pytest.fixture(autouse=True)
def nobody_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(range(100))
    monkeypatch.setattr(liveness, "this_host", lambda: f"container-{next(names)}//")


async def test_the_next_process_of_the_directory_puts_on_record_that_the_one_before_ended(data: Path) -> None:
    first = await open_runtime(data, load_settings(data))
    await first.stop()
    second = await open_runtime(data, load_settings(data))
    try:
        found = await second.store.reads.process(first.process_id)
        assert found is not None
        assert found.ended_proof == BY_LOCK
        own = await second.store.reads.process(second.process_id)
        assert own is not None
        assert own.ended_at is None
    finally:
        await second.stop()


async def _say(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(erp_gateway, "process-ended", *arguments, "--data", data)


async def test_a_supervisor_says_that_a_process_ended(data: Path) -> None:
    runtime = await open_runtime(data, load_settings(data))
    lost = a_process(process_id="prc_sender", host="another machine", boot_id="another boot")
    lives = a_process(boot_id="another boot")
    here = replace(liveness.this_process("prc_here", NOW), host=THIS_HOST)

    async def left_behind(unit: StoreUnit) -> None:
        await unit.insert_process(lost)
        await unit.insert_process(lives)
        await unit.insert_process(here)
        await unit.put_heartbeat(Heartbeat(lives.process_id, 1, 0, "", "", await unit.database_now()))
        await insert_sent(unit, "in_doubt")

    await runtime.store.write(left_behind)
    await runtime.stop()
    shown = await asyncio.to_thread(erp_gateway, "processes", "--data", data)
    assert [line.split()[0] for line in shown.stdout.splitlines()] == ["process", "prc_sender"]
    assert shown.stdout.splitlines()[1].split()[-2:] == ["-", "1"]
    proof = ("--proof", "node 7 was fenced at 12:03")

    said = await _say(data, lost.process_id, *proof)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == f"{lost.process_id} has ended: what it sent without an outcome is decided by inquiries now\n"
    again = await _say(data, lost.process_id, "--proof", "twice")
    assert again.stdout == f"{lost.process_id} is on record as ended already: node 7 was fenced at 12:03\n"

    for arguments, wrong in (
        (("prc_nobody", *proof), "there is no process prc_nobody"),
        (("prc_here", *proof), "prc_here is there: it runs on this machine, or stands still"),
        ((lives.process_id, *proof), "said less than 20 s ago that it lives"),
        ((lost.process_id, "--proof", " "), "say in 1 to 200 letters"),
        ((lost.process_id, "--proof", "x" * 201), "say in 1 to 200 letters"),
    ):
        refused = await _say(data, *arguments)
        assert refused.returncode == 2
        assert wrong in refused.stderr
    shown = await asyncio.to_thread(erp_gateway, "processes", "--data", data)
    assert shown.stdout == "nobody sent what has no outcome, but those who have ended\n"
