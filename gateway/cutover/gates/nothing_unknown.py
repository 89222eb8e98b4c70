"""Gate `nothing_unknown`: no transaction of the slice is unknown or in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.gates.gate_ports import GateReads
from gateway.cutover.gates.moves import FOLLOWING, moves_of
from gateway.domain.queries import TransactionFilter, Visible
from gateway.domain.transaction import Status
from routing_rules import Rulebook

SHOWN: Final = 20
"""Transactions that the evidence names at most."""


class NothingUnknown:
    """Guards every change of a stage or system: what nobody knows the outcome of would be judged by other rules."""

    name = "nothing_unknown"

    def __init__(self, reads: GateReads) -> None:
        self._reads = reads

    def guards(self, candidate: Candidate) -> bool:
        """A stage or system changes."""
        return bool(moves_of(candidate))

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """One result for each move."""
        results = []
        for move in moves_of(candidate):
            where = move.filter(candidate.rulebook)
            found: list[str] = []
            for domain in (move.change.domain, *_followers(candidate.rulebook, move.change.domain)):
                for status in (Status.UNKNOWN, Status.IN_DOUBT):
                    asked = TransactionFilter(
                        domain=domain,
                        status=status.value,
                        business_units=where.business_units,
                        geographies=where.geographies,
                    )
                    records = await self._reads.transactions(asked, Visible(), SHOWN + 1, None)
                    found += [one.transaction_id for one in records]
            many = "more than " if len(found) > SHOWN else ""
            count = min(len(found), SHOWN)
            why = (
                f"{many}{count} transaction(s) are unknown or in doubt; operations must settle them first"
                if found
                else "no transaction is unknown or in doubt"
            )
            evidence = {"transactionIds": found[:SHOWN]}
            results.append(
                GateResult(gate=self.name, passed=not found, why=why, evidence=evidence, subject=move.subject)
            )
        return results


def _followers(rulebook: Rulebook, domain: str) -> tuple[str, ...]:
    return tuple(one for one in FOLLOWING.get(domain, ()) if one != domain and one in rulebook.tables)
