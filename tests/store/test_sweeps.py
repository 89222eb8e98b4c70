"""What the sweep asks: what stands still by its trace, and what may stand in an ERP twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.records import StepRecord
from gateway.domain.transaction import Status
from gateway.store import sweeps
from gateway.store.store import Store, StoreUnit
from tests.store.made import NOW, a_step, a_transaction

SECOND = 1_000_000


async def stands(store: Store, status: Status, *told: tuple[str, int], **changes: Any) -> str:
    """A transaction of a trace: kinds, and how many seconds ago."""
    record = a_transaction(
        status=status, accepted_at=NOW - told[0][1] * SECOND, updated_at=NOW, entry_count=len(told), **changes
    )
    entries = [
        ledger_entry(EntryKind(kind), trace=record.transaction_id, seq=seq, at=NOW - ago * SECOND, actor="gateway")
        for seq, (kind, ago) in enumerate(told, 1)
    ]

    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(record)
        await unit.insert_entries(entries)

    await store.write(write)
    return record.transaction_id


SENT = (("accepted", 2_000), ("routed", 2_000), ("dispatched", 2_000))
RELEASED = (("released", 1), ("routed", 1), ("dispatched", 1))


@pytest.mark.parametrize(
    ("status", "told", "long"),
    [
        ("dispatched", [*SENT], True),
        ("dispatched", [*SENT, ("dispatched", 1_200), ("dispatched", 60), ("dispatched", 1)], True),
        ("dispatched", [*SENT, ("dispatched", 60), ("exception_moved", 1)], True),
        ("dispatched", [("accepted", 800), ("routed", 800), ("dispatched", 800)], False),
        (
            "dispatched",
            [("accepted", 9_000), ("held", 9_000), ("released", 1), ("routed", 1), ("dispatched", 1)],
            False,
        ),
        ("dispatched", [*SENT, ("unknown", 1_900), ("inquired", 1), ("dispatched", 1)], False),
        ("dispatched", [*SENT, ("posted", 300), ("dispatched", 300), ("dispatched", 1)], False),
        ("unknown", [*SENT, ("unknown", 1), ("inquired", 1)], True),
        ("unknown", [("accepted", 9_000), ("waiting", 9_000), ("routed", 1), ("dispatched", 1), ("unknown", 1)], False),
        ("waiting", [("accepted", 2_000), ("waiting", 2_000), ("exception_opened", 1)], True),
        ("accepted", [("accepted", 2_000)], True),
        ("compensating", [*SENT, ("rejected", 1_000), ("compensating", 1_000), ("dispatched", 1)], True),
        ("compensating", [*SENT, ("rejected", 10), ("compensating", 10), ("dispatched", 1)], False),
        ("compensating", [*SENT, ("compensating", 1_500), ("in_doubt", 1_400), ("compensating", 2)], False),
    ],
)
async def test_it_stands_since_the_first_of_what_it_still_does(
    store: Store, status: str, told: list[tuple[str, int]], long: bool
) -> None:
    one = await stands(store, Status(status), *told)
    before = NOW - 900 * SECOND
    assert await store.reads.long_in(Status(status), before, 10) == int(long)
    unseen = await store.reads.unseen_long_in(Status(status), before, 10)
    assert [found.transaction_id for found in unseen] == [one] * long


async def test_what_a_person_sees_is_counted_only(store: Store) -> None:
    await stands(store, Status.DISPATCHED, *SENT, exception_id="exc_1")
    fresh = [await stands(store, Status.DISPATCHED, *SENT) for _ in range(3)]
    before = NOW - 900 * SECOND
    assert await store.reads.long_in(Status.DISPATCHED, before, 10) == 4
    assert await store.reads.long_in(Status.DISPATCHED, before, 2) == 2
    unseen = await store.reads.unseen_long_in(Status.DISPATCHED, before, 2)
    assert [one.transaction_id for one in unseen] == fresh[:2]


async def with_step(store: Store, **changes: Any) -> StepRecord:
    record = a_transaction(status=Status.POSTED)
    values = {"state": "posted", "attempt": 2, "once_unknown": 1} | changes
    step = a_step(record.transaction_id, **values)

    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(record)
        await unit.insert_step(step)

    await store.write(write)
    return step


async def test_those_sent_at_the_same_instant_are_read_one_page_after_the_other(store: Store) -> None:
    for changes in ({"once_unknown": 0}, {"attempt": 1}, {"state": "unknown"}, {"system_id": "cloud-main"}):
        await with_step(store, **changes)
    steps = [await with_step(store) for _ in range(5)]
    after, read = (0, ""), []
    while found := await store.reads.sent_again("legacy-main", after, NOW, 2):
        read += [one.transaction_id for one in found]
        after = found[-1].dispatched_at, found[-1].transaction_id
    assert read == [one.transaction_id for one in steps]


async def test_what_stands_twice_is_read_by_when_it_was_asked_last(store: Store) -> None:
    await with_step(store)
    await with_step(store, twice_at=NOW, system_id="cloud-main")
    later, first = await with_step(store, twice_at=NOW + 2), await with_step(store, twice_at=NOW + 1)
    found = await store.reads.posted_twice("legacy-main", NOW + 2, 9)
    assert [one.transaction_id for one in found] == [first.transaction_id, later.transaction_id]
    assert len(await store.reads.posted_twice("legacy-main", NOW + 1, 9)) == 1


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        (sweeps._LONG[Status.DISPATCHED], ("transactions_open_by_status", "ledger_entries_1")),
        (sweeps._LONG_UNSEEN[Status.WAITING], ("transactions_open_by_status", "ledger_entries_1")),
        (sweeps._SENT_AGAIN, ("steps_sent_again",)),
        (sweeps._POSTED_TWICE, ("steps_posted_twice",)),
    ],
)
async def test_they_are_served_by_indexes(sqlite_url: str, query: Any, indexes: tuple[str, ...]) -> None:
    connection = sqlite3.connect(Path(sqlite_url.removeprefix("sqlite:///")))
    sql = query.sqlite.sql
    plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", [1] * sql.count("?")))
    connection.close()
    assert all(name in plan for name in indexes), plan
    assert "TEMP B-TREE" not in plan
