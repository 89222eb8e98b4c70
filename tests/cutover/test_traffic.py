"""Recorded traffic read back from the ledger: what, in which order, and exactly which entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from gateway.cutover.traffic import OpenMoney, RecordedTraffic
from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.records import ActivationRecord
from gateway.store.store import Store, StoreUnit
from routing_rules import RecordedDocument, Rulebook
from tests.cutover.recorded import DAY, MINUTE, NOON, record, routed
from tests.rules.specs import GROUND
from tests.rules.traffic import BASE, book
from tests.store.made import a_transaction

PILOT = "west,,A,,,,,,,,pilot,old,new,50,,,"


async def _read(
    store: Store,
    most: int = 2,
    since: int = NOON,
    until: int = NOON + DAY,
    candidate: Rulebook | None = None,
    **how: Any,
) -> tuple[list[RecordedDocument], RecordedTraffic]:
    in_force = book(BASE)
    traffic = RecordedTraffic(store.reads, in_force, candidate or in_force, since, until, **how)
    return [one async for page in traffic.pages(most) for one in page], traffic


async def test_the_window_is_read_by_time_over_pages_and_nothing_else(store: Store) -> None:
    late = routed(1, at=NOON + 9 * MINUTE)  # accepted first and routed last
    inside = [routed(number) for number in range(2, 7)]
    others = [
        routed(8, at=NOON - 1),
        routed(9, at=NOON + DAY),
        ledger_entry(EntryKind.ACCEPTED, trace="txn_x", seq=1, at=NOON + 1, actor="billing"),
    ]
    await record(store, *others, late, *reversed(inside))
    found, traffic = await _read(store)
    assert [one.transaction_id for one in found] == [one.trace for one in [*inside, late]]
    assert [one.minute for one in found] == [one.at // MINUTE for one in [*inside, late]]
    assert traffic.position.entries == 6
    assert traffic.position.last is not None
    assert traffic.position.last.trace == late.trace
    again, other = await _read(store, most=100)
    assert again == found
    assert other.position == traffic.position
    _, fewer = await _read(store, until=late.at)
    assert fewer.position.leaves_hash != traffic.position.leaves_hash
    assert await store.reads.count_routed(NOON, NOON + DAY) == 6


async def test_entries_of_the_same_microsecond_are_all_read_once(store: Store) -> None:
    entries = [routed(number, at=NOON + 5) for number in range(1, 6)]
    await record(store, *entries)
    for most in (1, 2, 5):
        found, _ = await _read(store, most=most)
        assert [one.transaction_id for one in found] == [one.trace for one in entries]


async def test_facts_and_pins_are_those_of_the_entry(store: Store) -> None:
    root = routed(1, "lin_a", customerSegment="S1", documentType="T1")
    child = routed(2, "lin_a", pinned=True, systemId="old", domain="invoices", seq=3)
    kept = routed(3, systemId="gateway")
    bare = routed(4, amount=None, currencyCode=None, postingDate=None, companyCode=None, bucket=None)
    await record(store, root, child, kept, bare)
    (first, second, third, fourth), _ = await _read(store)
    facts = first.facts
    assert (facts.domain, facts.business_unit, facts.geography, facts.company_code) == ("orders", "A1", "DE", "C1")
    assert (facts.customer_segment, facts.document_type, facts.amount) == ("S1", "T1", Decimal("100.00"))
    assert (facts.recorded_bucket, facts.recorded_allow_hit) == (4_000, False)
    assert (first.is_root, first.pinned_system, first.lineage_id, first.calls) == (True, None, "lin_a", 1)
    assert (second.is_root, second.pinned_system, second.lineage_id) == (False, "old", "lin_a")
    assert third.calls == 0
    assert (fourth.facts.amount, fourth.facts.posting_date, fourth.period, fourth.undetermined) == (
        None,
        None,
        None,
        (),
    )


async def test_what_was_routed_twice_counts_where_it_was_routed_first(store: Store) -> None:
    waited = routed(2, seq=3)
    await record(store, routed(1), routed(1, seq=5, pinned=True, at=NOON + 10 * MINUTE), waited)
    found, traffic = await _read(store)
    assert [one.is_root for one in found] == [True, True]
    assert traffic.position.entries == 3
    only_second, _ = await _read(store, since=NOON + 9 * MINUTE)
    assert only_second == []


async def test_an_unknown_schema_or_broken_facts_are_undetermined_with_their_money(store: Store) -> None:
    await record(
        store,
        routed(1, schemaVersion=2),
        routed(2, amount="much"),
        routed(3, bucket=10_000),
        routed(4, domain=None),
        routed(5, postingDate="31.3.2026"),
        routed(6, schemaVersion=None),
        routed(7, amount="NaN"),
    )
    found, _ = await _read(store)
    assert [one.undetermined for one in found] == [
        ("schema_version",),
        ("facts",),
        ("facts",),
        ("facts",),
        ("facts",),
        ("schema_version",),
        ("facts",),
    ]
    assert [one.facts.amount for one in found] == [100, None, 100, 100, 100, 100, None]
    assert {one.facts.currency for one in found} == {"EUR"}


async def test_the_fiscal_period_is_that_of_the_company_codes_calendar(store: Store) -> None:
    await record(store, routed(1), routed(2, companyCode="C9"))
    data = {"id": "april", "fiscal_year_starts": "04-01", "period": "month"}
    fiscal = book(BASE)
    (code,) = [one for one in fiscal.company_codes.values() if one.id == "C1"]
    governance = replace(fiscal.governance, calendars=(data,), company_codes={"C1": replace(code, calendar="april")})
    found, _ = await _read(store, candidate=replace(fiscal, governance=governance))
    assert [one.period for one in found] == ["2025-12", None]


class _Opened:
    def __init__(self, found: Mapping[str, OpenMoney]) -> None:
        self.found = found
        self.asked: list[str] = []

    async def open_money(self, lineage_ids: Sequence[str]) -> Mapping[str, OpenMoney]:
        self.asked += lineage_ids
        return {name: self.found[name] for name in lineage_ids if name in self.found}


async def test_one_document_of_a_lineage_tells_what_is_open(store: Store) -> None:
    opened = _Opened({"lin_a": OpenMoney("c1", "EUR", Decimal(40)), "lin_b": OpenMoney("c2", "USD", Decimal(5))})
    await record(
        store,
        routed(1, "lin_a"),
        routed(2, "lin_b"),
        routed(3, "lin_a", pinned=True),
        routed(4, "lin_a", pinned=True),
    )
    found, _ = await _read(store, opened=opened)
    assert [(one.customer, one.open_amount) for one in found] == [("c1", 40), (None, None), (None, None), (None, None)]


class _Activations:
    def __init__(self, **by_number: Rulebook) -> None:
        self._known = {int(name[1:]): rulebook for name, rulebook in by_number.items()}

    async def activation(self, activation_number: int) -> ActivationRecord | None:
        rulebook = self._known.get(activation_number)
        text = None if rulebook is None else rulebook.canonical_json().decode()
        return None if text is None else ActivationRecord(activation_number, "", "", 0, "", text, "")


async def test_a_bucket_made_of_another_key_is_undetermined_where_a_share_asks_for_it(store: Store) -> None:
    by_document = GROUND + "share_by: {orders: document}\n"
    known = _Activations(n1=book(BASE), n2=book(BASE, yaml=by_document))
    await record(
        store,
        routed(1),
        routed(2, rule={"activationNumber": 2}),
        routed(3, rule={"activationNumber": 9}),
        routed(4, pinned=True, rule={"activationNumber": 2}),
    )
    found, _ = await _read(store, activations=known, candidate=book(BASE, PILOT))
    assert [one.undetermined for one in found] == [(), ("bucket",), ("bucket",), ()]
    unasked, _ = await _read(store, activations=known)
    assert [one.undetermined for one in unasked] == [(), (), (), ()]


async def test_roots_are_named_where_a_list_has_a_say_and_their_names_were_not_erased(store: Store) -> None:
    root, erased, child = routed(1), routed(2), routed(3, pinned=True)
    await record(store, root, erased, child)

    async def write(unit: StoreUnit) -> None:
        for one, name in ((root, "X1"), (erased, None), (child, "INV-X1")):
            await unit.insert_transaction(a_transaction(transaction_id=one.trace, external_id=name))

    await store.write(write)
    found, _ = await _read(store, candidate=book(BASE, PILOT.replace("50,,", "50,X1,")))
    assert [one.facts.root_external_id for one in found] == ["X1", None, None]
    unasked, _ = await _read(store, candidate=book(BASE, PILOT))
    assert [one.facts.root_external_id for one in unasked] == [None, None, None]
