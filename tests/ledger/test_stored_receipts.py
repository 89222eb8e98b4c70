"""Receipts out of a store: in how few reads, and what is noticed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from gateway.ledger.errors import LedgerError, Malformed, NoteUnsigned, ProofInvalid, TilesDisagree
from gateway.ledger.receipt import parse_receipt, verify_receipt
from gateway.ledger.stored_receipts import EntryReceipt, receipts_of
from gateway.store import receipt_reads
from gateway.store.log_reads import EntriesMissing
from gateway.store.store import Store, open_store
from tests.ledger.live import Live, live, made
from tests.ledger.logs import LOG, ORIGIN
from tests.ledger.tampering_rows import without_guards
from tests.ledger.test_receipt import NOBODY
from tests.migrated import migrated_file


@contextmanager
def _sent(store: Store) -> Iterator[list[str]]:
    """The statements that the store's readers send meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            sent.append(statement)

    engine = store._reader.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _proven(one: EntryReceipt) -> int:
    """The size of the tree that it is proven to be in."""
    assert one.entry is not None
    return verify_receipt(parse_receipt(bytes(one.receipt)), one.entry, LOG, NOBODY).signed.checkpoint.size


async def _grown(store: Store, tmp_path: Path) -> Live:
    """700 entries: two full tiles, and the last of them open."""
    log = live(store, tmp_path)
    await log.grow(700)
    return log


async def test_a_receipt_takes_two_reads(store: Store, tmp_path: Path) -> None:
    log = await _grown(store, tmp_path)
    with _sent(store) as sent:
        (one,) = await receipts_of(store.log, ORIGIN, "txn_1", 5)
    assert (len(sent), _proven(one), one.receipt.index) == (2, 700, 4)
    with _sent(store) as sent:  # of the open tile only the entries beside it
        (one,) = await receipts_of(store.log, ORIGIN, "txn_1", 699)
    assert (len(sent), _proven(one)) == (2 if store._reader.is_sqlite else 3, 700)
    # as long as more have a place than are signed, the open tiles are read as well
    await log.commit(made("txn_2", 1))
    await log.sequencer._place()
    with _sent(store) as sent:
        (one,) = await receipts_of(store.log, ORIGIN, "txn_1", 5)
    assert (len(sent), _proven(one)) == (3 if store._reader.is_sqlite else 4, 700)
    assert await receipts_of(store.log, ORIGIN, "txn_2") == []
    with pytest.raises(NoteUnsigned):
        await receipts_of(store.log, "another.example/ledger", "txn_1")


async def test_receipts_of_many_entries(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await _grown(store, tmp_path)
    monkeypatch.setattr(receipt_reads, "AT_ONCE", 1)
    found = await receipts_of(store.log, ORIGIN, "txn_1")
    assert [one.seq for one in found] == list(range(1, 701))
    assert {_proven(one) for one in found[::37]} == {700}


ACTS: list[tuple[str, tuple[type[LedgerError], ...] | None]] = [
    ("UPDATE log_tiles SET hashes = zeroblob(8192) WHERE tile_index = 0", (ProofInvalid,)),
    ("UPDATE log_tiles SET hashes = zeroblob(8000) WHERE tile_index = 0", (Malformed,)),
    ("UPDATE log_tiles SET root = zeroblob(32) WHERE tile_index = 1", (ProofInvalid,)),
    ("DELETE FROM log_tiles WHERE tile_index = 0", (TilesDisagree,)),
    ("DELETE FROM log_tiles WHERE tile_index = 1", (TilesDisagree,)),
    ("UPDATE ledger_entries SET body = x'7b7d' WHERE seq = 5", (ProofInvalid,)),
    ("UPDATE log_checkpoints SET note = CAST(replace(CAST(note AS TEXT), '700', '699') AS BLOB)", (ProofInvalid,)),
    # whoever leads halts on it; what is signed is proven out of the tiles
    ("UPDATE log_leader SET frontier = zeroblob(length(frontier))", None),
    ("UPDATE log_leader SET frontier = x'00'", None),
    ("DELETE FROM log_leader", None),
]


@pytest.mark.parametrize(("act", "raised"), ACTS, ids=[act for act, _ in ACTS])
async def test_what_is_changed_in_the_database_is_noticed_at_once(
    act: str, raised: tuple[type[LedgerError], ...] | None, tmp_path: Path
) -> None:
    """By a process that has read all of it before: nothing is kept."""
    store = await open_store(migrated_file(tmp_path / "gateway.db"))
    try:
        await _grown(store, tmp_path)
        (before,) = await receipts_of(store.log, ORIGIN, "txn_1", 5)
        with closing(sqlite3.connect(tmp_path / "gateway.db")) as rows:
            without_guards(rows)
            assert rows.execute(act).rowcount
            rows.commit()
        if raised is not None:
            with pytest.raises(raised):
                await receipts_of(store.log, ORIGIN, "txn_1", 5)
        else:
            assert await receipts_of(store.log, ORIGIN, "txn_1", 5) == [before]
        assert _proven(before) == 700
    finally:
        await store.close()


async def test_an_entry_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    store = await open_store(migrated_file(tmp_path / "gateway.db"))
    try:
        await _grown(store, tmp_path)
        with closing(sqlite3.connect(tmp_path / "gateway.db")) as rows:
            without_guards(rows)
            rows.execute("DELETE FROM ledger_entries WHERE seq IN (5, 699)")
            rows.commit()
        for seq in (5, 699):
            with pytest.raises(EntriesMissing, match=f"{seq} of txn_1"):
                await receipts_of(store.log, ORIGIN, "txn_1", seq)
        (beside,) = await receipts_of(store.log, ORIGIN, "txn_1", 6)
        assert _proven(beside) == 700
    finally:
        await store.close()
