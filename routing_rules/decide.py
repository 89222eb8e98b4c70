"""decide(rulebook, facts): which system a new root goes to, or why none can be named.

1. The rows that match the facts are looked up.
2. Of these, the ones that strictly contain no other of them decide: an exception goes before its rule.
3. None: a gap. Several that yield different things: a conflict. Several that agree: the lowest row id is named.
4. The stage turns the row's systems into a target; in a pilot the allow-list and the share bucket do. From ``pilot``
   to ``drain`` a posting date before the row's cutover date goes before all of that: such a root goes to legacy.

Pure and quick; what depends on the matching rows alone is worked out once, and the explanation when asked for. What
lies outside a table is not looked at: pins, overlays that people set, periods and lateness are the gateway's. Source:
docs/rules.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from routing_rules.answers import Conflict, Decision, Evidence, Gap, Verdict
from routing_rules.explanation import TableEvidence
from routing_rules.facts import Facts
from routing_rules.index import TableIndex
from routing_rules.model import Outcome, Side, Stage
from routing_rules.resolution import Resolution
from routing_rules.share import bucket_of, in_share, is_allowed

if TYPE_CHECKING:
    from routing_rules.rulebook import Rulebook

_TO_LEGACY: Final = frozenset({Stage.LEGACY, Stage.DARK, Stage.VALIDATE})


def decide(rulebook: Rulebook, facts: Facts) -> Decision | Gap | Conflict:
    """Decide where a new root with these facts goes.

    Raises DomainNotServed if the rulebook has no table for the domain, UnknownNode if a fact names what the rulebook
    does not have.
    """
    index = rulebook.index(facts.domain)
    found = index.resolve(facts)
    verdict = found.verdict
    return _decide(index, found, facts) if verdict is None else Decision(verdict, facts)


def _decide(index: TableIndex, found: Resolution, facts: Facts) -> Decision | Gap | Conflict:
    """What was not decided before, and what the facts have a say in."""
    evidence = found.evidence
    if evidence is None:
        evidence = found.evidence = TableEvidence(index, found)
    if not found.deciding:
        return Gap(index.table_version, facts, evidence)
    if not found.agreed:
        return Conflict(found.deciding, index.table_version, facts, evidence)
    outcome = found.deciding[0].outcome
    if outcome.is_before_cutover(facts.posting_date):
        if found.before_cutover is None:
            found.before_cutover = replace(_verdict(index, found, evidence, Side.LEGACY), before_cutover=True)
        return Decision(found.before_cutover, facts)
    if outcome.stage is Stage.PILOT:
        side = pilot_side(outcome, facts)
    else:
        side = Side.LEGACY if outcome.stage in _TO_LEGACY else Side.CLOUD
        if outcome.cutover_date is None:
            found.verdict = _verdict(index, found, evidence, side)
            return Decision(found.verdict, facts)
    verdict = found.split.get(side)
    if verdict is None:
        verdict = found.split[side] = _verdict(index, found, evidence, side)
    return Decision(verdict, facts)


def _verdict(index: TableIndex, found: Resolution, evidence: Evidence, side: Side) -> Verdict:
    row = found.deciding[0]
    system_id = row.outcome.legacy_system if side is Side.LEGACY else row.outcome.cloud_system
    if system_id is None:
        raise RowWithoutTarget(row.id, side)
    return Verdict(system_id, side, row, index.table_version, evidence)


class RowWithoutTarget(RuntimeError):
    """A row's stage needs a system that the row does not name. The loader refuses such rows: this is our defect."""

    def __init__(self, row_id: str, side: Side) -> None:
        super().__init__(f"row {row_id} names no {side} system")


def pilot_side(outcome: Outcome, facts: Facts) -> Side:
    """How a pilot splits: the allow-list first, then the share."""
    if outcome.share is None or is_allowed(outcome, facts):
        return Side.CLOUD
    return Side.CLOUD if in_share(bucket_of(facts), outcome.share) else Side.LEGACY
