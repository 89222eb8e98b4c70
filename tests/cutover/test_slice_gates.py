"""The gates that judge what is in slices: each passes, fails, and fails where it cannot be evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import routing_rules
from adapters.canonical import ErpNumber
from adapters.errors import OutcomeUnknown
from adapters.port import Capability, ControlTotals, FoundDocument, Operation, Search
from gateway.cutover.gates.calendar import CalendarGate
from gateway.cutover.gates.control_totals import ControlTotals as ControlTotalsGate
from gateway.cutover.gates.cross_references import CrossReferences
from gateway.cutover.gates.gate import Candidate, Gate, GateResult
from gateway.cutover.gates.no_lineage_stranded import NoLineageStranded
from gateway.cutover.gates.nothing_unknown import NothingUnknown
from gateway.cutover.gates.number_ranges import NumberRanges
from gateway.cutover.gates.registry import GateRegistry
from gateway.cutover.slice_gates import SliceGates
from gateway.cutover.slices import SliceName
from gateway.domain.acts import NO_ACTS, Acts, PeriodStanding
from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.records import CrossReferenceRecord, NaturalKeyRecord, PayloadRecord
from gateway.domain.transaction import Status
from gateway.store.store import Store, StoreUnit
from gateway.transactions.parts import ErpSystem, RulesInForce, SystemPolicy, Tools
from routing_rules import Outcome, Rulebook, SliceMap, Stage, differences, load_rulebook
from tests.cutover.slice_world import Clock, SliceWorld
from tests.store.made import NOW, a_document, a_transaction, new_id

SAMPLE = load_rulebook(Path(routing_rules.__file__).parent / "tables")
SEPTEMBER_15 = 1_789_430_400_000_000
BR = ("Western", "BR")


@pytest.fixture
def slices(store: Store) -> SliceWorld:
    return SliceWorld(store, SAMPLE)


def _moved(unit: str, place: str, stage: Stage, rulebook: Rulebook = SAMPLE, **more: Any) -> Candidate:
    """The slice of orders goes to that stage."""
    changes = [
        one.as_change("orders", replace(one.state, stage=stage))
        for one in SliceMap(rulebook).states("orders", unit, place)
        if isinstance(one.state, Outcome)
    ]
    values: dict[str, Any] = {
        "draft_id": None,
        "rulebook": rulebook,
        "base": rulebook,
        "base_activation_number": 1,
        "changes": changes,
        "effective_at": SEPTEMBER_15,
    }
    return Candidate(**values | more)


def _governed(**changes: Any) -> Rulebook:
    return replace(SAMPLE, governance=replace(SAMPLE.governance, **changes))


async def _one(gate: Gate, candidate: Candidate) -> GateResult:
    assert gate.guards(candidate)
    (result,) = await gate.evaluate(candidate)
    return result


# no_lineage_stranded


async def test_a_lineage_keeps_its_system(slices: SliceWorld) -> None:
    await slices.order("Southern", "FR", "legacy")
    gate = NoLineageStranded(slices.store.reads, Clock())
    assert (await _one(gate, _moved(*BR, Stage.LIVE))).passed
    without = replace(SAMPLE, systems={"cloud-main": SAMPLE.systems["cloud-main"]})
    result = await _one(gate, replace(_moved(*BR, Stage.LIVE), rulebook=without))
    assert not result.passed
    assert "legacy-main would be withdrawn, which 1 open lineage" in result.why


async def test_a_lineage_keeps_the_domains_of_its_follow_ups(slices: SliceWorld) -> None:
    await slices.order("Southern", "FR", "legacy")
    gate = NoLineageStranded(slices.store.reads, Clock())
    legacy = replace(SAMPLE.systems["legacy-main"], domains=("orders", "invoices"))
    candidate = _moved(*BR, Stage.LIVE)
    narrowed = replace(SAMPLE, systems={**SAMPLE.systems, "legacy-main": legacy})
    assert "no longer take payments" in (await _one(gate, replace(candidate, rulebook=narrowed))).why
    tables = {domain: table for domain, table in SAMPLE.tables.items() if domain != "invoices"}
    assert (
        "no longer serve invoices"
        in (await _one(gate, replace(candidate, rulebook=replace(SAMPLE, tables=tables)))).why
    )


async def test_a_slice_closes_only_when_legacy_has_run_out(slices: SliceWorld) -> None:
    gate = NoLineageStranded(slices.store.reads, Clock())
    await slices.order("Western", "BR", "legacy", billed="100.00", paid="100.00")
    await slices.order("Western", "US", "legacy")
    await slices.order("Western", "BR", "cloud")
    assert all(one.passed for one in await gate.evaluate(_moved(*BR, Stage.READ_ONLY)))
    await slices.order("Western", "BR", "legacy")
    assert [one.passed for one in await gate.evaluate(_moved(*BR, Stage.READ_ONLY))] == [True, False]


# nothing_unknown


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.IN_DOUBT])
async def test_nothing_is_unknown(slices: SliceWorld, status: Status) -> None:
    gate = NothingUnknown(slices.store.reads)
    await slices.order("Western", "US", "legacy", status=status)
    await slices.order("Western", "BR", "legacy", status=Status.WAITING)
    assert (await _one(gate, _moved(*BR, Stage.LIVE))).passed
    await slices.order("Western", "BR", "legacy", status=status)
    result = await _one(gate, _moved(*BR, Stage.LIVE))
    assert not result.passed
    assert len(result.evidence["transactionIds"]) == 1
    assert not gate.guards(_moved(*BR, Stage.DRAIN)), "nothing moves"


# calendar


async def test_no_change_comes_into_a_window_that_does_not_name_it() -> None:
    gate = CalendarGate()
    candidate = _moved(*BR, Stage.LIVE)
    assert (await _one(gate, candidate)).passed
    christmas = replace(candidate, effective_at=1_798_156_800_000_000, draft_id="drf_1")
    result = await _one(gate, christmas)
    assert not result.passed
    assert "freeze window" in result.why
    (calendar,) = SAMPLE.governance.calendars
    named = {
        **calendar,
        "freeze_windows": [{**one, "allows": ["drf_1"]} for one in calendar["freeze_windows"]],
    }
    assert (await _one(gate, replace(christmas, base=_governed(calendars=(named,))))).passed
    assert not (await _one(gate, replace(christmas, base=_governed(calendars=(named,)), draft_id="drf_2"))).passed


async def test_a_company_without_a_calendar_cannot_be_judged() -> None:
    code = replace(SAMPLE.company_codes["NW01"], calendar=None)
    for codes in ({"NW01": code}, {}):
        base = _governed(company_codes=codes)
        assert not (await _one(CalendarGate(), replace(_moved(*BR, Stage.LIVE), base=base))).passed


# cross_references


async def test_keys_used_lately_have_numbers_in_the_cloud(slices: SliceWorld) -> None:
    gate = CrossReferences(slices.store.reads, Clock())
    customer = a_document(domain="customers")
    product = a_document(domain="products")
    body = b'{"lines":[{"product":{"externalId":"P-1"}},{"product":{"externalId":"P-9"}}]}'
    payload = PayloadRecord(new_id("pay"), b"s" * 16, body)

    async def write(unit: StoreUnit) -> None:
        await unit.insert_document(customer)
        await unit.insert_document(product)
        await unit.insert_payload(payload)
        await unit.insert_natural_key(NaturalKeyRecord("crm", "products", "P-1", product.document_id, None, None))

    await slices.store.write(write)
    await slices.order("Western", "BR", "legacy", customer_id=customer.document_id, payload_id=payload.payload_id)
    await slices.order("Western", "BR", "legacy", customer_id="doc_long_ago", days=200)
    await slices.order("Western", "US", "legacy", customer_id="doc_elsewhere")
    result = await _one(gate, _moved(*BR, Stage.LIVE, _staged(Stage.PILOT)))
    assert not result.passed
    assert [one["documentId"] for one in result.evidence["customersWithoutNumber"]] == [customer.document_id]
    assert {one["documentId"] for one in result.evidence["productsWithoutNumber"]} == {None, product.document_id}

    async def link(unit: StoreUnit) -> None:
        for one, kind in ((customer, "customer"), (product, "product")):
            await unit.insert_cross_reference(CrossReferenceRecord(one.document_id, "cloud-main", kind, "1", NOW))
        await unit.insert_natural_key(NaturalKeyRecord("crm", "products", "P-9", product.document_id, None, None))

    await slices.store.write(link)
    assert (await _one(gate, _moved(*BR, Stage.LIVE, _staged(Stage.PILOT)))).passed
    assert not gate.guards(_moved(*BR, Stage.READ_ONLY))


async def test_a_limit_that_is_no_number_cannot_be_judged(slices: SliceWorld) -> None:
    gate = CrossReferences(slices.store.reads, Clock())
    candidate = _moved(*BR, Stage.LIVE, _staged(Stage.PILOT))
    base = _governed(thresholds={"cross_reference_days": "many"})
    assert "cross_reference_days" in (await _one(gate, replace(candidate, base=base))).why


def _staged(stage: Stage, rulebook: Rulebook = SAMPLE) -> Rulebook:
    """Western's Latin America at another stage."""
    table = rulebook.tables["orders"]
    rows = tuple(
        replace(row, outcome=replace(row.outcome, stage=stage)) if row.id == "o-west-latam" else row
        for row in table.rows
    )
    return replace(rulebook, tables={**rulebook.tables, "orders": replace(table, rows=rows)})


