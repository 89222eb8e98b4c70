"""Gate `cross_references`: customers and products that recent documents name have numbers in the new system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.gates.gate_ports import GateReads
from gateway.cutover.gates.moves import Move, cloud_of, moves_of
from gateway.cutover.thresholds import ThresholdInvalid, threshold
from gateway.domain.gate_evidence import KeyUsed
from gateway.domain.open_lineages import DAY
from gateway.transactions.ports import Clock
from routing_rules import Rulebook, Stage

SHOWN: Final = 50
"""Keys that the evidence names at most."""
PRODUCTS_OF: Final = 1_000
"""Newest documents whose lines are looked at; products stand in the bodies only."""
_NEEDS_NUMBERS: Final = frozenset({Stage.VALIDATE, Stage.PILOT, Stage.LIVE})


class CrossReferences:
    """Guards moves on to `validate`, `pilot` or `live`, and those that bring a new system in. Lately is
    `thresholds.cross_reference_days`."""

    name = "cross_references"

    def __init__(self, reads: GateReads, clock: Clock) -> None:
        self._reads = reads
        self._clock = clock

    def guards(self, candidate: Candidate) -> bool:
        """Some move needs numbers in the cloud system."""
        return any(_needs(move) for move in moves_of(candidate))

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """One result for each such move."""
        try:
            days = threshold(candidate.base, "cross_reference_days")
        except ThresholdInvalid as invalid:
            return [GateResult(gate=self.name, passed=False, why=str(invalid))]
        since = self._clock.now() - int(days * DAY)
        moves = [move for move in moves_of(candidate) if _needs(move)]
        return [await self._of_move(move, candidate.rulebook, since) for move in moves]

    async def _of_move(self, move: Move, rulebook: Rulebook, since: int) -> GateResult:
        system_id, where = cloud_of(move.after) or "", move.filter(rulebook)
        customers = await self._reads.customers_without_number(where, since, system_id, SHOWN + 1)
        looked_at, products = await self._reads.products_without_number(where, since, system_id, PRODUCTS_OF)
        lacking = len(customers) + len(products)
        more = "more than " if len(customers) > SHOWN else ""
        why = (
            f"{more}{len(customers[:SHOWN])} customer(s) and {len(products)} product(s) used lately have no number in "
            f"{system_id}: create them there or import their cross-references"
            if lacking
            else f"the customers, and the products of {looked_at} recent document(s), have numbers in {system_id}"
        )
        evidence: dict[str, Any] = {
            "systemId": system_id,
            "customersWithoutNumber": [_shown(one) for one in customers[:SHOWN]],
            "productsWithoutNumber": [_shown(one) for one in products[:SHOWN]],
            "documentsLookedAt": looked_at,
        }
        return GateResult(gate=self.name, passed=not lacking, why=why, evidence=evidence, subject=move.subject)


def _needs(move: Move) -> bool:
    return cloud_of(move.after) is not None and (
        (move.goes_on and move.after.stage in _NEEDS_NUMBERS) or cloud_of(move.after) in move.new_systems
    )


def _shown(one: KeyUsed) -> dict[str, Any]:
    """Without external ids: evidence goes into the ledger."""
    return {"documentId": one.document_id, "documents": one.documents}
