"""The ledger of a whole Northwind run, checked by ours and by Go's transparency-log library."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from gateway.ledger.key_files import KeyPurpose
from gateway.settings import load_settings
from gateway.wiring.ledger import key_files
from tests.command_line import erp_gateway
from tests.journeys.demo_process import FIGURES, demo
from tests.journeys.test_northwind import assert_ties_out
from tools.go_verifier.program import go_verifier

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LIMIT_S = 300


def _run(data: Path, *words: str | Path, group: str = "ledger") -> str:
    places = {"ERP_GATEWAY_DATA": str(data), "XDG_STATE_HOME": str(data.parent / "state")}
    done = erp_gateway(group, *words, environment=places, limit_s=LIMIT_S)
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


def packs(data: Path, lineage: str, folder: Path) -> None:
    """A pack of an order to cash, and a sample of all invoices; both are sound and continue what was verified."""
    files = key_files(data, load_settings(data))
    log_key, evidence_key = (files.signer(one).key.text for one in (KeyPurpose.LOG, KeyPurpose.EVIDENCE))
    keys = ("--key", log_key, "--evidence-key", evidence_key)
    (seen,) = (data.parent / "state").rglob("*.json")  # what `audit` verified
    _run(data, "lineage", lineage, "--out", folder / "lineage.zip", group="evidence")
    told = json.loads(_run(data, "verify", folder / "lineage.zip", *keys, "--state", seen, "--json"))
    assert told["ok"]
    assert told["openedCommitments"] >= 3
    assert told["reproducedDecisions"] >= 1
    drawn = ("sample", "25", "--nonce", "dice-4421-3316-6252", "--domain", "invoices")
    _run(data, *drawn, "--out", folder / "sample.zip", group="evidence")
    assert json.loads(_run(data, "verify", folder / "sample.zip", *keys, "--state", seen, "--json"))["ok"]
    with zipfile.ZipFile(folder / "sample.zip") as archive:
        population = json.loads(archive.read("pack.json"))["sample"]["population"]
    count, total = FIGURES["invoices"]
    assert population["transactionCount"] == count
    assert total in {one["amount"] for one in population["sums"] if one["kind"] == "posted"}


def test_every_entry_of_a_northwind_run_is_in_a_log_that_go_accepts(tmp_path: Path):
    data = tmp_path / "demo"
    with demo(data, "--fresh") as running:
        assert_ties_out(*running.finish())
    size = audit(data, tmp_path / "published")
    with closing(sqlite3.connect(f"file:{data / 'gateway.db'}?mode=ro", uri=True)) as database:
        (entries,) = database.execute("SELECT count(*) FROM ledger_entries").fetchone()
        payment = "SELECT lineage_id FROM transactions WHERE domain = 'payments' AND status = 'posted' LIMIT 1"
        (lineage,) = database.execute(payment).fetchone()
        (transaction,) = database.execute("SELECT transaction_id FROM transactions LIMIT 1").fetchone()
    assert size == entries > 10_000
    receipts = json.loads(_run(data, "receipt", transaction, "--json"))
    assert [one["seq"] for one in receipts] == list(range(1, len(receipts) + 1))
    packs(data, lineage, tmp_path)
