"""The ledger of a whole Northwind run, checked by ours and by Go's transparency-log library."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.demo_process import COMMAND, demo
from tests.journeys.test_northwind import assert_ties_out
from tools.go_verifier.program import go_verifier

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LIMIT_S = 300


def _run(data: Path, *words: str | Path) -> str:
    done = subprocess.run(
        [COMMAND, "ledger", *words],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        env=os.environ | {"ERP_GATEWAY_DATA": str(data), "XDG_STATE_HOME": str(data.parent / "state")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def audit(data: Path, published: Path) -> int:
    """Publish, and let both verifiers judge; the size that both saw."""
    key = _run(data, "key").strip()
    _run(data, "publish", published)
    told = json.loads(_run(data, "verify", "--directory", published, "--key", key, "--json"))
    assert told["ok"]
    asked = {"do": "audit", "directory": str(published), "origin": told["origin"], "keys": [key]}
    assert go_verifier().ask([asked], LIMIT_S) == [{"ok": True, "size": told["size"]}]
    return int(told["size"])


def test_every_entry_of_a_northwind_run_is_in_a_log_that_go_accepts(tmp_path: Path):
    data = tmp_path / "demo"
    with demo(data, "--fresh") as running:
        assert_ties_out(*running.finish())
    size = audit(data, tmp_path / "published")
    with closing(sqlite3.connect(f"file:{data / 'gateway.db'}?mode=ro", uri=True)) as database:
        (entries,) = database.execute("SELECT count(*) FROM ledger_entries").fetchone()
        (transaction,) = database.execute("SELECT transaction_id FROM transactions LIMIT 1").fetchone()
    assert size == entries > 10_000
    receipts = json.loads(_run(data, "receipt", transaction, "--json"))
    assert [one["seq"] for one in receipts] == list(range(1, len(receipts) + 1))
