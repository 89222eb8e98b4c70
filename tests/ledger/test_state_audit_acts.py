"""The audit of the state, of what people and monitors did: legal holds, erasures and overlays."""

# ruff: noqa: S608  (the statements are made of this file's own names)

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.ledger.errors import LogRefused
from gateway.ledger.state import overlays, privacy
from gateway.ledger.state.audit import audit_state
from gateway.ledger.state.findings import Finding
from gateway.ledger.state.recheck import StateRecheck
from gateway.store import told_acts
from gateway.store.store import Store, open_store
from gateway.store.told_acts import ErasedCount
from tests.ledger.tampering_rows import without_guards
from tests.migrated import migrated_file
from tests.privacy.acts_world import acts_world

SET = "lift_asked_at IS NULL"
LIFTED = "lifted_at IS NOT NULL"
LATER = "+ 3600000000"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The world as the bytes of its file."""
    path = tmp_path_factory.mktemp("acts") / "gateway.db"
    migrated_file(path)

    async def make() -> None:
        store = await open_store(f"sqlite:///{path}")
        await acts_world(store)
        await store.close()

    asyncio.run(make())
    return path.read_bytes()


async def _found(store: Store) -> list[Finding]:
    return [*await privacy.audit_privacy(store.reads, 100), *await overlays.audit_overlays(store.reads, 100)]


async def test_an_honest_history_alarms_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await acts_world(store)
    assert await desk.audit() == []
    assert await audit_state(store.reads) == []
    # parts of one must tell the same
    monkeypatch.setattr(privacy, "PART", 1)
    monkeypatch.setattr(overlays, "PART", 1)
    monkeypatch.setattr(told_acts, "PAGE", 1)
    assert await _found(store) == []
    assert [(await store.reads.hold_part("", 9)).ids != [], (await store.reads.overlay_part("", 9)).ids != []] == [
        True
    ] * 2


FIELDS = [
    ("legal_holds", SET, "customer_id", "'doc_other'", 1),
    ("legal_holds", SET, "customer_id", "NULL", 1),
    ("legal_holds", "lineage_id IS NOT NULL", "lineage_id", "'lin_other'", 1),
    ("legal_holds", SET, "lineage_id", "'lin_other'", 1),
    ("legal_holds", SET, "set_at", f"set_at {LATER}", 1),
    ("legal_holds", SET, "set_by", "'nobody'", 1),
    ("legal_holds", SET, "set_person", "'nobody'", 1),
    ("legal_holds", SET, "lifted_at", "set_at", 1),
    ("legal_holds", SET, "lifted_by", "set_by", 1),
    ("legal_holds", SET, "lifted_person", "set_person", 1),
    ("legal_holds", SET, "entry_count", "2", 1),
    ("legal_holds", LIFTED, "lifted_at", f"lifted_at {LATER}", 1),
    ("legal_holds", LIFTED, "lifted_at", "NULL", 1),
    ("legal_holds", LIFTED, "lifted_by", "'nobody'", 1),
    ("legal_holds", LIFTED, "lifted_person", "lift_asked_person", 1),
    ("legal_holds", LIFTED, "lift_asked_at", "lift_asked_at + 1", 1),
    ("legal_holds", LIFTED, "lift_payload_id", "NULL", 1),
    ("legal_holds", LIFTED, "lift_asked_by", "'nobody'", 1),
    ("legal_holds", LIFTED, "lift_asked_person", "lifted_person", 1),
    ("erasures", "state = 'finished'", "customer_id", "'doc_other'", 1),
    ("erasures", "state = 'approved'", "customer_id", "'doc_other'", 1),
    ("erasures", "state = 'finished'", "asked_at", "asked_at + 1", 1),
    ("erasures", "state = 'finished'", "asked_by", "'nobody'", 1),
    ("erasures", "state = 'finished'", "asked_person", "approved_person", 1),
    ("erasures", "state = 'finished'", "approved_person", "asked_person", 1),
    ("erasures", "state = 'finished'", "approved_by", "'nobody'", 1),
    ("erasures", "state = 'finished'", "approved_at", f"approved_at {LATER}", 1),
    ("erasures", "state = 'approved'", "approved_at", "NULL", 1),
    ("erasures", "state = 'approved'", "state", "'asked'", 1),
    ("erasures", "state = 'asked'", "state", "'approved'", 1),
    ("erasures", "state = 'asked'", "approved_person", "'nobody'", 1),
    ("erasures", "state = 'approved'", "finished_at", "1", 1),
    ("erasures", "state = 'finished'", "finished_at", "NULL", 1),
    ("erasures", "state = 'finished'", "erased", "2", 1),
    ("erasures", "state = 'approved'", "erased", "1", 1),
    ("erasures", "state = 'finished'", "entry_count", "3", 1),
    ("overlays", "overlay = 'freeze'", "overlay", "'paused'", 1),
    ("overlays", SET, "expected_until", "1", 2),
    ("overlays", "overlay = 'freeze'", "expected_until", "NULL", 1),
    ("overlays", SET, "set_at", f"set_at {LATER}", 2),
    ("overlays", SET, "set_by", "'nobody'", 2),
    ("overlays", SET, "person", "'nobody'", 2),
    ("overlays", SET, "lifted_at", "set_at", 2),
    ("overlays", "person IS NULL", "lifted_person", "'nobody'", 1),
    ("overlays", SET, "entry_count", "7", 2),
    ("overlays", LIFTED, "lifted_at", "NULL", 1),
    ("overlays", LIFTED, "lifted_by", "'nobody'", 1),
    ("overlays", LIFTED, "lifted_person", "lift_asked_person", 1),
    ("overlays", LIFTED, "lift_asked_at", "lift_asked_at + 1", 1),
    ("overlays", LIFTED, "lift_payload_id", "NULL", 1),
    ("overlays", LIFTED, "lift_asked_by", "'nobody'", 1),
    ("overlays", LIFTED, "lift_asked_person", "lifted_person", 1),
]
"""A table, which of its rows, a column, its new value, and how many rows that meets."""


async def _edited(made: bytes, tmp_path: Path, statement: str) -> Store:
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    with closing(sqlite3.connect(path)) as rows, rows:
        without_guards(rows)
        assert rows.execute(statement).rowcount > 0, statement
    return await open_store(f"sqlite:///{path}")


@pytest.mark.parametrize(("table", "where", "column", "value", "rows"), FIELDS)
async def test_an_edited_field_is_named(
    made: bytes, tmp_path: Path, table: str, where: str, column: str, value: str, rows: int
) -> None:
    store = await _edited(made, tmp_path, f"UPDATE {table} SET {column} = {value} WHERE {where}")
    assert [one.what for one in await _found(store)] == [column] * rows
    await store.close()


@pytest.mark.parametrize("column", ["domain", "business_unit", "geography"])
async def test_an_overlay_that_lies_elsewhere_is_named(made: bytes, tmp_path: Path, column: str) -> None:
    store = await _edited(made, tmp_path, f"UPDATE overlays SET {column} = 'Other' WHERE person IS NULL")
    (found,) = await _found(store)
    assert found.what == "slice"
    assert found.told == "orders.Northern.FR"
    await store.close()


@pytest.mark.parametrize(
    ("table", "key", "where"),
    [
        ("legal_holds", "hold_id", SET),
        ("legal_holds", "hold_id", LIFTED),
        ("erasures", "erasure_id", "state = 'finished'"),
        ("erasures", "erasure_id", "state = 'approved'"),
        ("overlays", "overlay_id", "person IS NULL"),
        ("overlays", "overlay_id", LIFTED),
    ],
)
async def test_a_deleted_row_and_one_that_never_was_are_alarms(
    made: bytes, tmp_path: Path, table: str, key: str, where: str
) -> None:
    store = await _edited(made, tmp_path, f"DELETE FROM {table} WHERE {where}")
    found = [str(one) for one in await audit_state(store.reads)]
    assert [one.partition(": ")[2] for one in found] == ["the row is nothing, and the ledger tells there"]
    with pytest.raises(LogRefused, match="not as its ledger tells"):
        await StateRecheck(store.reads, b"", 60.0, first_after_s=60.0).at_start()
    await store.close()
    # another id of the same kind, and one that sorts before all of them
    for other in (f"substr({key}, 1, 4) || '0'", "'0'"):
        store = await _edited(made, tmp_path, f"UPDATE {table} SET {key} = {other} WHERE {where}")
        assert "the row" in {one.what for one in await _found(store)}
        assert len(await _found(store)) > 1
        await store.close()


@pytest.mark.parametrize(
    ("table", "column", "told"),
    [
        ("legal_holds", "payload_id", 3),
        ("erasures", "payload_id", 2),
        ("overlays", "payload_id", 3),
        ("legal_holds", "lift_payload_id", 1),
        ("overlays", "lift_payload_id", 1),
    ],
)
async def test_another_reason_is_named_and_one_that_is_gone(
    made: bytes, tmp_path: Path, table: str, column: str, told: int
) -> None:
    which = f"payload_id IN (SELECT {column} FROM {table})"
    store = await _edited(made, tmp_path, f"UPDATE payloads SET body = CAST('{{}}' AS BLOB) WHERE {which}")
    found = await _found(store)
    assert {one.what for one in found} == {"reason (committed)"}
    assert len(found) == told
    await store.close()
    emptied = "UPDATE payloads SET body = NULL, salt = x'', erased_at = 1"
    for edit in (f"{emptied} WHERE {which}", f"DELETE FROM payloads WHERE {which}"):
        store = await _edited(made, tmp_path, edit)
        gone = await _found(store)
        assert {(one.what, one.stored, one.told) for one in gone} == {("reason", "missing", "there, and never erased")}
        assert len(gone) == told
        await store.close()


async def test_it_ends_at_the_most(made: bytes, tmp_path: Path) -> None:
    store = await _edited(made, tmp_path, "UPDATE legal_holds SET set_by = 'x', set_person = 'y', set_at = 0")
    assert len(await privacy.audit_privacy(store.reads, 100)) == 9
    assert len(await privacy.audit_privacy(store.reads, 2)) == 2
    await store.close()


@pytest.mark.parametrize(
    ("count", "wrong"),
    [
        (ErasedCount(3, 3, archived=False), False),
        (ErasedCount(3, 2, archived=False), True),
        (ErasedCount(2, 3, archived=False), True),
        (ErasedCount(3, 2, archived=True), False),
        (ErasedCount(2, 3, archived=True), True),
        (ErasedCount(None, 3, archived=False), False),
    ],
)
def test_of_archived_months_entries_may_be_missing(count: ErasedCount, wrong: bool) -> None:
    assert bool(list(privacy.count_findings("era_1", count))) is wrong
