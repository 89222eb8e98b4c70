"""The gate `comparison`: translated documents against what legacy read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from adapters.port import Capabilities, Capability, Operation
from gateway.cutover.gates.comparison import ComparisonGate
from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.traffic import RoutedEntry, TrafficCursor
from routing_rules import Rulebook, differences
from tests.cutover.recorded import DAY, NOON, routed
from tests.cutover.test_gates_of_simulations import with_thresholds
from tests.rules.traffic import BASE, WEST, book

PILOT = WEST.replace("validate,old,new,", "pilot,old,new,10")
IN_FORCE, CANDIDATE = book(BASE, WEST), book(BASE, PILOT)
CONFIRMED = {"amount": "100.0", "currencyCode": "EUR", "companyCode": "C1", "postingDate": "2026-03-31"}
ABLE: Capabilities = {("orders", Operation.CREATE): Capability(True, can_validate=True)}
UNABLE: Capabilities = {("orders", Operation.CREATE): Capability(True)}


class Ledger:
    """Entries in memory, by time."""

    def __init__(self) -> None:
        self.routed: list[RoutedEntry] = []
        self.posted: dict[str, bytes] = {}

    def add(self, number: int, confirmed: Mapping[str, Any] | None, **changes: Any) -> None:
        entry = routed(number, **{"stage": "validate"} | changes)
        self.routed.append(RoutedEntry(entry.at, entry.trace, entry.seq, entry.lineage_id, entry.body, entry.leaf_hash))
        if confirmed is not None:
            members = {"confirmed": dict(confirmed) or None}
            posted = ledger_entry(
                EntryKind.POSTED, trace=entry.trace, seq=4, at=entry.at + 1, actor="billing", members=members
            )
            self.posted[entry.trace] = posted.body

    async def routed_entries(self, after: TrafficCursor, until: int, most: int) -> Sequence[RoutedEntry]:
        behind = (after.at, after.trace, after.seq)
        found = [one for one in sorted(self.routed) if (one.at, one.trace, one.seq) > behind and one.at < until]
        return found[:most]

    async def posted_bodies(self, traces: Sequence[str]) -> dict[str, bytes]:
        return {trace: self.posted[trace] for trace in traces if trace in self.posted}

    async def count_routed(self, since: int, until: int) -> int:
        raise NotImplementedError

    async def first_routed(self, traces: Sequence[str]) -> dict[str, int]:
        raise NotImplementedError


def candidate(base: Rulebook = IN_FORCE, to: Rulebook = CANDIDATE) -> Candidate:
    return Candidate(
        draft_id="drf_1",
        rulebook=to,
        base=base,
        base_activation_number=1,
        changes=list(differences(IN_FORCE, to)),
        effective_at=NOON + DAY,
    )


async def judged(ledger: Ledger, capabilities: Capabilities = ABLE, change: Candidate | None = None) -> GateResult:
    gate = ComparisonGate(ledger, lambda: {"new": capabilities})
    (result,) = await gate.evaluate(change or candidate())
    assert result.gate == "comparison"
    return result


def test_it_guards_what_leaves_validate_for_the_cloud() -> None:
    gate = ComparisonGate(Ledger(), dict)
    assert gate.guards(candidate())
    assert not gate.guards(candidate(to=book(BASE)))
    assert not gate.guards(candidate(to=IN_FORCE))


async def test_documents_that_legacy_reads_back_the_same_pass() -> None:
    ledger = Ledger()
    for number in range(1, 1_201):  # over several pages
        ledger.add(number, CONFIRMED)
    result = await judged(ledger)
    assert (result.passed, result.subject) == (True, "orders")
    assert (result.evidence["evidence"], result.evidence["compared"]) == ("translated", 1_200)
    assert result.why == "0 of 1,200 translated documents differ from legacy's read-back"


async def test_what_was_never_compared_counts_for_nothing() -> None:
    ledger = Ledger()
    ledger.add(1, CONFIRMED)
    other = CONFIRMED | {"amount": "1"}
    ledger.add(2, other, stage="legacy")
    ledger.add(3, other, pinned=True)
    ledger.add(4, other, domain="invoices")
    ledger.add(5, other, businessUnit="B")  # the candidate leaves it where it is
    ledger.add(6, other, at=NOON - 31 * DAY)
    ledger.add(7, other, at=NOON + DAY)
    ledger.add(8, other, schemaVersion=2)
    ledger.add(9, None)
    ledger.add(10, {})
    result = await judged(ledger)
    assert result.passed
    assert (result.evidence["compared"], result.evidence["unconfirmed"]) == (1, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("amount", "100.01"), ("currencyCode", "USD"), ("companyCode", "C2"), ("postingDate", "2026-04-01")],
)
async def test_a_mismatch_in_any_member_above_the_limit_fails(name: str, value: str) -> None:
    ledger = Ledger()
    for number in range(1, 200):
        ledger.add(number, CONFIRMED)
    ledger.add(200, CONFIRMED | {name: value})
    assert (await judged(ledger)).passed  # 0.5 %
    ledger.add(201, CONFIRMED | {name: value})
    result = await judged(ledger)
    assert not result.passed
    assert "2 of 201 translated documents differ" in result.why
    (first, _) = result.evidence["mismatches"]
    recorded = json.loads(ledger.routed[199].body)["facts"]
    assert first == {"transactionId": ledger.routed[199].trace, "differs": {name: [recorded[name], value]}}


async def test_what_legacy_says_and_the_document_does_not_is_a_mismatch() -> None:
    ledger = Ledger()
    ledger.add(1, CONFIRMED, companyCode=None)
    assert (await judged(ledger)).evidence["mismatched"] == 1
    silent = Ledger()
    silent.add(1, {"amount": "100"})
    assert (await judged(silent)).passed


async def test_without_a_non_posting_call_or_documents_it_fails() -> None:
    ledger = Ledger()
    assert "0 documents could be compared, 1 are asked for" in (await judged(ledger)).why
    ledger.add(1, CONFIRMED)
    result = await judged(ledger, UNABLE)
    assert not result.passed
    assert "translated only: the step to pilot needs a waiver" in result.why
    assert result.evidence["withoutNonPostingCall"] == ["new"]
    assert "validated" not in json.dumps(result.evidence)
    more = candidate(with_thresholds(comparison_documents=2))
    assert "2 are asked for" in (await judged(ledger, change=more)).why
    assert "comparison_days" in (await judged(ledger, change=candidate(with_thresholds(comparison_days="x")))).why
