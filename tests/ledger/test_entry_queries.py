"""Filters over the index beside a slow filter over decoded entries; pages while the ledger grows; sums; as of then."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.entry_filter import EntryFilter
from gateway.domain.indexed_entries import BLOCK, PlacedBody, decimal_of, indexed
from gateway.domain.queries import Visible
from gateway.ledger.entry_indexer import BATCH
from gateway.ledger.entry_pages import Asked, all_rows, read_page
from gateway.ledger.entry_sums import sum_up
from gateway.store.store import Store
from tests.ledger.entry_world import DOMAINS, ENDS, PERSONS, PLACES, START, UNITS, VERSIONS, EntryWorld
from tests.ledger.logs import ORIGIN

FILTERS = 120
OF = {
    "kind": "kind",
    "actor": "actor",
    "domain": "domain",
    "business_unit": "businessUnit",
    "geography": "geography",
    "company_code": "companyCode",
    "operation": "operation",
    "system_id": "systemId",
}
VALUES: dict[str, list[Any]] = {
    "kind": ["accepted", "routed", "posted", "rejected", "gate_waived", "overlay_set", "overlay_lifted", "activated"],
    "actor": ["salesforce", "billing", "console", "nobody"],
    "person": [*PERSONS, "0" * 64],
    "system_id": ["legacy-main", "cloud-main"],
    "rule_row": ["r1", "r2", "r3", "r9"],
    "table_version": VERSIONS,
    "activation_number": [1, 2, 3, 9],
    "domain": [*DOMAINS, "customers"],
    "business_unit": list(UNITS),
    "geography": list(PLACES),
    "company_code": ["1000", "2000"],
    "operation": ["create", "change"],
}


def _matches(entry: dict[str, Any], where: EntryFilter, visible: Visible) -> bool:
    """As the documentation says it, on the entry itself."""
    rule = entry.get("rule", {})
    for name, values in where.conditions().items():
        if name == "person":
            if not entry["persons"] & values:
                return False
            continue
        special = {
            "rule_row": rule.get("row"),
            "table_version": rule.get("tableVersion"),
            "activation_number": rule.get("activationNumber"),
            "trace": entry["trace"],
        }
        if (special[name] if name in special else entry.get(OF[name])) not in values:
            return False
    if where.at_from is not None and entry["at"] < where.at_from:
        return False
    if where.at_until is not None and entry["at"] >= where.at_until:
        return False
    return all(
        nodes is None or entry[name] in nodes
        for name, nodes in (("businessUnit", visible.business_units), ("geography", visible.geographies))
    )


def _filter(chance: random.Random, world: EntryWorld) -> tuple[EntryFilter, Visible]:
    conditions: dict[str, Any] = {
        name: frozenset(chance.sample(VALUES[name], chance.randrange(1, 3)))
        for name in chance.sample(sorted(VALUES), chance.randrange(4))
    }
    if chance.random() < 0.15:
        conditions["trace"] = frozenset(chance.sample(sorted(world.transactions), 3))
    if chance.random() < 0.4:
        conditions["at_from"] = chance.randrange(START, world.at)
    if chance.random() < 0.4:
        conditions["at_until"] = chance.randrange(START, world.at)
    visible = Visible()
    if chance.random() < 0.3:
        visible = Visible(frozenset(chance.sample(UNITS, 2)), frozenset(chance.sample(PLACES, 2)))
    return EntryFilter(**conditions), visible


async def _pages(store: Store, asked: Asked, limit: int, budget_s: float = 10.0) -> list[int]:
    found, after = [], -1
    while True:
        page = await read_page(store.ledger, asked, after, limit, budget_s)
        assert len(page.rows) <= limit
        found += [one.log_index for one in page.rows]
        if page.next_after is None:
            return found
        assert page.next_after > after
        after = page.next_after


async def test_filters_find_what_a_slow_filter_over_decoded_entries_finds(store: Store, tmp_path: Path) -> None:
    world = EntryWorld.on(store, tmp_path, 1)
    await world.grow(1_500)
    entries = await world.decoded()
    assert len(entries) > 5 * BLOCK
    chance, sizes = random.Random(2), []
    for _ in range(FILTERS):
        where, visible = _filter(chance, world)
        end = chance.choice([len(entries), len(entries), chance.randrange(len(entries))])
        wanted = [one["logIndex"] for one in entries[:end] if _matches(one, where, visible)]
        asked = Asked(where=where, end=end, visible=visible)
        assert await _pages(store, asked, chance.choice([7, 50, 200]), chance.choice([0.0, 10.0])) == wanted, where
        parts = [one.log_index async for rows in all_rows(store.ledger, asked) for one in rows]
        assert parts == wanted, where
        sizes.append(len(wanted))
    assert sum(size > 0 for size in sizes) > FILTERS / 4  # or the test says nothing
    assert len(set(sizes)) > 10


async def test_pages_are_stable_while_the_ledger_grows(store: Store, tmp_path: Path) -> None:
    world = EntryWorld.on(store, tmp_path, 3)
    await world.grow(300)
    where = EntryFilter(kind=frozenset({"posted", "gate_waived"}), geography=frozenset({"DE", "FR"}))
    found, after, first_pages = [], -1, []
    for turn in range(6):
        end = await store.ledger.indexed_size()
        page = await read_page(store.ledger, Asked(where=where, end=end), after, 20, 10.0)
        found += [one.log_index for one in page.rows]
        first = await read_page(store.ledger, Asked(where=where, end=end), -1, 20, 10.0)
        first_pages.append([one.log_index for one in first.rows])
        assert page.next_after is not None
        after = page.next_after
        await world.grow(60 if turn % 2 else 10)
    assert all(one == first_pages[0] for one in first_pages)
    whole = await _pages(store, Asked(where=where, end=await store.ledger.indexed_size()), 200)
    assert found == whole[: len(found)]
    assert len(set(found)) == len(found)


async def test_what_is_not_indexed_yet_is_found_later_and_nothing_is_found_twice(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = EntryWorld.on(store, tmp_path, 4)
    await world.grow(300, indexed=False)
    size = await store.ledger.log_size()
    assert await store.ledger.indexed_size() == 0
    # three processes at once, all of which have looked: two wait for the other's row, and see that they came too late
    read, looked = store.ledger.placed_bodies, asyncio.Barrier(3)

    async def placed_bodies(first: int, end: int) -> Any:
        await looked.wait()
        return await read(first, end)

    with monkeypatch.context() as patched:
        patched.setattr(store.ledger, "placed_bodies", placed_bodies)
        async with asyncio.timeout(30):
            done = await asyncio.gather(world.indexer.turn(), world.indexer.turn(), world.indexer.turn())
    assert sum(done) == BATCH
    await asyncio.gather(world.indexer.finish(), world.indexer.finish())
    assert await store.ledger.indexed_size() == size
    found = await _pages(store, Asked(where=EntryFilter(), end=size), 200)
    assert found == list(range(size))


async def test_counts_and_sums_are_exact(store: Store, tmp_path: Path) -> None:
    world = EntryWorld.on(store, tmp_path, 5)
    await world.grow(900)
    entries = await world.decoded()
    where = EntryFilter(domain=frozenset({"orders", "invoices"}))
    asked = Asked(where=where, end=len(entries))
    counts: dict[tuple[Any, ...], int] = defaultdict(int)
    sums: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for one in entries:
        if _matches(one, where, Visible()):
            key = (one["geography"], one.get("systemId"))
            counts[key] += 1
            money = one.get("confirmed") or one.get("facts")
            if money is not None:
                sums[*key, one["kind"], money["currencyCode"]] += Decimal(money["amount"])
    groups = await sum_up(store.ledger, asked, ["geography", "system_id"])
    assert {one.key: one.entries for one in groups} == counts
    assert {(*one.key, s.kind, s.currency_code): s.amount for one in groups for s in one.sums} == sums
    (whole,) = await sum_up(store.ledger, asked, [])
    assert whole.entries == sum(counts.values())
    months = await sum_up(store.ledger, asked, ["month"])
    assert {key for one in months for key in one.key} == {"2026-09"}


async def test_transactions_without_an_end_now_and_then(store: Store, tmp_path: Path) -> None:
    world = EntryWorld.on(store, tmp_path, 6)
    await world.grow(400)
    entries = await world.decoded()
    chance = random.Random(7)
    for size in (len(entries), *(chance.randrange(1, len(entries)) for _ in range(20))):
        begun = {one["trace"]: one["logIndex"] for one in entries[:size] if one["kind"] == "accepted"}
        ended = {one["trace"] for one in entries[:size] if one["kind"] in ENDS}
        wanted = [trace for trace in sorted(begun, key=lambda one: begun[one]) if trace not in ended]
        found, after = [], -1
        while page := await store.ledger.under_way(size, Visible(), after, 7):
            found += [one.trace for one in page]
            after = page[-1].first_index
        assert found == wanted
    western = Visible(frozenset({"Western"}), None)
    seen = [one.trace for one in await store.ledger.under_way(len(entries), western, -1, 1_000)]
    assert seen
    assert {world.transactions[one].business_unit for one in seen} == {"Western"}


async def test_what_was_known_at_an_instant(store: Store, tmp_path: Path) -> None:
    world = EntryWorld.on(store, tmp_path, 8)
    sizes = [(world.log.clock.at, 0)]
    assert await store.ledger.kept_since(ORIGIN) is None
    for _ in range(4):
        world.log.clock.at += 60_000_000
        await world.grow(20)
        sizes.append((world.log.clock.at, await store.ledger.log_size()))
    for at, size in sizes:
        assert await store.ledger.known_at(ORIGIN, at) == size
        assert await store.ledger.known_at(ORIGIN, at + 1_000) == size
    assert await store.ledger.kept_since(ORIGIN) == sizes[1][0]


@pytest.mark.parametrize("amount", ["-0.01", "0", "999999999999999.999999", "12.5"])
def test_amounts_are_parted_and_put_together_exactly(amount: str) -> None:
    body = f'{{"actor":"a","confirmed":{{"amount":"{amount}","currencyCode":"EUR"}}}}'.encode()
    row = indexed(PlacedBody(0, "t", 1, "posted", 1, body, None, None, None, None, None))
    assert row.amount_units is not None
    assert row.amount_millionths is not None
    assert decimal_of(row.amount_units, row.amount_millionths) == Decimal(amount)