# number_ranges


def _ranged(*ranges: tuple[str, str, str, str]) -> Rulebook:
    entries = [dict(zip(("system", "document_type", "from", "until"), one, strict=True)) for one in ranges]
    return _staged(Stage.VALIDATE, _governed(policies={"number_ranges": entries}))


OLD, NEW = ("legacy-main", "sales_order", "1", "4999"), ("cloud-main", "sales_order", "5000", "9999")


@pytest.mark.parametrize(
    ("ranges", "complaint"),
    [
        ([OLD, NEW], ""),
        ([OLD], "no range is declared for system cloud-main"),
        ([OLD, ("cloud-main", "sales_order", "4999", "9999")], "numbers in common"),
        ([("legacy-main", "sales_order", "1", "40"), NEW], "0000000042 lies outside"),
        ([("legacy-main", "delivery", "1", "40"), NEW], "have no declared range"),
        ([("legacy-main", "sales_order", "9", "1"), NEW], "ends before it begins"),
        ([("nowhere", "sales_order", "1", "9"), NEW], "no system"),
        ([("legacy-main", "sales_order", "A", "9"), NEW], "must be digits"),
        ([], "declares no policies"),
    ],
)
async def test_number_ranges(slices: SliceWorld, ranges: Sequence[Any], complaint: str) -> None:
    order = a_document()

    async def write(unit: StoreUnit) -> None:
        await unit.insert_document(order)
        for number in ("0000000042", "0000000007"):
            await unit.insert_cross_reference(
                CrossReferenceRecord(order.document_id, "legacy-main", "sales_order", number, NOW)
            )

    await slices.store.write(write)
    result = await _one(NumberRanges(slices.store.reads), _moved(*BR, Stage.PILOT, _ranged(*ranges)))
    assert result.passed == (not complaint)
    assert complaint in result.why


