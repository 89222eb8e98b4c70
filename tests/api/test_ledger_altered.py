"""An entry that was altered in the database: receipts and packs are refused, and the entry is named."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.ledger.stored_receipts import ProvableLog
from gateway.store.store import Store, open_store
from tests.api.auditing import Auditing, auditing
from tests.api.conftest import in_this_loop
from tests.api.evidence import ask, pack_of, with_evidence
from tests.ledger.logs import ORIGIN
from tests.ledger.tampering_rows import without_guards
from tests.migrated import migrated_file


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """What is altered does not depend on the database."""
    found = await open_store(migrated_file(tmp_path / "gateway.db"))
    yield found
    await found.close()


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        parts = replace(found.parts, published_log=ProvableLog(store.log, ORIGIN))
        yield with_evidence(replace(found, parts=parts))


async def _transaction(audit: Auditing) -> str:
    (trace,) = (await audit.get("traces", name="10248"))["items"]
    transaction: str = trace["transactions"][0]["transactionId"]
    return transaction


def _alter(tmp_path: Path, trace: str, body: bytes) -> int:
    """Its entry `routed` says something else; its place in the log."""
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as rows:
        without_guards(rows)
        rows.execute("UPDATE ledger_entries SET body = ? WHERE trace = ? AND seq = 2", (body, trace))
        (index,) = rows.execute("SELECT log_index FROM log_entries WHERE trace = ? AND seq = 2", (trace,)).fetchone()
        rows.commit()
    return int(index)


@pytest.mark.parametrize("body", [b'{"kind":"routed","v":1}', b"no JSON"])
async def test_receipts_and_packs_of_an_altered_entry_are_refused_and_name_it(
    audit: Auditing, tmp_path: Path, body: bytes
) -> None:
    transaction = await _transaction(audit)
    address = f"/v1/transactions/{transaction}/receipts"
    pack = {"about": "transaction", "transactionId": transaction}
    async with in_this_loop(audit.parts) as http:
        assert (await http.get(address, headers=audit.headers())).status_code == 200
    await pack_of(audit, pack)
    await audit.catch_up()
    index = _alter(tmp_path, transaction, body)
    with capture_logs() as logs:
        async with in_this_loop(audit.parts) as http:
            receipts = await http.get(address, headers=audit.headers())
        packed = await ask(audit, pack)
    for refused in (receipts, packed):
        told = refused.json()
        assert (refused.status_code, told["code"]) == (503, "not-ready"), refused.text
        assert f"Entry {index} of the ledger does not match its signed tree" in told["detail"]
        assert "erp-gateway ledger verify" in told["remedy"]
    said = [one["error"] for one in logs if one["event"] == "ledger_differs_from_signed"]
    assert len(said) == 2
    assert all(f"entry {index} of the log (2 of {transaction}) is not the one that was signed" in one for one in said)


async def test_an_entry_that_is_gone_is_no_internal_error(audit: Auditing, tmp_path: Path) -> None:
    transaction = await _transaction(audit)
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as rows:
        without_guards(rows)
        rows.execute("DELETE FROM ledger_entries WHERE trace = ? AND seq = 2", (transaction,))
        rows.commit()
    async with in_this_loop(audit.parts) as http:
        refused = await http.get(f"/v1/transactions/{transaction}/receipts", headers=audit.headers())
    assert (refused.status_code, refused.json()["code"]) == (503, "not-ready")
    assert "does not match its signed tree" in refused.json()["detail"]
