"""How the questions of auditors are asked: of indexes, in few statements, whose texts repeat."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event, text

from benchmarks import ledger_history, ledger_records
from benchmarks.ledger_plans import Question, plans_of
from benchmarks.ledger_queries import Questions
from benchmarks.ledger_records import make_record
from gateway.domain.entry_filter import EntryFilter
from gateway.domain.indexed_entries import BLOCK
from gateway.domain.queries import Visible
from gateway.ledger.entry_pages import WIDEST
from gateway.store.reader import PLANS
from gateway.store.statement import Query
from gateway.store.store import Store, open_store

ENTRIES = 24_000
MOST = {"the lineage as a tree": 8, "customer and posting dates": 6, "receipt: the inclusion proof of an entry": 3}
"""Statements of an answer; of every other key 5."""
GROWS = re.compile(
    r"(Seq Scan on|SCAN) (documents|transactions|cross_references|relations|steps|ledger_entries(?!_below)\w*|"
    r"log_entries|indexed_entries|indexed_transactions)\b(?!.*never executed)|Gather"
)
"""Going through a whole table, which grows, or several processes for one answer. Before all months are acts of people:
few here."""


@dataclass
class Asked:
    database: str
    url: str
    store: Store
    questions: Questions


@pytest.fixture
async def asked(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asked]:
    # in this process, which needs no second to start
    monkeypatch.setattr(ledger_records, "ProcessPoolExecutor", lambda *_: ThreadPoolExecutor(1))
    monkeypatch.setattr(ledger_history, "CUSTOMERS", 500)
    record = await make_record([migrated_url], ENTRIES, ENTRIES)
    store = await open_store(migrated_url)
    database = "sqlite" if migrated_url.startswith("sqlite") else "postgres"
    yield Asked(database, migrated_url, store, Questions(store, record, 12))
    await store.close()


async def test_questions_are_few_statements_that_indexes_answer(asked: Asked) -> None:
    await _indexes_answer(asked)
    await _many_blocks_apart(asked)
    await _few_statements(asked)
    await _texts_repeat(asked)


async def _indexes_answer(asked: Asked) -> None:
    """Also what looks at several blocks at once, which is where SQLite would go along the table."""
    every = asked.questions.by_key() | asked.questions.proofs() | asked.questions.of_range()
    several = 0
    for name, many in every.items():
        for statement, plan in await plans_of(asked.database, asked.url, asked.store, many[len(many) // 2]):
            assert not GROWS.search(plan), f"{name}: {statement}\n{plan}"
            several += "SEARCH indexed_blocks" in plan or "BitmapOr" in plan
    assert several


async def _many_blocks_apart(asked: Asked) -> None:
    """As many as a page looks at."""
    apart = [(block * BLOCK, (block + 1) * BLOCK) for block in range(0, 2 * WIDEST, 2)]

    async def ask() -> int:
        return len(await asked.store.ledger.rows(EntryFilter(kind=frozenset({"posted"})), Visible(), apart, 51))

    for statement, plan in await plans_of(asked.database, asked.url, asked.store, ask):
        assert not GROWS.search(plan), f"{statement}\n{plan}"


async def _few_statements(asked: Asked) -> None:
    for name, many in (asked.questions.by_key() | asked.questions.proofs()).items():
        for ask in many:
            sent = await _statements(asked.store, ask)
            assert len(sent) <= MOST.get(name, 5), f"{name}: {sent}"


async def _texts_repeat(asked: Asked) -> None:
    """A list of each length would be a text of its own, and every text costs each connection a round trip more."""
    reads = asked.store.ledger
    texts: set[str] = set()
    for length in (5, 6, 7, 8):
        names = [f"txn_{number}" for number in range(length)]

        async def ask(names: Sequence[str] = names) -> int:
            await reads.placed_at(range(ENTRIES, ENTRIES + len(names)))
            await reads.transactions_of(names, Visible(frozenset(names)))
            await reads.numbers_of(names)
            await reads.steps_of(names)
            where = EntryFilter(kind=frozenset(names), trace=frozenset(names))
            blocks = [(2 * number * BLOCK, (2 * number + 1) * BLOCK) for number in range(len(names))]
            await reads.rows(where, Visible(), blocks, 9)
            return 0

        texts.update(await _statements(asked.store, ask))
    assert len({text for text in texts if "archived_months" not in text}) == 5, texts


async def _statements(store: Store, ask: Question) -> list[str]:
    sent: list[str] = []
    engine = store._reader.engine.sync_engine

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        await ask()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return sent


@pytest.mark.postgres
async def test_postgresql_reads_in_one_process_and_compiles_nothing(migrated_postgres_url: str) -> None:
    store = await open_store(migrated_postgres_url)
    try:
        for setting, wanted in PLANS.items():
            shown: Query[str] = Query(text(f"SHOW {setting}"), str)
            assert await store._reader.all(shown) == [wanted]
    finally:
        await store.close()
