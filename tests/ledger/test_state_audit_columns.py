"""Columns that somebody edits in the database, one by one: each is an alarm, and the sound database is none."""

# ruff: noqa: S608  (the statements are made of this file's own words)

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.ledger.state.audit import audit_state
from gateway.store.store import open_store
from tests.ledger.tampering_rows import without_guards
from tests.line.acts import ANN, BOB
from tests.line.dead_ends import approve, ask
from tests.line.rig import Rig, invoice, order
from tests.migrated import migrated_file

HOUR = 3_600_000_000


@dataclass(frozen=True)
class Made:
    """A database at rest, and the key that opens its commitments."""

    path: Path
    key: bytes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Two orders, one of them refused; an invoice that was refused twice, with an exception that closed."""
    path = tmp_path_factory.mktemp("audited") / "gateway.db"

    async def business() -> bytes:
        store = await open_store(migrated_file(path))
        rig = await Rig.on(store)
        await rig.send(order(), wait_s=5.0)
        rig.legacy.script = ["reject"]
        await rig.send(invoice(), "invoices", wait_s=5.0)
        await approve(rig, await ask(rig, "retry", who=ANN), who=BOB)
        await rig.settle()
        rig.legacy.script = ["reject"]
        await rig.send(order("10249"), wait_s=5.0)
        await store.close()
        return rig.parts.tools.commitment_key

    return Made(path, asyncio.run(business()))


@pytest.fixture
def copy(made: Made, tmp_path: Path) -> Path:
    path = tmp_path / "gateway.db"
    with closing(sqlite3.connect(made.path)) as rows, closing(sqlite3.connect(path)) as copied:
        rows.backup(copied)
    return path


async def _findings(path: Path, key: bytes) -> list[str]:
    store = await open_store(f"sqlite:///{path}")
    try:
        return [str(one) for one in await audit_state(store.reads, key)]
    finally:
        await store.close()


EDITS = {
    "another trace": (f"UPDATE transactions SET trace_id = '{'2' * 32}'", "trace_id"),
    "another kind": ("UPDATE ledger_entries SET kind = 'unknown' WHERE kind = 'posted'", "kind of the entry"),
    "another time": (f"UPDATE ledger_entries SET at = at - {HOUR} WHERE kind = 'posted'", "at of the entry"),
    "another lineage": ("UPDATE ledger_entries SET lineage_id = 'lin_0'", "lineage_id of the entry"),
    "another hash": ("UPDATE ledger_entries SET leaf_hash = zeroblob(32)", "leaf_hash of the entry"),
    "an activation's kind": (
        "UPDATE ledger_entries SET kind = 'approved' WHERE trace NOT LIKE 'txn%'",
        "kind of the entry",
    ),
    "other words of the ERP": (
        "UPDATE transactions SET problem = replace(problem, 'refused', 'praised') WHERE status = 'rejected'",
        "problem is hashed",
    ),
    "no words": ("UPDATE transactions SET problem = NULL WHERE status = 'rejected'", "problem is nothing"),
    "words as if erased": (
        """UPDATE transactions SET problem = '{"code":"rejected-by-erp","detail":"erased"}' WHERE problem > ''""",
        "problem is hashed",
    ),
    "words that nobody said": ("UPDATE transactions SET problem = '{}' WHERE status = 'posted'", "problem is there"),
    "accepted earlier": (f"UPDATE transactions SET accepted_at = accepted_at - {HOUR}", "accepted_at is"),
    "the other side": ("UPDATE transactions SET side = 'cloud' WHERE system_id = 'legacy-main'", "side is cloud"),
    "another explanation": ("UPDATE transactions SET explanation = 'by hand' WHERE status = 'posted'", "by hand"),
    "replaces nothing": ("UPDATE transactions SET replaces = NULL WHERE replaces IS NOT NULL", "replaces is nothing"),
    "replaces another": (
        "UPDATE transactions SET replaces = 'txn_0' WHERE operation = 'create' AND replaces IS NULL",
        "replaces is txn_0",
    ),
    "another customer": (
        "UPDATE documents SET customer_id = document_id WHERE customer_id IS NOT NULL",
        "customer_id is doc_",
    ),
    "no customer": ("UPDATE documents SET customer_id = NULL", "customer_id is nothing"),
    "another team": ("UPDATE exceptions SET owner_team = 'nobodys-team'", "owner_team is nobodys-team"),
    "no team": ("UPDATE exceptions SET owner_team = NULL", "owner_team is nothing"),
    "claimed by nobody": ("UPDATE exceptions SET owner_person = 'ann'", "owner_person is ann"),
    "opened earlier": (f"UPDATE exceptions SET opened_at = opened_at - {HOUR}", "opened_at is"),
    "closed earlier": (
        f"UPDATE exceptions SET closed_at = closed_at - {HOUR} WHERE closed_at IS NOT NULL",
        "closed_at is",
    ),
    "never closed": ("UPDATE exceptions SET closed_at = NULL WHERE state = 'closed'", "closed_at is nothing"),
    "another stage of the pin": ("UPDATE pins SET stage = 'pilot-forged'", "stage of the pin"),
    "another row of the pin": ("UPDATE pins SET rule_row = 'none'", "rule_row of the pin"),
    "another table of the pin": ("UPDATE pins SET table_version = 'none'", "table_version of the pin"),
    "another activation of the pin": ("UPDATE pins SET activation_number = 77", "activation_number of the pin"),
    "the other side of the pin": ("UPDATE pins SET side = 'cloud'", "side of the pin"),
    "pinned earlier": (f"UPDATE pins SET pinned_at = pinned_at - {HOUR}", "pinned_at is"),
    "another step": ("UPDATE steps SET step = 7", "the row of step 7"),
    "another outcome": ("UPDATE steps SET state = 'unknown' WHERE state = 'posted'", "state of step 1 is unknown"),
    "as if posted": ("UPDATE steps SET state = 'posted' WHERE state = 'rejected'", "state of step 1 is posted"),
    "another reference": (
        "UPDATE steps SET external_reference = 'X' || transaction_id",
        "external_reference of step 1",
    ),
    "another system of the step": ("UPDATE steps SET system_id = 'cloud-main'", "system_id of step 1"),
    "another number of the step": (
        "UPDATE steps SET document_number = 'X' WHERE state = 'posted'",
        "document_number of step 1",
    ),
    "another attempt": ("UPDATE steps SET attempt = 9", "attempt of step 1"),
    "never sent": ("DELETE FROM steps", "the row of step 1"),
    "a second name": (
        "INSERT INTO natural_keys SELECT source, domain, 'second', document_id, NULL, NULL FROM natural_keys LIMIT 1",
        "an additional natural key",
    ),
    "another content": (
        "UPDATE natural_keys SET content_hash = 'other' WHERE transaction_id IS NOT NULL",
        "content_hash of the natural key",
    ),
    "another key's transaction": (
        "UPDATE natural_keys SET transaction_id = 'txn_0' WHERE transaction_id IS NOT NULL",
        "transaction_id of the natural key",
    ),
    "another root": (
        "UPDATE lineages SET root_document_id = 'doc_0' WHERE lineage_id IN (SELECT lineage_id FROM transactions)",
        "root_document_id is doc_0",
    ),
    "as if imported": (
        "UPDATE documents SET transaction_id = NULL WHERE domain = 'orders'",
        "transaction_id is nothing",
    ),
    "created by another": (
        "UPDATE documents SET transaction_id = 'txn_0' WHERE domain = 'orders'",
        "transaction_id is txn_0",
    ),
    "created earlier": (
        f"UPDATE documents SET created_at = created_at - {HOUR} WHERE domain = 'orders'",
        "created_at is",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
async def test_an_edited_column_is_an_alarm(made: Made, copy: Path, edit: str) -> None:
    statement, told = EDITS[edit]
    with closing(sqlite3.connect(copy)) as rows, rows:
        without_guards(rows)
        assert rows.execute(statement).rowcount > 0, statement
    found = await _findings(copy, made.key)
    assert any(told in one for one in found), found


async def test_the_sound_database_alarms_nobody(made: Made, copy: Path) -> None:
    assert await _findings(copy, made.key) == []
