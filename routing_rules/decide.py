"""decide(rulebook, facts): which system a new root goes to, or why none can be named.

1. The rows that match the facts are looked up.
2. Of these, the ones that strictly contain no other of them decide: an exception goes before its rule.
3. None: a gap. Several that yield different things: a conflict. Several that agree: the lowest row id is named.
4. The stage turns the row's systems into a target; in a pilot the allow-list and the share bucket do.

Pure and quick; the explanation is built when asked for. What lies outside a table is not looked at: pins, overlays
that people set, periods and lateness are the gateway's. Source: docs/rules.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from routing_rules.explanation import TableEvidence
from routing_rules.facts import Facts
from routing_rules.model import Conflict, Decision, Gap, Outcome, Side, Stage
from routing_rules.share import in_share, share_bucket

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
    evidence = found.evidence
    if evidence is None:
        evidence = found.evidence = TableEvidence(index, found)
    if not found.deciding:
        return Gap(index.table_version, facts, evidence)
    if not found.agreed:
        return Conflict(found.deciding, index.table_version, facts, evidence)
    row = found.deciding[0]
    outcome = row.outcome
    bucket = facts.recorded_bucket if facts.share_key is None else share_bucket(facts.share_key)
    allow_hit = is_allowed(outcome, facts)
    side = target_side(outcome, bucket, allow_hit=allow_hit)
    system_id = outcome.legacy_system if side is Side.LEGACY else outcome.cloud_system
    if system_id is None:
        raise RowWithoutTarget(row.id, side)
    return Decision(system_id, side, row, index.table_version, bucket, allow_hit, facts, evidence)


class RowWithoutTarget(RuntimeError):
    """A row's stage needs a system that the row does not name. The loader refuses such rows: this is our defect."""

    def __init__(self, row_id: str, side: Side) -> None:
        super().__init__(f"row {row_id} names no {side} system")


def is_allowed(outcome: Outcome, facts: Facts) -> bool:
    """Whether the root is on the pilot's allow-list; facts that were read back say what was recorded."""
    if outcome.stage is not Stage.PILOT:
        return False
    if facts.root_external_id is None:
        return bool(facts.recorded_allow_hit)
    return facts.root_external_id in outcome.allow


def target_side(outcome: Outcome, bucket: int | None, *, allow_hit: bool) -> Side:
    """The effect of a stage on a new root; a pilot splits."""
    if outcome.stage in _TO_LEGACY:
        return Side.LEGACY
    if outcome.stage is Stage.PILOT and outcome.share is not None:
        return Side.CLOUD if allow_hit or in_share(bucket, outcome.share) else Side.LEGACY
    return Side.CLOUD
