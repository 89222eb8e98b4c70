"""Where a transaction goes: its lineage's pin, else the rulebook in force; and whether it may go now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.canonical import MASTER_DOMAINS, CanonicalDocument, ErpNumber
from adapters.port import Operation
from gateway.domain.caller import DataScope
from gateway.domain.facts import facts_of, wire_members
from gateway.domain.records import PinRecord
from gateway.errors import FieldError, Problem
from gateway.transactions.links import (
    LinkedDocument,
    parents_of,
    pin_of_parents,
    refuse_failed_parent,
    resolve_links,
)
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import WriteUnit
from routing_rules import Decision, DomainNotServed, Facts, Gap, Overlay, UnknownNode, decide


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes and why. `members` are the wire members of its `routed` entry."""

    system_id: str
    side: str
    stage: str
    table_version: str | None
    rule_row: str | None
    activation_number: int | None
    pinned: bool
    effect: str
    members: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Ready:
    """It may go now, and every document that it names has a number there."""

    target: Target
    numbers: Mapping[str, ErpNumber]


@dataclass(frozen=True, slots=True)
class Waits:
    """It waits for that transaction to be posted."""

    transaction_id: str
    field: str


@dataclass(frozen=True, slots=True)
class Held:
    """An overlay keeps it back; nothing was sent."""

    overlay: str
    rule_row: str


@dataclass(frozen=True, slots=True)
class Routed:
    """What routing came to, and the documents that were found on the way."""

    outcome: Ready | Waits | Held
    linked: Sequence[LinkedDocument]


async def route(
    unit: WriteUnit,
    parts: LineParts,
    document: CanonicalDocument,
    *,
    operation: str,
    source: str,
    scope: DataScope | None,
    transaction_id: str,
    lineage_id: str | None = None,
) -> Routed:
    """Decide in the unit of the commit: with the parents, pins and numbers as they stand in it.

    `lineage_id`: the transaction's own lineage, once it has one (a root that was routed before keeps its pin).

    Raises Problem for what can never be sent as it is: unknown-reference, parent-rejected, lineage-spans-systems,
    unknown-node, domain-not-served, no-rule, frozen.
    """
    linked = await resolve_links(unit, document, source, scope)
    parents = parents_of(linked)
    refuse_failed_parent(parents)
    pin = await pin_of_parents(unit, parents)
    if pin is None and lineage_id is not None and not is_master(document):
        pin = await unit.pin(lineage_id)
    facts = facts_of(
        document,
        operation=operation,
        share_key=_share_key(parts, document, linked, source, transaction_id),
        is_root=not parents,
    )
    decision = judge(parts, facts, follows=bool(parents))
    for parent in parents:
        if not parent.is_there and parent.transaction is not None:
            return Routed(Waits(parent.transaction.transaction_id, parent.link.field), linked)
    overlay = decision.overlay if decision is not None else None
    if decision is not None and overlay is not None and not (parents and overlay is Overlay.PAUSED):
        return Routed(_overlaid(decision, overlay), linked)
    target = _pinned(parts, pin, decision, facts) if pin is not None else _decided(parts, decision, facts)
    refuse_unsupported(parts, document.domain, operation, target)
    return Routed(await _numbers(unit, linked, target), linked)


def judge(parts: LineParts, facts: Facts, *, follows: bool) -> Decision | None:
    """What the tables say. A follow-up goes where its root went, so for it a gap is no obstacle (None)."""
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


def refuse_unsupported(parts: LineParts, domain: str, operation: str, target: Target) -> None:
    """Raise Problem `domain-not-served` if the target cannot do this at all."""
    system = parts.systems.get(target.system_id)
    capability = system.port.capabilities().get((domain, Operation(operation))) if system else None
    if capability is None or not capability.supported:
        reason = capability.reason if capability else "it is not connected"
        raise Problem(
            "domain-not-served",
            f"system {target.system_id} does not take {operation} of {domain}: {reason}",
            remedy="the rulebook must name a system that does; tell the migration team",
        )


