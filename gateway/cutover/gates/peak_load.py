"""The gate `peak_load`: the busiest minute of the replayed traffic leaves every target room in its budget.

The limit is `peak_load_percent` of the budget's calls per minute. Source: docs/rules.md, 'Simulation'.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.gates.simulation import SimulationsReads, newest_of
from gateway.cutover.simulation_view import minute_told
from gateway.cutover.thresholds import ThresholdInvalid, threshold
from routing_rules import Outcome
from routing_rules.rulebook import receiving_systems


class PeakLoadGate:
    """Judges the newest simulation of the candidate; systems that the change sends nothing new to are not asked."""

    name = "peak_load"

    def __init__(self, reads: SimulationsReads) -> None:
        self._reads = reads

    def guards(self, candidate: Candidate) -> bool:
        """Every change of what is decided."""
        return bool(candidate.changes)

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        found = await newest_of(self._reads, candidate)
        if found is None or found.result is None:
            return [_result(False, "no simulation of this candidate over what is in force is stored: run one", {})]
        try:
            most = threshold(candidate.base, "peak_load_percent")
        except ThresholdInvalid as error:
            return [_result(False, str(error), {})]
        replayed = json.loads(found.result)["found"]
        if not replayed["documents"]:
            return [_result(False, "its window holds no documents: take one in which there was traffic", {})]
        targets = _targets(candidate)
        peaks = [
            one
            for one in replayed["peaks"]
            if one["systemId"] in targets or one["candidateCalls"] > one["inForceCalls"]
        ]
        evidence = {
            "simulationId": found.simulation_id,
            "resultHash": found.result_hash,
            "limitPercent": f"{most:f}",
            "peaks": peaks,
        }
        told = [_told(one) for one in peaks if Decimal(one["candidatePercent"]) > most]
        if told:
            return [_result(False, f"above {most} % of the budget: {'; '.join(told)}", evidence)]
        if not peaks:
            return [_result(True, "no system gets more calls than before", evidence)]
        return [_result(True, f"within {most} % of the budget: {'; '.join(map(_told, peaks))}", evidence)]


def _targets(candidate: Candidate) -> frozenset[str]:
    return frozenset(
        system_id
        for change in candidate.changes
        if isinstance(change.after, Outcome)
        for system_id in receiving_systems(change.domain, change.after)
    )


def _told(peak: Mapping[str, Any]) -> str:
    calls, budget = peak["candidateCalls"], peak["budget"]
    when = minute_told(peak["candidateMinute"])
    return f"{peak['systemId']} {peak['candidatePercent']} % ({calls:,} of {budget:,} calls{when and f' at {when}'})"


def _result(passed: bool, why: str, evidence: Mapping[str, Any]) -> GateResult:
    return GateResult(gate=PeakLoadGate.name, passed=passed, why=why, evidence=evidence)
