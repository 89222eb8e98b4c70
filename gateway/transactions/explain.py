"""How facts would be routed now, in wire words; nothing is posted."""

from __future__ import annotations

from gateway.domain.facts import wire_members
from gateway.errors import Problem
from gateway.transactions.commands import DecisionView
from gateway.transactions.home import HOME, keeps
from gateway.transactions.overlays import lying_over
from gateway.transactions.parts import LineParts
from gateway.transactions.target import kept_effect
from routing_rules import Decision, DomainNotServed, Facts, UnknownNode, decide


def explain(parts: LineParts, facts: Facts) -> DecisionView:
    """Raises Problem `domain-not-served`, `unknown-node`."""
    rules = parts.rules
    try:
        answer = decide(rules.rulebook, facts)
    except DomainNotServed as error:
        raise Problem("domain-not-served", str(error), remedy="name a domain of the rulebook") from error
    except UnknownNode as error:
        raise Problem("unknown-node", str(error), remedy="use an id of the rulebook's trees") from error
    body: dict[str, object] = wire_members(answer.explanation.as_json())
    system = parts.systems.get(answer.system_id) if isinstance(answer, Decision) else None
    if isinstance(answer, Decision) and system is not None and keeps(facts.domain, system.port.capabilities()):
        body["target"] = {"systemId": HOME, "side": answer.side.value}
        body["ruledSystemId"] = answer.system_id
        body["effect"] = kept_effect(answer.explanation.effect, answer.system_id)
    lying = lying_over(rules, facts, answer if isinstance(answer, Decision) else None)
    body["overlayInForce"] = None if lying is None else lying.members
    body["activationNumber"] = rules.activation_number
    return DecisionView(body)
