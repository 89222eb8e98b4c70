"""The views of operations equal a slow and simple reckoning, on both databases."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import pytest

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.operational_views import (
    Grouping,
    TraceCounts,
    UseCounts,
    View,
    ViewFilter,
    ViewRow,
    ViewTooWide,
    month_start,
    months_of,
)
from gateway.domain.queries import Visible
from gateway.domain.transaction import Status
from gateway.store import operational_views
from gateway.store.store import Store, StoreUnit
from tests.line.rig import START, Rig
from tests.store.made import a_transaction, new_id
from tests.store.operations_world import EVERYTHING, Operations

ALL = tuple(Grouping)
DAY = 86_400_000_000
EVER = ViewFilter(accepted_from=START - DAY, accepted_until=START + 300 * DAY)
ASKED: Sequence[tuple[ViewFilter, Sequence[Grouping], Visible]] = (
    (EVER, ALL, EVERYTHING),
    (EVER, (), EVERYTHING),
    (EVER, (Grouping.SIDE,), EVERYTHING),
    (ViewFilter(accepted_from=START + 3 * DAY, accepted_until=START + 40 * DAY), (Grouping.MONTH,), EVERYTHING),
    (ViewFilter(accepted_from=START, accepted_until=EVER.accepted_until, side="cloud"), ALL, EVERYTHING),
    (ViewFilter(accepted_from=START, accepted_until=EVER.accepted_until, domain="orders"), ALL, EVERYTHING),
    (EVER, (Grouping.SLICE,), Visible(frozenset({"Northern"}), None)),
    (
        ViewFilter(
            accepted_from=START, accepted_until=EVER.accepted_until, business_units=frozenset({"Western"}),
            geographies=frozenset({"US"}),
        ),
        ALL,
        EVERYTHING,
    ),
)  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_views_equal_a_simple_reckoning(store: Store, seed: int) -> None:
    world = Operations(await Rig.on(store), random.Random(seed))
    await world.grow(25)
    await world.read()
    whole = world.views(EVER, (), EVERYTHING)
    for view in View:  # there is something to be seen of each
        assert sum(row[0] for row in whole[view].values()) > 3, view
    assert sum(row[1] for row in whole["recovery-time"].values()) > 3
    for where, by, visible in ASKED:
        expected = world.views(where, by, visible)
        for view in View:
            rows = await store.ledger.view(view, where, visible, by)
            assert {_key(one): _rest(one) for one in rows} == expected[view], (view, where, by)
            assert len(rows) == len(expected[view])


def _key(row: ViewRow) -> Any:
    return (row.key, row.client, row.source, row.operation) if isinstance(row, UseCounts) else row.key


def _rest(row: ViewRow) -> tuple[Any, ...]:
    return astuple(row)[4 if isinstance(row, UseCounts) else 1 :]


def _entry(trace: str, seq: int, kind: EntryKind, **members: Any) -> Any:
    return ledger_entry(kind, trace=trace, seq=seq, at=START + seq, actor="test", members=members)


NUMBERED = {"erp": {"documentNumber": "4500000017"}}


@pytest.mark.parametrize(
    ("status", "count", "entries", "expected"),
    [
        ("posted", 2, [(1, "accepted", {}), (2, "posted", NUMBERED)], (1, 0, 0, 0)),
        ("posted", 2, [(1, "accepted", {}), (2, "posted", {"erp": {"reference": "documentNumber"}})], (0, 0, 0, 1)),
        ("posted", 3, [(1, "accepted", {}), (3, "posted", NUMBERED)], (0, 0, 1, 0)),
        ("posted", 3, [(1, "accepted", {}), (2, "posted", NUMBERED)], (0, 0, 1, 0)),
        ("posted", 2, [(1, "accepted", {}), (2, "dispatched", {})], (0, 0, 1, 0)),
        ("posted", 2, [(1, "routed", {}), (2, "posted", NUMBERED)], (0, 0, 1, 0)),
        ("rejected", 0, [], (0, 0, 1, 0)),
        ("rejected", 3, [(1, "accepted", {}), (2, "rejected", {}), (3, "replayed", {})], (1, 0, 0, 0)),
        ("dispatched", 2, [(1, "accepted", {}), (2, "dispatched", {})], (0, 1, 0, 0)),
    ],
)
async def test_what_makes_a_trace_complete(
    store: Store, status: str, count: int, entries: list[Any], expected: tuple[int, ...]
) -> None:
    record = a_transaction(
        transaction_id=new_id("txn"), status=Status(status), accepted_at=START, updated_at=START, entry_count=count
    )

    async def unit(unit: StoreUnit) -> None:
        await unit.insert_transaction(record)
        await unit.insert_entries(
            [_entry(record.transaction_id, seq, EntryKind(kind), **members) for seq, kind, members in entries]
        )

    await store.write(unit)
    (row,) = await store.ledger.view(View.COMPLETE_TRACES, EVER, EVERYTHING, ())
    assert isinstance(row, TraceCounts)
    assert (row.complete, row.not_ended, row.with_gap, row.without_number) == expected


@pytest.mark.parametrize("name", ["MOST_ACCEPTED", "MOST_VIEWED", "MOST_ROWS"])
async def test_what_is_too_wide_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    made = [
        a_transaction(transaction_id=new_id("txn"), accepted_at=START + place, business_unit=f"U{place}")
        for place in range(4)
    ]

    async def unit(unit: StoreUnit) -> None:
        for one in made:
            await unit.insert_transaction(one)

    await store.write(unit)
    monkeypatch.setattr(operational_views, name, 4)
    assert len(await store.ledger.view(View.API_USE, EVER, EVERYTHING, ALL)) == 4
    monkeypatch.setattr(operational_views, name, 3)
    with pytest.raises(ViewTooWide):
        await store.ledger.view(View.API_USE, EVER, EVERYTHING, ALL)


def test_months() -> None:
    december = 1_701_388_800_000_000
    assert month_start(december - 1) == 1_698_796_800_000_000
    assert month_start(december) == december
    assert months_of(december - 1, december) == [("2023-11", december)]
    assert [name for name, _ in months_of(december - 1, december + 1)] == ["2023-11", "2023-12"]
    assert [name for name, _ in months_of(december, december + 40 * DAY)] == ["2023-12", "2024-01"]