def _share_key(
    parts: LineParts,
    document: CanonicalDocument,
    linked: Sequence[LinkedDocument],
    source: str,
    transaction_id: str,
) -> str | None:
    """Share bucket (docs/rules.md): the customer's canonical id; with `share_by: document` the root's own name."""
    if parts.rules.rulebook.share_by.get(document.domain) == "document":
        return f"{source}{document.domain}{document.external_id}" if document.external_id else transaction_id
    for one in linked:
        if one.link.field == "customer":
            return one.document.document_id
    if document.domain == "customers":
        return f"{source}{document.external_id}" if document.external_id else transaction_id
    return None


def _overlaid(decision: Decision, overlay: Overlay) -> Held:
    if overlay is Overlay.FREEZE:
        raise Problem(
            "frozen",
            f"row {decision.row_id} freezes this slice: nothing is accepted until it is lifted",
            remedy="send the same request again once the freeze is over",
            retry_after_s=3_600,
            extra={"windowId": decision.row_id},
        )
    return Held(overlay.value, decision.row_id)


def _facts_members(decision: Decision | None, facts: Facts) -> dict[str, object]:
    recorded = decision.deciding_facts() if decision is not None else facts.as_json()
    members: dict[str, object] = wire_members(recorded)
    return {name: value for name, value in members.items() if value is not None}


def _decided(parts: LineParts, decision: Decision | None, facts: Facts) -> Target:
    if decision is None:
        raise Problem("no-rule", "its lineage has no pin and the table has no row", remedy="ask the migration team")
    effect = decision.explanation.effect
    return _target(parts, decision, facts, decision.system_id, decision.side.value, effect)


def _target(parts: LineParts, decision: Decision, facts: Facts, system_id: str, side: str, effect: str) -> Target:
    number = parts.rules.activation_number
    return Target(
        system_id=system_id,
        side=side,
        stage=decision.stage.value,
        table_version=decision.table_version,
        rule_row=decision.row_id,
        activation_number=number,
        pinned=False,
        effect=effect,
        members={
            "systemId": system_id,
            "stage": decision.stage.value,
            "rule": {"tableVersion": decision.table_version, "row": decision.row_id, "activationNumber": number},
            "explanation": effect,
            "facts": _facts_members(decision, facts),
            "pinned": False,
        },
    )


def _pinned(parts: LineParts, pin: PinRecord, decision: Decision | None, facts: Facts) -> Target:
    effect = f"its lineage belongs to {pin.system_id} since its root was routed"
    rule = {
        "tableVersion": pin.table_version,
        "row": pin.rule_row,
        "activationNumber": parts.rules.activation_number,
        "pinnedUnder": pin.activation_number,
    }
    return Target(
        system_id=pin.system_id,
        side=pin.side,
        stage=pin.stage,
        table_version=pin.table_version,
        rule_row=pin.rule_row,
        activation_number=parts.rules.activation_number,
        pinned=True,
        effect=effect,
        members={
            "systemId": pin.system_id,
            "stage": pin.stage,
            "rule": {name: value for name, value in rule.items() if value is not None},
            "explanation": effect,
            "facts": _facts_members(decision, facts),
            "pinned": True,
        },
    )


async def _numbers(unit: WriteUnit, linked: Sequence[LinkedDocument], target: Target) -> Ready | Waits:
    """What everything that is referred to is called at the target; waits for a master that is on its way there."""
    ids = list(dict.fromkeys(one.document.document_id for one in linked))
    known = await unit.numbers_in(ids, target.system_id) if ids else {}
    numbers: dict[str, ErpNumber] = {}
    for one in linked:
        number = known.get(one.document.document_id)
        if number is not None:
            numbers[one.link.field] = number
            continue
        making = one.transaction
        if making is not None and not one.is_there and not one.failed:
            return Waits(making.transaction_id, one.link.field)
        raise Problem(
            "unknown-reference",
            f"{one.link.field} has no number in {target.system_id}, where this document belongs",
            remedy=f"create it in {target.system_id} first, or import its cross-reference",
            errors=(FieldError(one.link.field, f"has no number in {target.system_id}", "create or import it there"),),
        )
    return Ready(target, numbers)


def is_master(document: CanonicalDocument) -> bool:
    """Masters have no pin and are no parents."""
    return document.domain in MASTER_DOMAINS
