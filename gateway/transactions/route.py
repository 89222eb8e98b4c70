"""Where a transaction goes: its lineage's pin, else the rulebook in force; and whether it may go now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from adapters.canonical import MASTER_DOMAINS, CanonicalDocument, ErpNumber
from gateway.domain.caller import DataScope
from gateway.domain.facts import facts_of, wire_members
from gateway.domain.records import TransactionRecord
from gateway.errors import FieldError, Problem
from gateway.transactions.links import (
    LinkedDocument,
    customer_of,
    parents_of,
    pin_of_parents,
    refuse_failed_parent,
    resolve_links,
)
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import WriteUnit
from gateway.transactions.target import (
    Held,
    Ready,
    Target,
    Waits,
    decided,
    pinned,
    refuse_unserved,
    refuse_unsupported,
)
from routing_rules import Decision, DomainNotServed, Facts, Gap, Overlay, UnknownNode, decide


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
    source: str,
    scope: DataScope | None,
    transaction_id: str,
    lineage_id: str | None = None,
) -> Routed:
    """Decide for a new document in the unit of the commit: with the parents, pins and numbers as they stand in it.

    `lineage_id`: the transaction's own lineage, once it has one (a root that was routed before keeps its pin).

    Raises Problem for what can never be sent as it is: unknown-reference, parent-rejected, lineage-spans-systems,
    unknown-node, domain-not-served, no-rule, frozen.
    """
    linked = await resolve_links(unit, document, source, scope)
    refuse_failed_parent(linked)
    parents = parents_of(linked)
    pin = await pin_of_parents(unit, parents)
    if pin is None and lineage_id is not None and not is_master(document):
        pin = await unit.pin(lineage_id)
    facts = facts_of(
        document,
        operation="create",
        share_key=_share_key(parts, document, linked, source, transaction_id),
        is_root=not parents,
    )
    decision = judge(parts, facts, follows=bool(parents))
    for parent in parents:
        if not parent.is_there and parent.transaction is not None:
            return Routed(Waits(parent.transaction.transaction_id, parent.link.field), linked)
    held = _overlay(decision, follows=bool(parents))
    if held is not None:
        return Routed(held, linked)
    target = pinned(parts, pin, decision, facts) if pin is not None else decided(parts, decision, facts)
    refuse_unsupported(parts, document.domain, target)
    return Routed(await _numbers(unit, linked, target), linked)


async def route_operation(
    unit: WriteUnit,
    parts: LineParts,
    document: CanonicalDocument,
    record: TransactionRecord,
    *,
    scope: DataScope | None,
    changed: frozenset[str] = frozenset(),
) -> Routed:
    """The same for what is done to a document: it goes where the document is, a master to its system of record.

    `document`: as it shall stand after a change, as it stands before a cancellation or reversal. `changed`: the
    members (wire names) that a change touches.

    Raises Problem: operation-not-served, unknown-reference (of `documentId`: the system of record does not hold it;
    or of a changed member), no-rule, frozen.
    """
    linked = await resolve_links(unit, document, record.source, scope) if record.operation == "change" else []
    pin = None if is_master(document) else await unit.pin(record.lineage_id)
    facts = facts_of(
        document,
        operation=record.operation,
        share_key=_share_key(parts, document, linked, record.source, record.transaction_id),
        is_root=pin is None,
    )
    if record.posting_date is not None:
        facts = replace(facts, posting_date=date.fromisoformat(record.posting_date))
    decision = judge(parts, facts, follows=pin is not None)
    target = pinned(parts, pin, decision, facts) if pin is not None else decided(parts, decision, facts)
    refuse_unserved(parts, record.domain, record.operation, target, changed)
    if not await unit.numbers_in([record.document_id], target.system_id):
        where = f"has no number in {target.system_id}, where documents like it belong"
        raise Problem(
            "unknown-reference",
            f"the document {where}",
            remedy=f"create it in {target.system_id} first, or import its cross-reference",
            errors=(FieldError("documentId", where, "create or import it there"),),
        )
    held = _overlay(decision, follows=True)
    if held is not None:
        return Routed(held, linked)
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
    if document.domain == "customers":
        return f"{source}{document.external_id}" if document.external_id else transaction_id
    return customer_of(linked)


def _overlay(decision: Decision | None, *, follows: bool) -> Held | None:
    """What lies over the slice, if it keeps this back; a pause is for new roots only."""
    overlay = decision.overlay if decision is not None else None
    if decision is None or overlay is None or (follows and overlay is Overlay.PAUSED):
        return None
    if overlay is Overlay.FREEZE:
        raise Problem(
            "frozen",
            f"row {decision.row_id} freezes this slice: nothing is accepted until it is lifted",
            remedy="send the same request again once the freeze is over",
            retry_after_s=3_600,
            extra={"windowId": decision.row_id},
        )
    return Held(overlay.value, decision.row_id)


async def _numbers(unit: WriteUnit, linked: Sequence[LinkedDocument], target: Target) -> Ready | Waits:
    """What everything that is referred to is called at the target; waits for a master that is on its way there.

    What is only related needs no number, and the gateway itself knows all documents by their ids.
    """
    needed = [one for one in linked if one.link.kind != "relates"]
    ids = list(dict.fromkeys(one.document.document_id for one in needed))
    known = await unit.numbers_in(ids, target.system_id) if ids and not target.is_home else {}
    numbers: dict[str, ErpNumber] = {}
    for one in needed:
        number = known.get(one.document.document_id)
        if number is not None:
            numbers[one.link.field] = number
            continue
        making = one.transaction
        if target.is_home and not one.failed:
            continue
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
