"""Where a transaction goes: its lineage's pin, else the rulebook in force; and whether it may go now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from adapters.canonical import MASTER_DOMAINS, CanonicalDocument, JournalEntry, Payment
from gateway.domain.caller import DataScope
from gateway.domain.facts import facts_of
from gateway.domain.records import PinRecord, TransactionRecord
from gateway.errors import FieldError, Problem
from gateway.transactions.agreement import refuse_credited_credits, refuse_other_lineages
from gateway.transactions.books import judged_books, legs_of_books
from gateway.transactions.judge import judge
from gateway.transactions.late import kind_of, late_of, refuse_late, refuse_legacy, relating
from gateway.transactions.late_legs import late_of_legs
from gateway.transactions.leg_routes import legs_ready, undoing_legs
from gateway.transactions.links import (
    Coming,
    LinkedDocument,
    customer_of,
    parents_of,
    pins_of_parents,
    refuse_failed_parent,
    resolve_links,
    spanning,
    spans_systems,
)
from gateway.transactions.numbers import numbers_at
from gateway.transactions.overlays import Lying, lying_over, lying_over_legs, refuse_frozen, strictest
from gateway.transactions.parts import LineParts
from gateway.transactions.payment_legs import legs_of_payment
from gateway.transactions.periods import POSTING_DATE, refuse_closed_period
from gateway.transactions.ports import WriteUnit
from gateway.transactions.target import (
    Held,
    PlannedLeg,
    Ready,
    Waits,
    decided,
    pinned,
    refuse_mixed_lines,
    refuse_too_many_lines,
    refuse_unserved,
    refuse_unsupported,
)
from routing_rules import Decision


@dataclass(frozen=True, slots=True)
class Routed:
    """What routing came to, and the documents that were found on the way.

    `detached`: it comes too late to follow anything, and is a root that relates to what it would have followed.
    `expected`: the system that it goes to as things stand, empty where that cannot be told yet.
    """

    outcome: Ready | Waits | Held
    linked: Sequence[LinkedDocument]
    detached: bool = False
    expected: str = ""

    @property
    def parents(self) -> Sequence[LinkedDocument]:
        """What it follows."""
        return [] if self.detached else parents_of(self.linked)

    @property
    def related(self) -> Sequence[LinkedDocument]:
        """The links as they are recorded."""
        return relating(self.linked) if self.detached else self.linked


async def route(
    unit: WriteUnit,
    parts: LineParts,
    document: CanonicalDocument,
    *,
    source: str,
    scope: DataScope | None,
    transaction_id: str,
    lineage_id: str | None = None,
    coming: Coming | None = None,
) -> Routed:
    """Decide for a new document in the unit of the commit: with the parents, pins and numbers as they stand in it.
    `coming`: the customer that is accepted with it.

    `lineage_id`: the transaction's own lineage, once it has one (a root that was routed before keeps its pin); what is
    accepted already is kept back by a freeze, not refused.

    Raises Problem for what can never be sent as it is: unknown-reference, parent-rejected, lineage-spans-systems,
    lineage-closed, policy-check-failed, unknown-node, domain-not-served, no-rule, frozen, invalid-document.
    """
    linked = await resolve_links(unit, document, source, scope, coming)
    refuse_failed_parent(linked, transaction_id)
    refuse_credited_credits(document, linked)
    parents = parents_of(linked)
    pins = await pins_of_parents(unit, parents)
    spans = spans_systems(pins)
    if spans and not isinstance(document, Payment):
        raise spanning(parents, pins)
    await refuse_other_lineages(unit, document, parents)
    pin = next(iter(pins.values()), None)
    lineages = [parent.document.lineage_id for parent in parents]
    kind = kind_of(document, "create")
    late = await late_of(unit, parts, pin, lineages, document.domain, kind)
    if spans:
        late = None
        for lineage, one in pins.items():
            if await late_of(unit, parts, one, [lineage], document.domain, kind) is not None:
                raise spanning(parents, pins)
    refuse_late(late, pin, kind, can_move=lineage_id not in lineages)
    # also while it is held: whatever becomes of it, it does not join a lineage that is closed
    detached = late is not None or (lineage_id is not None and bool(parents) and lineage_id not in lineages)
    if detached:
        parents, pin = [], None
    if pin is None and lineage_id is not None and not is_master(document):
        pin = await unit.pin(lineage_id)
    facts = facts_of(
        document,
        operation="create",
        share_key=share_key_of(parts, document, linked, source, transaction_id),
        is_root=not parents,
    )
    refuse_closed_period(parts.rules.acts, document, facts.posting_date)
    decision = judge(parts, facts, follows=bool(parents))
    books = judged_books(parts, document, facts, pin) if isinstance(document, JournalEntry) else ()
    over = [lying_over(parts.rules, facts, decision), *(lying_over(parts.rules, b.facts, b.decision) for b in books)]
    lying = strictest(over)
    expected = _expected(pin, decision, follows=bool(parents))
    if lineage_id is None:
        refuse_frozen(lying, parts.tools.clock.now())
    for parent in parents:
        if not parent.is_there and parent.transaction is not None:
            return Routed(Waits(parent.transaction.transaction_id, parent.link.field), linked, expected=expected)
    legs: tuple[PlannedLeg, ...] = ()
    if spans and isinstance(document, Payment):
        legs = legs_of_payment(parts, document, parents, pins, facts)
        lying = strictest([lying, lying_over_legs(parts.rules, facts, [one.leg for one in legs])])
        if lineage_id is None:
            refuse_frozen(lying, parts.tools.clock.now())
    held = _held(lying, follows=bool(parents)) or (Held("hold", late=kind) if late == "hold" else None)
    if held is not None:
        return Routed(held, linked, detached, expected)
    if legs:
        return Routed(await legs_ready(unit, linked, legs), linked, expected=legs[0].target.system_id)
    target = pinned(parts, pin, decision, facts) if pin is not None else decided(parts, decision, facts)
    refuse_unsupported(parts, document.domain, target)
    if isinstance(document, JournalEntry):
        legs = legs_of_books(parts, document, books, pin, target)
        if legs:
            refuse_too_many_lines(parts, document, target, legs)
            return Routed(await legs_ready(unit, linked, legs), linked, detached, legs[0].target.system_id)
    refuse_mixed_lines(parts, document, target)
    refuse_too_many_lines(parts, document, target)
    if detached:
        refuse_legacy(target.side, kind)
    needed = relating(linked) if detached else linked
    return Routed(await numbers_at(unit, needed, target), linked, detached, target.system_id)


async def route_operation(
    unit: WriteUnit,
    parts: LineParts,
    document: CanonicalDocument,
    record: TransactionRecord,
    *,
    scope: DataScope | None,
    changed: frozenset[str] = frozenset(),
    again: bool = False,
) -> Routed:
    """The same for what is done to a document: it goes where the document is, a master to its system of record.

    `document`: as it shall stand after a change, as it stands before a cancellation or reversal. `changed`: the
    members (wire names) that a change touches. `again`: it is accepted already, so a freeze keeps it back.

    Raises Problem: operation-not-served, unknown-reference (of `documentId`: the system of record does not hold it;
    or of a changed member), lineage-closed, policy-check-failed, no-rule, frozen.
    """
    linked = await resolve_links(unit, document, record.source, scope) if record.operation == "change" else []
    pin = None if is_master(document) else await unit.pin(record.lineage_id)
    facts = facts_of(
        document,
        operation=record.operation,
        share_key=share_key_of(parts, document, linked, record.source, record.transaction_id),
        is_root=pin is None,
    )
    if record.posting_date is not None:
        facts = replace(facts, posting_date=date.fromisoformat(record.posting_date))
    kind = kind_of(document, record.operation)
    late = await late_of(unit, parts, pin, [record.lineage_id], record.domain, kind)
    refuse_late(late, pin, kind, can_move=False)
    if record.operation == "reverse" or POSTING_DATE in changed:
        refuse_closed_period(parts.rules.acts, document, facts.posting_date)
    undoing = await undoing_legs(unit, parts, record, facts) if record.operation == "reverse" else ()
    decision = judge(parts, facts, follows=pin is not None or bool(undoing))
    if undoing:
        planned = [one.leg for one in undoing]
        late = await late_of_legs(unit, parts, document, record, kind, planned)
        lying = strictest([lying_over(parts.rules, facts, decision), lying_over_legs(parts.rules, facts, planned)])
        if not again:
            refuse_frozen(lying, parts.tools.clock.now())
        kept_back = _held(lying, follows=True) or (Held("hold", late=kind) if late == "hold" else None)
        outcome = kept_back or Ready(undoing[0].target, {}, undoing)
        return Routed(outcome, linked, expected=undoing[0].target.system_id)
    target = pinned(parts, pin, decision, facts) if pin is not None else decided(parts, decision, facts)
    refuse_unserved(parts, record.domain, record.operation, target, changed)
    if "lines" in changed:
        refuse_too_many_lines(parts, document, target)
    if not await unit.numbers_in([record.document_id], target.system_id):
        where = f"has no number in {target.system_id}, where documents like it belong"
        raise Problem(
            "unknown-reference",
            f"the document {where}",
            remedy=f"create it in {target.system_id} first, or import its cross-reference",
            errors=(FieldError("documentId", where, "create or import it there"),),
        )
    lying = lying_over(parts.rules, facts, decision)
    if not again:
        refuse_frozen(lying, parts.tools.clock.now())
    held = _held(lying, follows=True) or (Held("hold", late=kind) if late == "hold" else None)
    if held is not None:
        return Routed(held, linked, expected=target.system_id)
    return Routed(await numbers_at(unit, linked, target), linked, expected=target.system_id)


def _expected(pin: PinRecord | None, decision: Decision | None, *, follows: bool) -> str:
    """The system of the pin, else that of the decision; what follows something unrouted goes where that will go."""
    if pin is not None:
        return pin.system_id
    return "" if follows or decision is None else decision.system_id


def share_key_of(
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


def _held(lying: Lying | None, *, follows: bool) -> Held | None:
    """What lies over the slice, if it keeps this back."""
    return lying.held if lying is not None and lying.stops(follows=follows) else None


def is_master(document: CanonicalDocument) -> bool:
    """Masters have no pin and are no parents."""
    return document.domain in MASTER_DOMAINS