@pytest.mark.parametrize(("until", "passes"), [("5999", True), ("4100", False)])
async def test_a_number_of_several_parts_is_judged_by_its_first_and_masters_only_where_declared(
    slices: SliceWorld, until: str, passes: bool
) -> None:
    document = a_document()

    async def write(unit: StoreUnit) -> None:
        await unit.insert_document(document)
        for kind, number in (("accounting_document", "4200/NW01/1996"), ("product", "NW-0001")):
            await unit.insert_cross_reference(
                CrossReferenceRecord(document.document_id, "legacy-main", kind, number, NOW)
            )

    await slices.store.write(write)
    books = ("legacy-main", "accounting_document", "4000", until)
    result = await _one(NumberRanges(slices.store.reads), _moved(*BR, Stage.PILOT, _ranged(OLD, NEW, books)))
    assert result.passed == passes, result.why
    assert "product" not in result.why


# control_totals


class _Ids:
    def new(self, prefix: str) -> str:
        return new_id(prefix)


class Books:
    """An ERP that holds what it is told, for one domain."""

    def __init__(self, system_id: str, totals: ControlTotals | None) -> None:
        self.system_id = system_id
        self._totals = totals
        self.asked: list[Search] = []

    def capabilities(self) -> dict[tuple[str, Operation], Capability]:
        return {("orders", Operation.CREATE): Capability(True), ("customers", Operation.CREATE): Capability(True)}

    async def control_totals(self, search: Search) -> ControlTotals:
        self.asked.append(search)
        if self._totals is None:
            raise OutcomeUnknown("no answer in time")
        return self._totals

    async def read(self, number: ErpNumber) -> FoundDocument | None:
        return FoundDocument(number, "", None, "USD", Decimal("5.00"))


