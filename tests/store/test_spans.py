"""Transactions as of a place of the log, whatever time they took: the right ones, and few others looked at."""

from __future__ import annotations

import random
import re
import sqlite3
from typing import Any

import pytest
from sqlalchemy import event

from benchmarks.ledger_plans import plans_of
from gateway.domain.queries import Visible
from gateway.store.entry_index import SpanRecord
from gateway.store.schema_queries import LENGTHS
from gateway.store.store import Store, open_store
from tests.migrated import migrated_file

EVERYTHING = Visible()
MANY = 20_000


async def _put(store: Store, spans: list[SpanRecord]) -> None:
    await store.write(lambda unit: unit.index_transactions(spans, []))


def _of_all_lengths(chance: random.Random) -> list[SpanRecord]:
    """Just below, at and above each bound, whatever they began at; some have no end."""
    lengths = [1, *(bound + by for bound in LENGTHS for by in (-1, 0, 1)), 2**40]
    spans = []
    for number in range(400):
        first = number * 50_000
        length = chance.choice(lengths)
        spans.append(SpanRecord(f"txn_{number:026d}", first, None if chance.random() < 0.05 else first + length))
    return spans


@pytest.mark.parametrize("of_each", [7, 1_000])
async def test_what_was_under_way_is_found_whatever_its_length(migrated_url: str, of_each: int) -> None:
    store, chance = await open_store(migrated_url), random.Random(5)
    try:
        spans = _of_all_lengths(chance)
        await _put(store, spans)
        ends = [one.ended_index for one in spans if one.ended_index is not None]
        for place in (*chance.sample(ends, 25), 0, 2**41):
            for size in (place, place + 1):
                wanted = [
                    one for one in spans
                    if one.first_index < size and (one.ended_index is None or one.ended_index >= size)
                ]  # fmt: skip
                found: list[SpanRecord] = []
                while page := await store.ledger.under_way(
                    size, EVERYTHING, found[-1].first_index if found else -1, of_each
                ):
                    found += page
                assert found == wanted
    finally:
        await store.close()


def _short() -> list[SpanRecord]:
    """One after the other, as nearly all are, and one that took long."""
    spans = [SpanRecord(f"txn_{number:026d}", number * 5, number * 5 + 30) for number in range(MANY)]
    spans[100] = SpanRecord(spans[100].trace, 500, 4 * MANY)
    return spans


async def test_few_others_are_looked_at(tmp_path: Any) -> None:
    store, sent = await open_store(migrated_file(tmp_path / "gateway.db")), []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    try:
        await _put(store, _short())
        event.listen(store._reader.engine.sync_engine, "before_cursor_execute", note)
        found = await store.ledger.under_way(MANY, EVERYTHING, -1, 50)
        assert [one.first_index for one in found] == [500, *range(MANY - 30, MANY, 5)]
    finally:
        await store.close()
    ((statement, parameters),) = sent
    rows, steps = sqlite3.connect(tmp_path / "gateway.db"), []
    rows.set_progress_handler(lambda: steps.append(100), 100)
    assert len(rows.execute(statement, parameters).fetchall()) == len(found)
    rows.close()
    # half of all have ended since
    assert sum(steps) < MANY / 2


@pytest.mark.postgres
async def test_postgresql_reads_one_short_range_of_each_length(migrated_postgres_url: str) -> None:
    store = await open_store(migrated_postgres_url)
    try:
        await _put(store, _short())

        async def ask() -> int:
            return len(await store.ledger.under_way(MANY, EVERYTHING, -1, 50))

        ((_, plan),) = await plans_of("postgres", migrated_postgres_url, store, ask)
    finally:
        await store.close()
    assert "Seq Scan" not in plan
    assert len(re.findall(r"by_length on .*\n +Index Cond: \(\(CASE ", plan)) == len(LENGTHS) + 1
    assert f"first_index > '{MANY - LENGTHS[0]}'::bigint" in plan
