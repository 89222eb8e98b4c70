"""The gate `simulation`: this candidate was replayed over this base on a whole fiscal period, lately, within limits.

Its limits are thresholds of the rulebook in force: `simulation_age_h`, `simulation_undetermined_percent`,
`simulation_unmatched_documents`, `simulation_moved_percent`. Source: docs/rules.md, 'Simulation'.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Protocol

from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.simulation_view import SimulationView, Sum, counted
from gateway.cutover.thresholds import ThresholdInvalid, threshold
from gateway.domain.simulations import SimulationRecord
from gateway.domain.wire import instant
from routing_rules import Rulebook
from routing_rules.calendar import Calendar, PeriodUnknown
from routing_rules.calendars import calendars_of

HOUR: Final = 3_600_000_000
"""Microseconds."""
MONTHS: Final = Calendar(id="calendar months")
"""Where no company code has a calendar."""


class SimulationsReads(Protocol):
    """What the gates that rest on a simulation ask."""

    async def newest_simulations(
        self, table_version: str, governance_version: str, base_activation_number: int
    ) -> Sequence[SimulationRecord]: ...
    async def count_routed(self, since: int, until: int) -> int: ...


async def newest_of(reads: SimulationsReads, candidate: Candidate) -> SimulationRecord | None:
    """The newest simulation of just this candidate over just this base that was done."""
    book = candidate.rulebook
    found = await reads.newest_simulations(book.version, book.governance_version, candidate.base_activation_number)
    return next((one for one in found if candidate.draft_id in {None, one.draft_id}), None)


class SimulationGate:
    """Judges the newest simulation of the candidate."""

    name = "simulation"

    def __init__(self, reads: SimulationsReads) -> None:
        self._reads = reads

    def guards(self, candidate: Candidate) -> bool:
        """Every change of what is decided."""
        return bool(candidate.changes)

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        found = await newest_of(self._reads, candidate)
        if found is None or found.result is None:
            return [_result(False, "no simulation of this candidate over what is in force is stored: run one")]
        evidence = evidence_of(found)
        try:
            complaints = [
                *_stale(found, candidate),
                *_no_whole_period(found, candidate.base),
                *_beyond_limits(json.loads(found.result), candidate.base),
            ]
        except ThresholdInvalid as error:
            return [_result(False, str(error), evidence)]
        if await self._reads.count_routed(found.since, found.until) != found.entries:
            complaints.append("the ledger has other entries in its window than it read: run it again")
        if complaints:
            return [_result(False, "; ".join(complaints), evidence)]
        return [_result(True, f"{counted(evidence['documents'])} replayed, all within the limits", evidence)]


def evidence_of(record: SimulationRecord) -> dict[str, Any]:
    """What the entry of a gate says of the simulation that it judged by."""
    found = json.loads(record.result or "{}")["found"]
    return {
        "simulationId": record.simulation_id,
        "resultHash": record.result_hash,
        "finishedAt": instant(record.finished_at or 0),
        "since": instant(record.since),
        "until": instant(record.until),
        "documents": found["documents"],
        "movedDocuments": found["movedDocuments"],
        "movedTotals": found["movedTotals"],
    }


def _result(passed: bool, why: str, evidence: Mapping[str, Any] | None = None) -> GateResult:
    return GateResult(gate=SimulationGate.name, passed=passed, why=why, evidence=evidence or {})


def _stale(record: SimulationRecord, candidate: Candidate) -> list[str]:
    hours = threshold(candidate.base, "simulation_age_h")
    # Asked for, not ended: what it read is as old as its beginning.
    if candidate.effective_at - record.requested_at <= int(hours * HOUR):
        return []
    asked, at = instant(record.requested_at), instant(candidate.effective_at)
    return [f"it was run at {asked}, more than {hours} h before the change comes into force ({at}): run it again"]


def _no_whole_period(record: SimulationRecord, base: Rulebook) -> list[str]:
    """One complaint for each calendar of which no whole period lies in the window. Days are days in UTC."""
    calendars = calendars_of(base.governance)
    used = {one.calendar for one in base.company_codes.values() if one.calendar is not None}
    asked = [calendar for name, calendar in sorted(calendars.items()) if name in used] or [MONTHS]
    first, end = _day_at_or_after(record.since), _day_of(record.until)
    return [
        f"its window holds no whole fiscal period of the calendar '{one.id}': take a longer one"
        for one in asked
        if not _holds_period(one, first, end)
    ]


def _holds_period(calendar: Calendar, first: date, end: date) -> bool:
    try:
        last = calendar.period_of(end - timedelta(days=1))
        if last.end > end:
            last = calendar.period_of(last.start - timedelta(days=1))
    except PeriodUnknown:
        return False
    return first <= last.start and last.end <= end


def _day_of(at: int) -> date:
    return datetime.fromtimestamp(at // 1_000_000, UTC).date()


def _day_at_or_after(at: int) -> date:
    day = _day_of(at)
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
    return day if at == midnight else day + timedelta(days=1)


def _beyond_limits(stored: Mapping[str, Any], base: Rulebook) -> list[str]:
    view = SimulationView(stored)
    moved = view.moved_by("direction")
    undetermined, unmatched = view.totals("undetermined"), [one for one, _ in view.unmatched("unmatchedCandidate")]
    everything = [*moved, *view.totals("keptTotals"), *view.totals("pinnedTotals"), *undetermined, *unmatched]
    if not view.found["documents"]:
        return ["its window holds no documents: take one in which there was traffic"]
    complaints = [
        *_share("undetermined", undetermined, everything, threshold(base, "simulation_undetermined_percent")),
        *_share("moved", moved, everything, threshold(base, "simulation_moved_percent")),
    ]
    most = threshold(base, "simulation_unmatched_documents")
    without = sum(one.documents for one in unmatched)
    if without > most:
        complaints.append(f"the candidate gives {counted(without)} no system, {most} are allowed: add rows for them")
    return complaints


def _share(what: str, part: Sequence[Sum], whole: Sequence[Sum], most: Decimal) -> list[str]:
    """Of the documents, and of the money of each currency: what is above `most` per cent."""
    complaints: list[str] = []
    documents, of = sum(one.documents for one in part), sum(one.documents for one in whole)
    if documents * 100 > most * of:
        complaints.append(f"{documents:,} of {of:,} documents are {what}, more than {most} %")
    for currency in sorted({one.currency_code for one in part if one.currency_code}):
        # Credits are negative: without their signs they do not hide each other.
        amount = sum((abs(one.amount) for one in part if one.currency_code == currency), Decimal(0))
        total = sum((abs(one.amount) for one in whole if one.currency_code == currency), Decimal(0))
        if amount * 100 > most * total:
            complaints.append(f"{amount:,f} of {total:,f} {currency} are {what}, more than {most} %")
    return complaints
