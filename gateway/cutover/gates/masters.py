"""Gates `masters_at_rest` and `masters_equal`: before another system keeps masters, nothing of them is in flight and
its copy is the same.

Masters have no lineage: a change goes to the system of record in force, so from then on the old copy stands still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.gates.gate_ports import GateReads
from gateway.cutover.gates.moves import STAGES, Move, moves_of
from gateway.cutover.masters_compared import MasterReads, compared
from gateway.domain.queries import TransactionFilter, Visible
from gateway.domain.transaction import ENDS, Status
from gateway.transactions.parts import ErpSystem
from routing_rules import MASTER_DOMAINS, Outcome, Stage

SHOWN: Final = 20
"""Transactions and masters that the evidence names at most."""


def owners(outcome: Outcome | None) -> frozenset[str]:
    """The systems that keep the masters: where new ones and changes go; of a pilot both."""
    if outcome is None:
        return frozenset()
    stage = STAGES.index(outcome.stage)
    found = [outcome.legacy_system] if stage <= STAGES.index(Stage.PILOT) else []
    found += [outcome.cloud_system] if stage >= STAGES.index(Stage.PILOT) else []
    return frozenset(one for one in found if one is not None)


def switches_of(candidate: Candidate) -> Sequence[Move]:
    """The moves that give masters to a system that did not keep them before. A former gap had no owner."""
    return [
        move
        for move in moves_of(candidate)
        if move.change.domain in MASTER_DOMAINS and move.before is not None and owners(move.after) - owners(move.before)
    ]


class MastersAtRest:
    """No transaction of the masters is open. Never waived: what is in flight would end in a system that does not keep
    them any more."""

    name = "masters_at_rest"

    def __init__(self, reads: GateReads) -> None:
        self._reads = reads

    def guards(self, candidate: Candidate) -> bool:
        """Masters change hands."""
        return bool(switches_of(candidate))

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """One result for each switch."""
        return [await self._of(move, candidate) for move in switches_of(candidate)]

    async def _of(self, move: Move, candidate: Candidate) -> GateResult:
        where = move.filter(candidate.rulebook)
        found: list[str] = []
        for status in Status:
            if status not in ENDS:
                asked = TransactionFilter(
                    domain=where.domain,
                    status=status.value,
                    business_units=where.business_units,
                    geographies=where.geographies,
                )
                records = await self._reads.transactions(asked, Visible(), SHOWN + 1, None)
                found += [one.transaction_id for one in records]
        many = "more than " if len(found) > SHOWN else ""
        why = (
            f"{many}{min(len(found), SHOWN)} transaction(s) of {where.domain} have not ended: hold the slice"
            if found
            else f"no transaction of {where.domain} is in flight"
        )
        evidence = {"transactionIds": found[:SHOWN]}
        return GateResult(gate=self.name, passed=not found, why=why, evidence=evidence, subject=move.subject)


class MastersEqual:
    """Both systems show every master as the gateway knows it. Where a driver cannot read masters this cannot be
    evaluated, and fails."""

    name = "masters_equal"

    def __init__(self, reads: MasterReads, systems: Mapping[str, ErpSystem]) -> None:
        self._reads = reads
        self._systems = systems

    def guards(self, candidate: Candidate) -> bool:
        """Masters change hands."""
        return bool(switches_of(candidate))

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """One result for each switch."""
        return [await self._of(move, candidate) for move in switches_of(candidate)]

    async def _of(self, move: Move, candidate: Candidate) -> GateResult:
        where, keeping = move.filter(candidate.rulebook), sorted(owners(move.before) | owners(move.after))
        found = await compared(self._reads, self._systems, where, keeping)
        evidence: dict[str, Any] = {
            "systemIds": keeping,
            "mastersCompared": found.compared,
            "unequal": [one.as_json() for one in found.differences[:SHOWN]],
        }
        if found.refused is not None:
            return GateResult(gate=self.name, passed=False, why=found.refused, evidence=evidence, subject=move.subject)
        count = len(found.differences)
        why = (
            f"{count} difference(s) in {found.compared} {where.domain}: "
            + "; ".join(str(one) for one in found.differences[:3])
            if count
            else f"{found.compared} {where.domain} are the same in {' and '.join(keeping)}"
        )
        return GateResult(gate=self.name, passed=not count, why=why, evidence=evidence, subject=move.subject)
