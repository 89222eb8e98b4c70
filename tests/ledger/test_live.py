"""A log that is being published: readers at any moment see a sound log, and a kill -9 leaves one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.verify import verify_directory
from tests.ledger.logs import KEY, publish_all

READINGS = 25
PUBLISHES_FOR_EVER = """
import os, random, sys
from pathlib import Path
from gateway.ledger.publish import Publisher
from gateway.ledger.tile_directory import DirectoryTiles
from tests.ledger.logs import KEY, LOG, entries

publisher, chance = Publisher.open_published(DirectoryTiles(Path(sys.argv[1])), LOG), random.Random(1)
while True:
    size = publisher.size + chance.choice([1, 3, 60, 200])
    publisher.publish(entries(publisher.size, size), [KEY])
    os.write(1, f"{size}\\n".encode())
"""


def test_readers_of_a_growing_log_never_alarm_and_a_kill_loses_nothing_that_was_published(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", PUBLISHES_FOR_EVER, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    ) as child:
        assert child.stdout is not None
        told = child.stdout.readline()
        sizes = set()
        for _ in range(READINGS):
            found = verify_directory(tmp_path / "log", [KEY.key], tmp_path / "state.json")
            assert found.ok, found.wrong
            assert found.checkpoint is not None
            sizes.add(found.checkpoint.size)
            told = child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        # what it had written into the pipe before it died was published too
        told = (told + child.stdout.read()).splitlines(keepends=True)[-1]
    assert child.returncode == -signal.SIGKILL
    assert len(sizes) > 5
    found = verify_directory(tmp_path / "log", [KEY.key], tmp_path / "state.json")
    assert found.ok, found.wrong
    assert found.checkpoint is not None
    assert told.endswith(b"\n")
    assert found.checkpoint.size >= int(told)
    publish_all(DirectoryTiles(tmp_path / "log"), [found.checkpoint.size + 300])
    assert verify_directory(tmp_path / "log", [KEY.key], tmp_path / "state.json").ok
