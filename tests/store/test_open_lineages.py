"""What the store finds open is what the pure rule calls open, on both databases."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from gateway.domain.open_lineages import DAY, OpenFilter, Reason, age_of, total_of
from gateway.domain.queries import Visible
from gateway.store.store import Store
from tests.store.made import NOW, a_document, a_lineage, a_pin
from tests.store.open_worlds import World, make_world

ALL = Visible()


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_every_lineage_is_open_for_the_reasons_and_amounts_of_the_rule(store: Store, seed: int) -> None:
    world = make_world(seed)
    await store.write(world.write)
    found: dict[str, Counter[tuple[str, str | None, Decimal]]] = {}
    for row in await store.reads.open_lineages(OpenFilter(), ALL, 1_000, None):
        root = next(one for one in world.lineages if one.lineage_id == row.lineage_id).root_document_id
        document = next(one for one in world.documents if one.document_id == root)
        assert (row.domain, row.business_unit, row.geography, row.customer_id, row.created_at) == (
            document.domain, document.business_unit, document.geography, document.customer_id, document.created_at,
        )  # fmt: skip
        pin = world.pins.get(row.lineage_id)
        assert (row.side, row.system_id) == ((pin.side, pin.system_id) if pin else (None, None))
        found.setdefault(row.lineage_id, Counter())[row.reason, row.currency_code, row.amount] = row.parts
    assert found == {
        lineage.lineage_id: expected for lineage in world.lineages if (expected := _expected(world, lineage))
    }
    assert len(found) > 20


def _expected(world: World, lineage: object) -> Counter[tuple[str, str | None, Decimal]]:
    state = world.state(lineage)  # type: ignore[arg-type]
    amounts: dict[tuple[str, str | None], Decimal] = {}
    counts: Counter[tuple[str, str | None]] = Counter()
    for part in state.parts:
        key = (part.reason.value, part.currency_code)
        amounts[key] = amounts.get(key, Decimal(0)) + (part.amount or 0)
        counts[key] += 1
    if state.transaction_ids:
        key = (Reason.TRANSACTION_NOT_ENDED.value, None)
        amounts[key], counts[key] = Decimal(0), len(state.transaction_ids)
    return Counter({(*key, amounts[key]): count for key, count in counts.items()})


@pytest.mark.parametrize("seed", [5, 6])
async def test_groups_count_each_lineage_once_and_sum_exactly(store: Store, seed: int) -> None:
    world = make_world(seed)
    await store.write(world.write)
    states = [(world.root(one), world.pins.get(one.lineage_id), world.state(one)) for one in world.lineages]
    for where in (
        OpenFilter(),
        OpenFilter(domain="orders", business_units=frozenset({"East"})),
        OpenFilter(side="legacy", geographies=frozenset({"DE"})),
        OpenFilter(system_id="cloud-main"),
    ):
        groups = await store.reads.open_groups(where, ALL, NOW)
        chosen = [
            (root, state)
            for root, pin, state in states
            if state.is_open
            and where.domain in {None, root.domain}
            and (where.business_units is None or root.business_unit in where.business_units)
            and (where.geographies is None or root.geography in where.geographies)
            and where.side in {None, pin.side if pin else ""}
            and where.system_id in {None, pin.system_id if pin else ""}
        ]
        assert sum(one.lineages for one in groups) == len(chosen)
        ages = Counter(age_of(root.created_at, NOW) for root, _ in chosen)
        by_age: Counter[int] = Counter()
        for one in groups:
            by_age[one.age] += one.lineages
        assert +by_age == ages
        totals: dict[str, Decimal] = {}
        for _, state in chosen:
            for currency, amount in state.amounts.items():
                totals[currency] = totals.get(currency, Decimal(0)) + amount
        assert total_of(groups) == totals


async def test_pages_hold_whole_lineages_and_follow_each_other(store: Store) -> None:
    world = make_world(7)
    await store.write(world.write)
    everything = await store.reads.open_lineages(OpenFilter(), ALL, 1_000, None)
    seen, after = [], None
    while page := await store.reads.open_lineages(OpenFilter(), ALL, 7, after):
        assert len({one.lineage_id for one in page}) <= 7
        seen += page
        after = page[-1].lineage_id
    assert seen == list(everything)


async def test_what_is_not_visible_is_not_counted(store: Store) -> None:
    world = make_world(8)
    await store.write(world.write)
    east = Visible(business_units=frozenset({"East"}))
    assert {one.business_unit for one in await store.reads.open_groups(OpenFilter(), east, NOW)} == {"East"}
    assert {one.business_unit for one in await store.reads.root_groups(OpenFilter(), east)} == {"East"}
    nothing = Visible(business_units=frozenset())
    assert await store.reads.open_groups(OpenFilter(), nothing, NOW) == []


async def test_customers_open_on_both_sides(store: Store) -> None:
    world = make_world(9)
    await store.write(world.write)
    sides: dict[str, set[str]] = {}
    opened = []
    for lineage in world.lineages:
        pin, root, state = world.pins.get(lineage.lineage_id), world.root(lineage), world.state(lineage)
        if pin and state.is_open and root.customer_id:
            sides.setdefault(root.customer_id, set()).add(pin.side)
            opened.append((pin.side, root.customer_id, state))
    both = {customer for customer, found in sides.items() if len(found) == 2}
    assert both
    for row in await store.reads.open_in_both(OpenFilter(), ALL):
        of_side = [state for side, customer, state in opened if side == row.side and customer in both]
        if row.currency_code is not None:
            assert row.amount == sum((one.amounts.get(row.currency_code, Decimal(0)) for one in of_side), Decimal(0))


async def test_a_customer_who_is_open_on_one_side_only_is_not_in_both(store: Store) -> None:
    one = a_lineage(lineage_id="lin_1", root_document_id="doc_1")
    order = a_document(document_id="doc_1", amount="5", currency_code="EUR", customer_id="doc_c")

    async def write(unit: object) -> None:
        await unit.insert_lineage(one)  # type: ignore[attr-defined]
        await unit.insert_pin(a_pin("lin_1"))  # type: ignore[attr-defined]
        await unit.insert_document(order)  # type: ignore[attr-defined]

    await store.write(write)
    assert await store.reads.open_in_both(OpenFilter(), ALL) == []


async def test_days_tell_when_lineages_came_and_closed(store: Store) -> None:
    world = make_world(10)
    await store.write(world.write)
    since = NOW - 20 * DAY
    days = await store.reads.days(OpenFilter(), ALL, since)
    assert sum(one.came for one in days) == len(world.lineages)
    closed = [one for one in world.lineages if not world.state(one).is_open]
    assert sum(one.closed for one in days) == len(closed)
    came = Counter(max(world.root(one).created_at // DAY, since // DAY - 1) for one in world.lineages)
    assert {one.day: one.came for one in days if one.came} == dict(came)


async def test_roots_are_counted_with_their_amounts(store: Store) -> None:
    world = make_world(11)
    await store.write(world.write)
    groups = await store.reads.root_groups(OpenFilter(), ALL)
    assert sum(one.roots for one in groups) == len(world.lineages)
    euros = sum(
        (Decimal(root.amount or 0) for one in world.lineages if (root := world.root(one)).currency_code == "EUR"),
        Decimal(0),
    )
    assert total_of(groups)["EUR"] == euros
