"""The audit of the index of entries: it is made again, and whatever differs is named."""

# ruff: noqa: S608  (the statements are made of this file's own names)

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.cli.console import Failure
from gateway.cli.ledger_index import rebuild
from gateway.domain.indexed_entries import BLOCK
from gateway.domain.months import Month
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.ledger.state.index import audit_index
from gateway.store.store import Store, open_store
from tests.ledger.entry_world import EntryWorld
from tests.ledger.tampering_rows import without_guards
from tests.migrated import migrated_file

MOST = 100
FULL = 330
"""Transactions: more than one block of entries."""


async def _found(store: Store, gone: tuple[Month, ...] = ()) -> list[str]:
    return [str(one) for one in await audit_index(store.reads, MOST, gone)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A full block and a part of another, as the bytes of their file."""
    path = tmp_path_factory.mktemp("index") / "gateway.db"
    migrated_file(path)

    async def make() -> None:
        store = await open_store(f"sqlite:///{path}")
        await EntryWorld.on(store, path.parent, 3).grow(FULL)
        assert await store.ledger.indexed_size() > BLOCK
        await store.close()

    asyncio.run(make())
    return path.read_bytes()


async def test_a_sound_index_alarms_nobody_also_one_that_lags_behind(store: Store, tmp_path: Path) -> None:
    world = EntryWorld.on(store, tmp_path, 5)
    assert await _found(store) == []
    await world.grow(20, indexed=False)
    assert await _found(store) == []
    indexer = world.indexer
    while await indexer.turn():
        assert await _found(store) == []
        await world.grow(90, indexed=False) if await store.ledger.indexed_size() < BLOCK else None
    assert await store.ledger.indexed_size() > BLOCK
    assert await _found(store) == []


async def test_it_rests_after_each_block(made: bytes, tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    store = await open_store(f"sqlite:///{path}")
    rests: list[float] = []

    async def rest(worked_s: float) -> None:
        rests.append(worked_s)

    assert await audit_index(store.reads, MOST, rest=rest) == []
    assert len(rests) == 2
    await store.close()


ONE = "(SELECT min(log_index) FROM indexed_entries WHERE amount_units IS NOT NULL AND log_index > 900)"
ENDED = "(SELECT min(trace) FROM indexed_transactions WHERE ended_index IS NOT NULL)"
EDITS = {
    "a larger amount": (
        f"UPDATE indexed_entries SET amount_units = amount_units + 1000000 WHERE log_index = {ONE}",
        ("indexed_entries, place 9", "amount_units is 1"),
    ),
    "another time": (
        "UPDATE indexed_entries SET at = at + 1 WHERE log_index = 1100",
        ("indexed_entries, place 1100: at is",),
    ),
    "a missing row": (
        "DELETE FROM indexed_entries WHERE log_index = 903",
        ("indexed_entries, place 903: the row is nothing, and the ledger tells there",),
    ),
    "an invented row": (
        "INSERT INTO indexed_entries (log_index, at, kind, actor) VALUES (99999, 1, 'posted', 'x')",
        ("indexed_entries, place 99999: the row is there, and the ledger tells nothing",),
    ),
    "no blocks": (
        "DELETE FROM indexed_blocks",
        ("indexed_blocks, block 0: the row is nothing", "indexed_blocks, block 1: the row is nothing"),
    ),
    "narrower times": (
        "UPDATE indexed_blocks SET at_last = at_first WHERE block = 1",
        ("indexed_blocks, block 1: at_last is",),
    ),
    "an invented block": (
        "INSERT INTO indexed_blocks VALUES (7, 1, 2)",
        ("indexed_blocks, block 7: the row is there, and the ledger tells nothing",),
    ),
    "a missing term of a full block": (
        "DELETE FROM indexed_terms WHERE block = 0 AND term = 'kind:posted'",
        ("indexed_terms, block 0: term kind:posted is nothing, and the ledger tells there",),
    ),
    "a missing term of one that grows": (
        "DELETE FROM indexed_terms WHERE block = 1 AND term = 'domain:orders'",
        ("indexed_terms, block 1: term domain:orders is nothing, and the ledger tells there",),
    ),
    "an invented term of a full block": (
        "INSERT INTO indexed_terms VALUES ('kind:erased', 0)",
        ("indexed_terms, block 0: term kind:erased is there, and the ledger tells nothing",),
    ),
    "an invented term of one that grows": (
        "INSERT INTO indexed_terms VALUES ('kind:erased', 1)",
        ("indexed_terms, block 1: term kind:erased is there, and the ledger tells nothing",),
    ),
    "terms of no block": (
        "INSERT INTO indexed_terms VALUES ('kind:erased', 9)",
        ("indexed_terms, block 9: term kind:erased is there, and the ledger tells nothing",),
    ),
    "a transaction that is not listed": (
        "DELETE FROM indexed_transactions WHERE first_index = (SELECT min(first_index) FROM indexed_transactions)",
        ("indexed_transactions, txn_", "the row is nothing, and the ledger tells there"),
    ),
    "a transaction that never ended": (
        f"UPDATE indexed_transactions SET ended_index = NULL WHERE trace = {ENDED}",
        ("indexed_transactions, txn_", "ended_index is nothing, and the ledger tells"),
    ),
    "a transaction that never was": (
        "INSERT INTO indexed_transactions VALUES ('txn_x', 5, 6)",
        ("indexed_transactions, txn_x: first_index is 5, and the ledger tells nothing",),
    ),
    "an index of more than the log": (
        "UPDATE indexed_until SET size = size + 1",
        ("indexed_until: size is",),
    ),
    "an index that says to have less": (
        "UPDATE indexed_until SET size = size - 1",
        ("the row is there, and the ledger tells nothing",),
    ),
}


@pytest.mark.parametrize("edit", EDITS)
async def test_what_was_changed_is_named(made: bytes, tmp_path: Path, edit: str) -> None:
    statement, words = EDITS[edit]
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    with closing(sqlite3.connect(path)) as rows, rows:
        without_guards(rows)
        assert rows.execute(statement).rowcount > 0
    store = await open_store(f"sqlite:///{path}")
    found = await _found(store)
    await store.close()
    assert found
    for word in words:
        assert any(word in one for one in found), found


async def test_an_index_that_was_emptied_is_made_again(made: bytes, tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    with closing(sqlite3.connect(path)) as rows, rows:
        rows.execute("UPDATE indexed_entries SET amount_units = 7")
        rows.execute("DELETE FROM indexed_terms")
    store = await open_store(f"sqlite:///{path}")
    indexer = EntryIndexer(store)
    assert len(await _found(store)) == MOST
    size = await store.ledger.indexed_size()
    assert await store.write(lambda unit: unit.empty_entry_index()) == size
    assert await store.ledger.indexed_size() == 0
    assert await _found(store) == []
    await indexer.finish()
    assert await store.ledger.indexed_size() == size
    assert await _found(store) == []
    await store.close()


async def test_entries_of_months_that_are_gone_are_not_judged(made: bytes, tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    with closing(sqlite3.connect(path)) as rows, rows:
        without_guards(rows)
        ((trace,),) = rows.execute(f"SELECT trace FROM log_entries WHERE log_index = {ONE}").fetchall()
        of_transactions = "trace IN (SELECT trace FROM indexed_transactions)"
        rows.execute(f"DELETE FROM ledger_entries WHERE {of_transactions}")
        places = f"SELECT log_index FROM log_entries WHERE {of_transactions}"
        rows.execute(f"UPDATE indexed_entries SET amount_units = 7 WHERE log_index IN ({places})")
    month = Month.of_trace(trace)
    assert month is not None
    store = await open_store(f"sqlite:///{path}")
    assert await _found(store, (month,)) == []
    await store.close()


def test_the_command_empties_it_and_refuses_while_a_month_is_archived(
    made: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gateway.toml").write_text('name = "one"\nrulebook = "rules"\n', encoding="utf-8")
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    with closing(sqlite3.connect(path)) as rows, rows:
        rows.execute("INSERT INTO archived_months VALUES ('2026-05', 1, 1, x'', x'')")
    with pytest.raises(Failure, match="2026-05 are archived"):
        rebuild(tmp_path)
    with closing(sqlite3.connect(path)) as rows, rows:
        rows.execute("DELETE FROM archived_months")
        assert rows.execute("SELECT count(*) FROM indexed_entries").fetchone() > (BLOCK,)
    rebuild(tmp_path)
    assert "is empty; the gateway fills it again" in capsys.readouterr().out
    with closing(sqlite3.connect(path)) as rows, rows:
        for table in ("indexed_entries", "indexed_terms", "indexed_blocks", "indexed_transactions"):
            assert rows.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


async def test_a_running_indexer_forgets_what_it_kept_of_an_emptied_index(store: Store, tmp_path: Path) -> None:
    world = EntryWorld.on(store, tmp_path, 8)
    await world.grow(20, indexed=False)
    indexer = world.indexer
    await indexer.finish()
    await store.write(lambda unit: unit.empty_entry_index())
    await indexer.finish()
    assert await _found(store) == []
