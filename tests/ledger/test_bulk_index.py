"""The record of the benchmark of questions: its index, written in bulk, beside what the gateway's own program puts
there; and its tree beside one that is appended to entry by entry."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from benchmarks import ledger_history, ledger_records
from benchmarks.ledger_history import KEY, ORIGIN
from benchmarks.ledger_records import make_record
from gateway.domain.indexed_entries import BLOCK
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.ledger.frontier import Frontier
from gateway.ledger.log_files import LogFiles
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.stored_receipts import receipts_of
from gateway.store.log_schema import log_entries, log_tiles
from gateway.store.migrate import migrate
from gateway.store.schema_queries import indexed_blocks, indexed_entries, indexed_terms, indexed_transactions
from gateway.store.statement import Query
from gateway.store.store import Store, open_store

CHAPTER = 2 * BLOCK
ENTRIES = 3 * CHAPTER + 300
TABLES = (indexed_entries, indexed_terms, indexed_blocks, indexed_transactions)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, which needs no second to start, and with few customers."""

    monkeypatch.setattr(ledger_records, "ProcessPoolExecutor", lambda *_: ThreadPoolExecutor(1))
    monkeypatch.setattr(ledger_history, "CUSTOMERS", 20)


async def _made(path: Path, indexed: int) -> Store:
    url = f"sqlite:///{path}"
    await migrate(url)
    await make_record([url], ENTRIES, indexed, CHAPTER)
    store = await open_store(url)
    await EntryIndexer(store).finish()
    return store


async def _rows(store: Store, table: Any) -> list[Any]:
    core = select(*table.columns).order_by(*table.primary_key.columns)
    return await store._reader.find(Query(core, lambda *row: row), core)


async def test_the_index_in_bulk_is_the_index_of_the_gateway(tmp_path: Path) -> None:
    bulk = await _made(tmp_path / "bulk.db", ENTRIES - 777)
    own = await _made(tmp_path / "own.db", 0)
    try:
        assert await own.ledger.log_size() == await own.ledger.indexed_size() == ENTRIES
        assert await bulk.ledger.indexed_size() == ENTRIES
        for table in (*TABLES, log_entries, log_tiles):
            rows = await _rows(own, table)
            assert rows, table.name
            assert await _rows(bulk, table) == rows, table.name
    finally:
        await bulk.close()
        await own.close()


async def test_the_tree_of_the_record_is_that_of_its_entries(tmp_path: Path) -> None:
    store = await _made(tmp_path / "gateway.db", ENTRIES)
    try:
        leaves = [one.leaf_hash for one in await store.log.placed(0, ENTRIES)]
        newest = await LogFiles(store.log, ORIGIN).note("checkpoint")
        assert newest is not None
        signed = LogKeys.pinned(KEY.key).open_checkpoint(newest)
        assert signed.checkpoint.root == Frontier().appended(leaf for leaf in leaves if leaf is not None).root
        (place,) = await store.log.placed(CHAPTER + 5, CHAPTER + 6)
        (receipt,) = await receipts_of(store.log, ORIGIN, place.trace, place.seq)
        assert receipt.receipt.index == CHAPTER + 5
    finally:
        await store.close()