def _holding(count: int, amount: str) -> ControlTotals:
    return ControlTotals(count, {"USD": Decimal(amount)} if count else {})


AUGUST = PeriodStanding(company_code="NW01", period="2026-08", starts="2026-08-01", ends="2026-09-01", closed=True)
JULY = PeriodStanding(company_code="NW01", period="2026-07", starts="2026-07-01", ends="2026-08-01", closed=True)


def _totals_gate(slices: SliceWorld, legacy: ControlTotals | None, cloud: ControlTotals | None, acts: Acts) -> Any:
    books = {one.system_id: one for one in (Books("legacy-main", legacy), Books("cloud-main", cloud))}
    systems = {name: ErpSystem(one, SystemPolicy()) for name, one in books.items()}  # type: ignore[arg-type]
    tools = Tools(Clock(), _Ids(), None, None, "prc_1", "test", b"a key of the tests")  # type: ignore[arg-type]
    return ControlTotalsGate(slices.store.reads, slices.store, tools, systems, lambda: acts), books


async def _posted(slices: SliceWorld, system_id: str, amount: str | None, posting_date: str = "2026-08-15") -> None:
    document = a_document(company_code="NW01", posting_date=posting_date, amount="999.00", currency_code="USD")
    transaction = a_transaction(
        document_id=document.document_id,
        status=Status.POSTED,
        system_id=system_id,
        erp_document_type="sales_order",
        erp_document_number="1",
    )
    members = {"confirmed": {"amount": amount, "currencyCode": "USD"}} if amount else {}
    entry = ledger_entry(
        EntryKind.POSTED, trace=transaction.transaction_id, seq=5, at=NOW, actor="gateway", members=members
    )

    async def write(unit: StoreUnit) -> None:
        await unit.insert_document(document)
        await unit.insert_transaction(transaction)
        await unit.insert_entries([entry])

    await slices.store.write(write)


async def test_the_last_closed_period_ties_in_both_systems(slices: SliceWorld) -> None:
    await _posted(slices, "legacy-main", "60.00")
    await _posted(slices, "legacy-main", "40.00")
    await _posted(slices, "legacy-main", "7.00", posting_date="2026-09-01")
    await _posted(slices, "cloud-main", None)
    acts = Acts(periods=(JULY, AUGUST))
    candidate = _moved(*BR, Stage.LIVE, _staged(Stage.PILOT))
    gate, books = _totals_gate(slices, _holding(2, "100.00"), _holding(1, "5.00"), acts)
    result = await _one(gate, candidate)
    assert result.passed, result.why
    (search,) = books["legacy-main"].asked
    assert (search.posted_from, search.posted_until) == (date(2026, 8, 1), date(2026, 8, 31))
    for legacy, cloud in (
        (_holding(2, "99.99"), _holding(1, "5.00")),
        (_holding(3, "100.00"), _holding(1, "5.00")),
        (_holding(2, "100.00"), _holding(0, "0")),
        (_holding(2, "100.00"), None),
    ):
        gate, _ = _totals_gate(slices, legacy, cloud, acts)
        assert not (await _one(gate, candidate)).passed


