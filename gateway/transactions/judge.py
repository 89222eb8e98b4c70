"""What the rule tables say to facts, as a decision or as a refusal."""

from __future__ import annotations

from gateway.domain.facts import wire_members
from gateway.errors import FieldError, Problem
from gateway.transactions.parts import LineParts
from routing_rules import Decision, DomainNotServed, Facts, Gap, UnknownNode, decide


def judge(parts: LineParts, facts: Facts, *, follows: bool) -> Decision | None:
    """What the tables say. A follow-up goes where its root went, so for it a gap is no obstacle (None).

    Raises Problem: domain-not-served, unknown-node, no-rule.
    """
    try:
        answer = decide(parts.rules.rulebook, facts)
    except DomainNotServed as error:
        raise Problem("domain-not-served", str(error), remedy="ask the migration team for a rule table") from error
    except UnknownNode as error:
        field = wire_members({error.field: None})
        raise Problem(
            "unknown-node",
            str(error),
            remedy="use an id of the rulebook's trees",
            errors=(FieldError(next(iter(field)), str(error), "use an id of the rulebook's trees"),),
        ) from error
    if isinstance(answer, Decision):
        return answer
    if follows:
        return None
    what = "no row matches these facts" if isinstance(answer, Gap) else "rows contradict each other"
    raise Problem(
        "no-rule",
        f"the rule table of {facts.domain} gives no decision: {what}",
        remedy="ask the migration team; GET /v1/routing/explain shows the rows concerned",
        extra={"explanation": wire_members(answer.explanation.as_json())},
    )
