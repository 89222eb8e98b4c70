"""How long auditors' questions take on a record of any size, on SQLite and on PostgreSQL, with the plans used.

`benchmarks.ledger_history` makes the record; the gateway's own program fills the end of the index, and its rate is
measured. Then each question is asked many times, each time about something else, as the API asks it: all reads of one
answer together, one question after another.
Run: `python -m benchmarks.ledger_queries [--entries 1000000] [--databases sqlite,postgres] [--asked 200]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.ledger_history import ORIGIN, PERSONS, PLACES, START, UNITS
from benchmarks.ledger_plans import Question, plans_of, sizes_of
from benchmarks.ledger_queries_report import PAGE, Measured, Taken, report
from benchmarks.ledger_records import Record, read_through, records
from gateway.api.ledger_traces import traced
from gateway.domain.document_names import NamedBy
from gateway.domain.entry_filter import EntryFilter
from gateway.domain.queries import Visible
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.ledger.entry_pages import Asked, read_page
from gateway.ledger.entry_sums import sum_up
from gateway.ledger.entry_wire import entries_of
from gateway.ledger.lineage_tree import tree_of
from gateway.ledger.stored_receipts import receipts_of
from gateway.store.store import Store, open_store

DAY = 86_400_000_000
EVERYTHING = Visible()


class Questions:
    """What is asked, each time about something else."""

    def __init__(self, store: Store, record: Record, asked: int) -> None:
        self._store, self._record, self._asked = store, record, asked
        self._reads = store.ledger
        self._chance = random.Random(3)
        self._sample = chunks(record.sample, asked)
        self._numbered = [one for one in record.sample if one["number"]]

    def by_key(self) -> dict[str, list[Question]]:
        """By any business key."""
        numbered = chunks(self._numbered, self._asked)

        def since(one: dict[str, Any]) -> dict[str, str]:
            return {"posting_date_from": one["posting_date"], "posting_date_until": "2026-12-31"}

        return {
            "document id": [self._trace(document_id=one["document_id"]) for one in self._sample],
            "transaction id": [self._trace(transaction_id=one["transaction_id"]) for one in self._sample],
            "external id": [self._trace(external_id=one["external_id"]) for one in self._sample],
            "number in an ERP": [
                self._trace(
                    document_number=one["number"], system_id=one["system_id"], document_type=one["document_type"]
                )
                for one in numbered
            ],
            "any name: a bare number": [self._trace(name=one["number"]) for one in numbered],
            "any name: an external id": [self._trace(name=one["external_id"]) for one in self._sample],
            "reference at the ERP": [self._trace(name=one["reference"]) for one in self._sample],
            "amount and currency": [
                self._trace(amount=Decimal(one["amount"]), currency_code=one["currency_code"]) for one in self._sample
            ],
            "amount and posting dates": [
                self._trace(amount=Decimal(one["amount"]), **since(one))
                for one in self._sample
            ],
            "customer and posting dates": [
                self._trace(customer=one["customer_id"], **since(one))
                for one in self._sample
            ],
            "the lineage as a tree": [self._lineage(one["lineage_id"]) for one in self._sample],
            "entries of a transaction": [
                self._page(EntryFilter(trace=frozenset({one["transaction_id"]}))) for one in self._sample
            ],
        }  # fmt: skip

    def of_range(self) -> dict[str, list[Question]]:
        """Pages of 50 of a filtered range."""
        span = self._record.at - START

        def when(days: int) -> dict[str, int]:
            first = START + self._chance.randrange(span)
            return {"at_from": first, "at_until": first + days * DAY}

        def slice_(**more: Any) -> EntryFilter:
            pick = self._chance.choice
            return EntryFilter(
                domain=frozenset({"orders"}), business_unit=frozenset({pick(UNITS)}),
                geography=frozenset({pick(PLACES)}), **more,
            )  # fmt: skip

        def kinds(*names: str, **more: Any) -> EntryFilter:
            return EntryFilter(kind=frozenset(names), **more)

        a_part = Visible(frozenset(UNITS[:1]), frozenset(PLACES[:1]))
        sample, page, pick = self._sample, self._page, self._chance.choice
        return {
            "a slice, a month": [page(slice_(**when(30))) for _ in sample],
            "a slice, from somewhere on": [page(slice_(), anywhere=True) for _ in sample],
            "a slice's refusals": [page(slice_(kind=frozenset({"rejected"})), anywhere=True) for _ in sample],
            "a rule row": [page(EntryFilter(rule_row=frozenset({one["row"]})), anywhere=True) for one in sample],
            "a row of a table version": [
                page(EntryFilter(rule_row=frozenset({one["row"]}), table_version=frozenset({one["version"]})))
                for one in sample
            ],
            "a table version": [page(EntryFilter(table_version=frozenset({one["version"]}))) for one in sample],
            "a person's acts": [page(EntryFilter(person=frozenset({pick(PERSONS)})), anywhere=True) for _ in sample],
            "waivers": [page(kinds("gate_waived"), anywhere=True) for _ in sample],
            "changes of pins": [page(kinds("pinned", "pin_released", "adopted"), anywhere=True) for _ in sample],
            "in doubt": [page(kinds("in_doubt"), anywhere=True) for _ in sample],
            "what is not there": [page(EntryFilter(rule_row=frozenset({"none"}))) for _ in sample],
            "refusals of 24 units in 9 countries": [
                page(kinds("rejected", business_unit=frozenset(UNITS), geography=frozenset(PLACES[::2])), anywhere=True)
                for _ in sample
            ],
            "a quarter as a caller with a data scope sees it": [
                page(EntryFilter(**when(90)), visible=a_part) for _ in sample
            ],
            "as of a past instant": [self._known(slice_(), START + self._chance.randrange(span)) for _ in sample],
            "without an end, now": [self._under_way(self._record.size) for _ in sample],
            "without an end, as of then": [
                self._under_way(self._chance.randrange(1, self._record.size)) for _ in sample
            ],
        }  # fmt: skip

    def proofs(self) -> dict[str, list[Question]]:
        """The first entry of a transaction, with its receipt."""
        return {
            "receipt: the inclusion proof of an entry": [self._receipt(one["transaction_id"]) for one in self._sample]
        }

    async def sums(self) -> float:
        """Seconds to count and sum the whole log by kind and month."""
        started = time.perf_counter()
        asked = Asked(where=EntryFilter(kind=frozenset({"posted", "rejected"})), end=self._record.size)
        groups = await sum_up(self._reads, asked, ["kind", "month"])
        assert sum(one.entries for one in groups) > self._record.size / 10
        return time.perf_counter() - started

    def _trace(self, **named: Any) -> Question:
        async def ask() -> int:
            page = await self._reads.documents_by(NamedBy(**named), EVERYTHING, PAGE + 1, None)
            ids = [one.document_id for one in page]
            transactions = await self._reads.transactions_of(ids, EVERYTHING)
            await self._reads.numbers_of(ids)
            await traced(self._reads, transactions)
            return len(page)

        return ask

    def _receipt(self, trace: str) -> Question:
        async def ask() -> int:
            return len(await receipts_of(self._store.log, ORIGIN, trace, 1))

        return ask

    def _lineage(self, lineage_id: str) -> Question:
        async def ask() -> int:
            view = await self._store.reads.lineage(lineage_id, EVERYTHING)
            assert view is not None
            await traced(self._reads, view.transactions)
            return len(tree_of(view))

        return ask

    def _page(self, where: EntryFilter, *, anywhere: bool = False, visible: Visible = EVERYTHING) -> Question:
        """`anywhere`: behind some cursor."""
        after = self._chance.randrange(self._record.size) if anywhere else -1

        async def ask(end: int | None = None) -> int:
            asked = Asked(where=where, end=self._record.size if end is None else end, visible=visible)
            page = await read_page(self._reads, asked, after, PAGE)
            return len(await entries_of(self._reads, page.rows))

        return ask

    def _known(self, where: EntryFilter, at: int) -> Question:
        async def ask() -> int:
            size = await self._reads.known_at(ORIGIN, at)
            page = await read_page(self._reads, Asked(where=where, end=size), -1, PAGE)
            return len(await entries_of(self._reads, page.rows))

        return ask

    def _under_way(self, size: int) -> Question:
        async def ask() -> int:
            found = await self._reads.under_way(size, EVERYTHING, -1, PAGE)
            await self._reads.transactions_with([one.trace for one in found], EVERYTHING)
            return len(found)

        return ask


def chunks(ids: Sequence[Any], count: int) -> list[Any]:
    """So many of them, evenly apart."""
    return list(ids[:: max(1, len(ids) // count)][:count])


async def _timed(name: str, questions: Sequence[Question], bar: str) -> Taken:
    await questions[0]()  # statements are prepared once per connection
    times, rows = [], 0
    for ask in questions:
        started = time.perf_counter()
        rows += await ask()
        times.append((time.perf_counter() - started) * 1_000)
    times.sort()
    middle, late = times[len(times) // 2], times[int(len(times) * 0.95)]
    return Taken(name, bar, times[0], middle, late, times[-1], rows / len(questions))


async def measure(database: str, url: str, store: Store, record: Record, asked: int) -> Measured:
    """Fill the rest of the index, then ask."""
    left = record.size - await store.ledger.indexed_size()
    started, used = time.perf_counter(), _cpu()
    await EntryIndexer(store).finish()
    taken = time.perf_counter() - started
    found = Measured(database, record.size, left, left / taken, (_cpu() - used) / left * 1e6)
    before = os.getloadavg()[0]
    questions = Questions(store, record, asked)
    for bar, by_name in (("key", questions.by_key()), ("proof", questions.proofs()), ("page", questions.of_range())):
        for name, many in by_name.items():
            found.taken.append(await _timed(name, many, bar))
            found.plans += [(name, *one) for one in await plans_of(database, url, store, many[len(many) // 2])]
    found.load = (before, os.getloadavg()[0])
    found.sums_s = await questions.sums()
    return found


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _run(databases: Sequence[str], entries: int, asked: int, output: Path) -> None:
    """Both records are written at once, and then asked one after the other."""
    measured: list[Measured] = []
    async with records(databases, entries) as (urls, record):
        for database, url in urls.items():
            await asyncio.to_thread(read_through, url)
            store = await open_store(url)
            try:
                found = await measure(database, url, store, record, asked)
            finally:
                await store.close()
            found.bytes_used = await sizes_of(database, url)
            measured.append(found)
            # after each of them: a run of ten million takes its time, and may be cut off
            _write(output, report(measured, asked))


def _write(output: Path, text: str) -> None:
    output.write_text(text)


def main() -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--asked", type=int, default=200)
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "ledger_queries.md")
    arguments = parser.parse_args()
    arguments.output.parent.mkdir(exist_ok=True)
    asyncio.run(_run(arguments.databases.split(","), arguments.entries, arguments.asked, arguments.output))


if __name__ == "__main__":
    main()