async def test_without_a_closed_period_nothing_ties(slices: SliceWorld) -> None:
    candidate = _moved(*BR, Stage.LIVE, _staged(Stage.PILOT))
    for acts in (NO_ACTS, Acts(periods=(replace(AUGUST, closed=False),)), Acts(periods=(replace(AUGUST, period="x"),))):
        gate, _ = _totals_gate(slices, _holding(0, "0"), _holding(0, "0"), acts)
        assert not (await _one(gate, candidate)).passed
    gate, _ = _totals_gate(slices, None, None, Acts(periods=(replace(AUGUST, tied_out=True),)))
    assert (await _one(gate, candidate)).passed
    nobody = _staged(Stage.PILOT, _governed(company_codes={}))
    assert not (await _one(gate, _moved(*BR, Stage.LIVE, nobody))).passed


async def test_what_agrees_is_recorded_when_a_draft_is_judged_and_only_then(slices: SliceWorld) -> None:
    await _posted(slices, "legacy-main", "60.00")
    gate, _ = _totals_gate(slices, _holding(1, "60.00"), _holding(0, "0"), Acts(periods=(AUGUST,)))
    looked_at = _moved(*BR, Stage.LIVE, _staged(Stage.PILOT))

    async def tied_out() -> list[bool]:
        _, acts = await slices.store.reads.rules_in_force()
        return [one.tied_out for one in acts.periods]

    assert (await _one(gate, looked_at)).passed
    assert await tied_out() == []
    assert (await _one(gate, replace(looked_at, draft_id="drf_1"))).passed
    assert await tied_out() == [True]
    (entry,) = await slices.store.reads.entries("prd_1")
    assert entry.kind == "tied_out"


async def test_a_period_in_which_something_is_under_way_is_not_tied_out(slices: SliceWorld) -> None:
    record = a_transaction(status=Status.WAITING, company_code="NW01", posting_date="2026-08-02")
    await slices.store.write(lambda unit: unit.insert_transaction(record))
    gate, _ = _totals_gate(slices, _holding(0, "0"), _holding(0, "0"), Acts(periods=(AUGUST,)))
    candidate = _moved(*BR, Stage.LIVE, _staged(Stage.PILOT), draft_id="drf_1")
    result = await _one(gate, candidate)
    assert not result.passed
    assert "have not ended" in result.why


def test_moves_back_and_moves_below_live_are_not_tied(slices: SliceWorld) -> None:
    gate, _ = _totals_gate(slices, None, None, NO_ACTS)
    assert not gate.guards(_moved(*BR, Stage.LIVE)), "from drain back to live"
    assert not gate.guards(_moved("Northern", "DE", Stage.PILOT))


def test_a_draft_is_judged_by_its_differences() -> None:
    """The moves of a candidate made of two rulebooks are those of the slice between its stages."""
    candidate = _moved(*BR, Stage.LIVE)
    found = list(differences(_staged(Stage.PILOT), _staged(Stage.LIVE)))
    assert CalendarGate().guards(replace(candidate, changes=found))
    assert [one.domain for one in found] == ["orders"]


# what the board remembers


async def test_what_was_found_under_other_rules_is_forgotten(slices: SliceWorld) -> None:
    number = 1
    gates = SliceGates(GateRegistry([], lambda: NOW), lambda: RulesInForce(slices.rulebook, number), Clock())
    name = SliceName("orders", *BR)
    found = await gates.evaluate(name, slices.board().states(name))
    assert gates.latest(name) is found
    number = 2
    assert gates.latest(name) is None
