"""Children of the demo that are started and stopped at the same time are all on record, or none of the ended ones."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gateway.demo.children import Children

NAMES = tuple(f"child-{number}" for number in range(8))


def test_several_are_started_and_stopped_at_once(tmp_path: Path) -> None:
    record = tmp_path / "children.json"
    children = Children(record, str(tmp_path))
    wait = [sys.executable, "-c", "import sys; sys.stdin.read(); import time; time.sleep(60)", str(tmp_path)]
    with ThreadPoolExecutor(len(NAMES)) as pool:
        try:
            list(pool.map(lambda name: children.start(name, wait, tmp_path / f"{name}.log"), NAMES))
            assert {row["name"] for row in json.loads(record.read_text())} == set(NAMES)
        finally:
            list(pool.map(children.stop, NAMES))
    assert json.loads(record.read_text()) == []
