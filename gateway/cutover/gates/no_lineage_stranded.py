"""Gate `no_lineage_stranded`: every open lineage keeps its system, and the domains that its follow-ups need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.gates.gate_ports import GateReads
from gateway.cutover.gates.moves import FOLLOWING, Move, moves_of
from gateway.domain.open_lineages import OpenFilter, OpenGroup
from gateway.domain.queries import Visible
from gateway.transactions.home import HOME
from gateway.transactions.ports import Clock
from routing_rules import Stage

_CLOSING: Final = frozenset({Stage.READ_ONLY, Stage.RETIRED})


class NoLineageStranded:
    """Not waivable. A lineage is stranded where the candidate no longer has its system, where that system or the
    rulebook loses a domain that its follow-ups belong to, and where its slice closes (`read_only`, `retired`) while it
    is open in legacy: it must be drained or adopted first."""

    name = "no_lineage_stranded"

    def __init__(self, reads: GateReads, clock: Clock) -> None:
        self._reads = reads
        self._clock = clock

    def guards(self, candidate: Candidate) -> bool:
        """Every change: systems and their domains belong to no box."""
        return True

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """One result for what is withdrawn, one for each closing slice."""
        opened = await self._reads.open_groups(OpenFilter(), Visible(), self._clock.now())
        results = [self._result(None, opened, [*_withdrawn(candidate, opened)])]
        for move in moves_of(candidate):
            if move.after.stage in _CLOSING and (move.before is None or move.before.stage not in _CLOSING):
                left = [one for one in opened if one.side == "legacy" and _inside(one, move, candidate)]
                complaints = [
                    f"{sum(one.lineages for one in left)} lineage(s) are still open in legacy; drain or adopt them"
                ]
                results.append(self._result(move.subject, left, complaints if left else []))
        return results

    def _result(self, subject: str | None, looked_at: Sequence[OpenGroup], complaints: list[str]) -> GateResult:
        why = "; ".join(complaints) or "every open lineage keeps its system and what its follow-ups need"
        evidence = {"openLineages": sum(one.lineages for one in looked_at), "complaints": complaints}
        return GateResult(gate=self.name, passed=not complaints, why=why, evidence=evidence, subject=subject)


def _inside(one: OpenGroup, move: Move, candidate: Candidate) -> bool:
    where = move.filter(candidate.rulebook)
    return (
        one.domain == where.domain
        and one.business_unit in (where.business_units or ())
        and one.geography in (where.geographies or ())
    )


def _withdrawn(candidate: Candidate, opened: Iterable[OpenGroup]) -> Iterator[str]:
    """What open lineages need and the candidate no longer has, each once with its count."""
    counts: dict[str, int] = {}
    for one in opened:
        for what in _lacks(candidate, one):
            counts[what] = counts.get(what, 0) + one.lineages
    for what, lineages in sorted(counts.items()):
        yield f"{what}, which {lineages} open lineage(s) need"


def _lacks(candidate: Candidate, one: OpenGroup) -> Iterator[str]:
    needed = (one.domain, *FOLLOWING.get(one.domain, ()))
    for domain in needed:
        if domain in candidate.base.tables and domain not in candidate.rulebook.tables:
            yield f"the rulebook would no longer serve {domain}"
    if one.system_id is None or one.system_id == HOME:
        return
    system, before = candidate.rulebook.systems.get(one.system_id), candidate.base.systems.get(one.system_id)
    if system is None:
        yield f"system {one.system_id} would be withdrawn"
        return
    for domain in needed:
        if before is not None and domain in before.domains and domain not in system.domains:
            yield f"system {one.system_id} would no longer take {domain}"
