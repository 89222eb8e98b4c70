"""The gates that rest on a stored simulation: each passes, and fails for every reason that it has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import rfc8785

from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.gates.peak_load import PeakLoadGate
from gateway.cutover.gates.simulation import SimulationGate
from gateway.cutover.simulation import SimulationRun, Versions, Window
from gateway.cutover.thresholds import DEFAULTS, ThresholdInvalid, threshold
from gateway.domain.simulations import SimulationRecord, SimulationState
from gateway.domain.traffic import LedgerPosition
from routing_rules import RecordedDocument, Rulebook, differences, simulate
from tests.rules.traffic import BASE, LIVE, book, document

HOUR = 3_600_000_000
ELSEWHERE = "other,,B,,,,,,,,legacy,old,,,,,"
IN_FORCE, CANDIDATE = book(BASE), book(BASE, LIVE)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


EFFECTIVE = at("2026-04-02T12:00")


def with_thresholds(**limits: Any) -> Rulebook:
    return replace(IN_FORCE, governance=replace(IN_FORCE.governance, thresholds=limits))


def candidate(base: Rulebook = IN_FORCE, to: Rulebook = CANDIDATE, draft_id: str | None = "drf_1") -> Candidate:
    return Candidate(
        draft_id=draft_id,
        rulebook=to,
        base=base,
        base_activation_number=7,
        changes=list(differences(base, to)),
        effective_at=EFFECTIVE,
    )


def stored(
    documents: Sequence[RecordedDocument],
    since: str = "2026-03-01",
    until: str = "2026-04-01",
    to: Rulebook = CANDIDATE,
    **changes: Any,
) -> SimulationRecord:
    window = Window(at(since), at(until))
    versions = Versions.of(to, IN_FORCE, 7)
    position = LedgerPosition(entries=len(documents), last=None, leaves_hash="0" * 64)
    run = SimulationRun(versions, window, position, simulate(IN_FORCE, to, documents))
    record = SimulationRecord(
        simulation_id="sim_1",
        draft_id="drf_1",
        table_version=versions.table_version,
        governance_version=versions.governance_version,
        base_activation_number=7,
        base_table_version=versions.base_table_version,
        base_governance_version=versions.base_governance_version,
        since=window.since,
        until=window.until,
        state=SimulationState.DONE,
        requested_at=EFFECTIVE - 24 * HOUR,
        requested_by="console",
        process_id="prc_1",
        expected=len(documents),
        entries=len(documents),
        finished_at=EFFECTIVE - 23 * HOUR,
        digest=run.simulation.digest,
        result_hash=run.result_hash,
        result=rfc8785.dumps(run.as_json()).decode(),
    )
    return replace(record, **changes)


class Reads:
    """The simulations of one candidate, and a ledger that has so many entries in every window."""

    def __init__(self, *records: SimulationRecord, routed: int | None = None) -> None:
        self._records = records
        self._routed = routed

    async def newest_simulations(
        self, table_version: str, governance_version: str, base_activation_number: int
    ) -> Sequence[SimulationRecord]:
        asked = (table_version, governance_version, base_activation_number)
        return [
            one
            for one in self._records
            if (one.table_version, one.governance_version, one.base_activation_number) == asked
        ]

    async def count_routed(self, since: int, until: int) -> int:
        return self._records[0].entries if self._routed is None else self._routed


async def judged(gate: SimulationGate | PeakLoadGate, change: Candidate) -> GateResult:
    (result,) = await gate.evaluate(change)
    assert result.gate == gate.name
    json.dumps(result.evidence)
    return result


DOCUMENTS = [document(number) for number in range(1, 4)]


async def test_a_fresh_simulation_of_a_whole_period_within_limits_passes() -> None:
    gate = SimulationGate(Reads(stored(DOCUMENTS)))
    assert gate.guards(candidate())
    assert not gate.guards(candidate(to=IN_FORCE))
    result = await judged(gate, candidate())
    assert (result.passed, result.why) == (True, "3 documents replayed, all within the limits")
    assert (result.evidence["simulationId"], result.evidence["movedDocuments"]) == ("sim_1", 3)
    assert (await judged(gate, candidate(draft_id=None))).passed


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (stored(DOCUMENTS, draft_id="drf_2"), "no simulation of this candidate"),
        (stored(DOCUMENTS, base_activation_number=6), "no simulation of this candidate"),
        (stored(DOCUMENTS, to=book(BASE, LIVE, ELSEWHERE)), "no simulation of this candidate"),
        (stored(DOCUMENTS, requested_at=EFFECTIVE - 24 * HOUR - 1), "more than 24 h before"),
        (stored(DOCUMENTS, since="2026-03-01T00:00:01"), "no whole fiscal period"),
        (stored(DOCUMENTS, until="2026-03-31"), "no whole fiscal period"),
        (stored([]), "holds no documents"),
        (stored([*DOCUMENTS, document(4, undetermined=("bucket",), amount=Decimal(1))]), "1 of 4 documents are undet"),
        (stored([document(n) for n in range(200)] + [document(999, undetermined=("x",), amount=Decimal(9_999))]),
         "9,999 of 29,999.00 EUR are undetermined, more than 1 %"),
        (stored([*DOCUMENTS, document(4, business_unit="nowhere")]), "gives 1 document no system"),
    ],
)  # fmt: skip
async def test_every_reason_to_fail(record: SimulationRecord, told: str) -> None:
    result = await judged(SimulationGate(Reads(record)), candidate())
    assert not result.passed
    assert told in result.why


async def test_a_window_whose_entries_are_others_now_fails() -> None:
    result = await judged(SimulationGate(Reads(stored(DOCUMENTS), routed=4)), candidate())
    assert "other entries in its window than it read" in result.why


async def test_the_limits_are_those_in_force() -> None:
    reads = Reads(stored([*DOCUMENTS, document(4, undetermined=("bucket",))]))
    base = with_thresholds(simulation_undetermined_percent="25")
    assert (await judged(SimulationGate(reads), candidate(base))).passed
    moved = await judged(SimulationGate(reads), candidate(with_thresholds(simulation_moved_percent=50)))
    assert "are moved, more than 50 %" in moved.why
    wrong = await judged(SimulationGate(reads), candidate(with_thresholds(simulation_age_h="a day")))
    assert "thresholds.simulation_age_h" in wrong.why
    assert not wrong.passed


async def test_the_period_is_that_of_every_calendar_in_use() -> None:
    weeks = {"id": "weeks", "fiscal_year_starts": "01-01", "period": "4-4-5", "week_starts": "monday"}
    code = replace(next(iter(IN_FORCE.company_codes.values())), calendar="weeks")
    governance = replace(IN_FORCE.governance, calendars=(weeks,), company_codes={code.id: code})
    base = replace(IN_FORCE, governance=governance)
    # The fiscal year of 2026 starts on Monday, 29 December 2025: its third period is 23 February to 29 March.
    for since, until, passes in (
        ("2026-02-23", "2026-03-30", True),
        ("2026-02-24", "2026-03-30", False),
        ("2026-02-23", "2026-03-29", False),
        ("2026-02-20", "2026-04-01", True),
    ):
        result = await judged(SimulationGate(Reads(stored(DOCUMENTS, since, until))), candidate(base))
        assert result.passed is passes, (since, until, result.why)


async def test_the_peak_of_a_target_must_leave_room() -> None:
    budget = CANDIDATE.systems["new"].budget.calls_per_minute
    for calls, passes in ((budget * 70 // 100, True), (budget * 70 // 100 + 1, False)):
        record = stored([document(1, calls=calls)])
        gate = PeakLoadGate(Reads(record))
        assert gate.guards(candidate())
        result = await judged(gate, candidate())
        assert result.passed is passes, result.why
        assert [one["systemId"] for one in result.evidence["peaks"]] == ["new", "old"]
    assert "above 70 % of the budget: new" in result.why
    raised = await judged(gate, candidate(with_thresholds(peak_load_percent=72)))
    assert raised.passed


async def test_the_peak_is_not_known_without_a_simulation_or_limit() -> None:
    assert not (await judged(PeakLoadGate(Reads()), candidate())).passed
    assert "no documents" in (await judged(PeakLoadGate(Reads(stored([]))), candidate())).why
    wrong = await judged(PeakLoadGate(Reads(stored(DOCUMENTS))), candidate(with_thresholds(peak_load_percent=-1)))
    assert not wrong.passed


def test_a_threshold_is_a_number_from_0_up() -> None:
    assert threshold(IN_FORCE, "peak_load_percent") == DEFAULTS["peak_load_percent"] == 70
    for said in (True, "NaN", "-1", [], "one", "Infinity"):
        with pytest.raises(ThresholdInvalid, match="peak_load_percent"):
            threshold(with_thresholds(peak_load_percent=said), "peak_load_percent")
