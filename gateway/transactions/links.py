"""Finding the documents that a document refers to, and what that means for its lineage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.canonical import CanonicalDocument, Invoice, Link
from gateway.domain.caller import DataScope
from gateway.domain.new_customer import MEMBER
from gateway.domain.records import DocumentRecord, PinRecord, RelationRecord, TransactionRecord
from gateway.domain.transaction import FAILED_ENDS, Status
from gateway.errors import FieldError, Problem
from gateway.transactions.ports import DocumentName, WriteUnit
from gateway.transactions.scope import is_visible


@dataclass(frozen=True, slots=True)
class LinkedDocument:
    """A document that the new one refers to, the field that does, and the transaction that made it (if any did)."""

    link: Link
    document: DocumentRecord
    transaction: TransactionRecord | None

    @property
    def is_going(self) -> bool:
        """It was posted for an order, and is taken back with it; or that was tried, and a person decides."""
        going = {Status.COMPENSATING, Status.IN_DOUBT}
        return self.document.made_for is not None and self.transaction is not None and self.transaction.status in going

    @property
    def is_there(self) -> bool:
        """Posted, or there before the gateway was."""
        return self.transaction is None or self.transaction.status is Status.POSTED

    @property
    def failed(self) -> bool:
        """Its transaction ended and left nothing."""
        return self.transaction is not None and self.transaction.status in FAILED_ENDS


def name_of(link: Link, source: str) -> DocumentName:
    """How the store looks this link's target up; an external id without source belongs to the caller's own source."""
    reference = link.reference
    if reference.external_id is not None:
        return DocumentName(link.target_domain, source=reference.source or source, external_id=reference.external_id)
    return DocumentName(link.target_domain, document_id=reference.document_id, erp_number=reference.erp_number)


@dataclass(frozen=True, slots=True)
class Coming:
    """The customer that comes with the document, as it will be recorded in the same commit."""

    name: DocumentName
    document: DocumentRecord
    transaction: TransactionRecord


async def resolve_links(
    unit: WriteUnit, document: CanonicalDocument, source: str, scope: DataScope | None, coming: Coming | None = None
) -> Sequence[LinkedDocument]:
    """All documents that this one refers to. `coming`: what is accepted with it.

    What is no master is kept from changing, and so is a customer that came with an order and may be taken back with it;
    what is not at rest is read under lock, so that it cannot end or be undone unnoticed between this look and the
    commit. Raises Problem `unknown-reference` naming every field that leads
    nowhere. What is no master and lies outside the caller's data scope leads nowhere too: its existence is not told.
    """
    links = document.links()
    names = {link.field: name_of(link, source) for link in links}
    found = dict(await unit.documents_named(list(dict.fromkeys(names.values()))))
    if coming is not None:
        found[coming.name] = coming.document
    missing: list[Link] = []
    known: list[tuple[Link, DocumentRecord]] = []
    for link in links:
        target = found.get(names[link.field])
        if target is None or (link.kind != "master" and not is_visible(target, scope)):
            missing.append(link)
        else:
            known.append((link, target))
    if missing:
        raise Problem(
            "unknown-reference",
            f"{missing[0].field} names a document that the gateway has never seen",
            remedy="submit the referenced document first, or correct the reference",
            errors=tuple(
                FieldError(
                    link.field,
                    f"no document of {link.target_domain} is known as {_told(link, source)}",
                    "submit it first, or correct the reference",
                )
                for link in missing
            ),
        )
    held = dict(await _hold(unit, document, known))
    if coming is not None:
        held.pop(coming.document.document_id, None)
    known = [(link, held.get(target.document_id, target)) for link, target in known]
    made_by = dict(await _transactions_of(unit, known))
    if coming is not None:
        made_by[coming.transaction.transaction_id] = coming.transaction
    return [
        LinkedDocument(link, target, made_by.get(target.transaction_id) if target.transaction_id else None)
        for link, target in known
    ]


def _told(link: Link, source: str) -> str:
    """The reference, and where it was looked up: one without a source is looked up under the caller's own."""
    reference = link.reference
    if reference.external_id is None or reference.source is not None:
        return str(reference)
    return f"{reference} under the source {source}; name the source where another one submitted it"


async def _hold(
    unit: WriteUnit, document: CanonicalDocument, known: Sequence[tuple[Link, DocumentRecord]]
) -> Mapping[str, DocumentRecord]:
    """What is no master or may be taken back, as it stands now, by id. Credit notes go one after the other: their sum
    is judged. What comes with the document itself is not there yet."""
    alone = isinstance(document, Invoice) and document.document_type == "credit_note"
    held = {}
    wanted = {target.document_id for link, target in known if link.kind != "master"}
    provisional = {target.document_id for link, target in known if link.kind == "master" and target.made_for}
    for document_id in sorted(wanted | provisional):
        parent = await unit.document(document_id, alone=alone and document_id in wanted)
        if parent is not None:
            held[document_id] = parent
    return held


async def _transactions_of(
    unit: WriteUnit, known: Sequence[tuple[Link, DocumentRecord]]
) -> Mapping[str, TransactionRecord]:
    ids = sorted({target.transaction_id for _, target in known if target.transaction_id is not None})
    if not ids:
        return {}
    made_by = dict(await unit.transactions(ids))
    for transaction_id in ids:
        seen = made_by.get(transaction_id)
        if seen is not None and seen.status is not Status.POSTED:
            locked = await unit.transaction(transaction_id)
            if locked is not None:
                made_by[transaction_id] = locked
    return made_by


def parents_of(linked: Sequence[LinkedDocument]) -> Sequence[LinkedDocument]:
    """Those that this document follows."""
    return [one for one in linked if one.link.kind == "follows"]


def relations_of(document_id: str, linked: Sequence[LinkedDocument]) -> list[RelationRecord]:
    """What is recorded of its links; masters are not."""
    return [
        RelationRecord(
            document_id,
            one.link.field,
            one.document.document_id,
            one.link.kind,
            None if one.link.amount is None else format(one.link.amount, "f"),
        )
        for one in linked
        if one.link.kind != "master"
    ]


def new_customer_of(linked: Sequence[LinkedDocument]) -> str | None:
    """The canonical id of the document's customer, if that came with an order that is not posted so far."""
    return next(
        (one.document.document_id for one in linked if one.link.field == "customer" and one.document.made_for), None
    )


def customer_of(linked: Sequence[LinkedDocument]) -> str | None:
    """The canonical id of the document's customer."""
    return next((one.document.document_id for one in linked if one.link.field == "customer"), None)


def customer_followed(parents: Sequence[LinkedDocument]) -> str | None:
    """The customer of what a document follows, as it is now: of the lineage that it joins."""
    return next(
        (
            one.document.customer_id
            for one in parents
            if one.document.customer_id is not None and one.document.lineage_id == parents[0].document.lineage_id
        ),
        None,
    )


def refuse_failed_parent(linked: Sequence[LinkedDocument], transaction_id: str) -> None:
    """Raise Problem `parent-rejected` if something that it follows or relates to ended without a document, or a
    customer that came with an order did. `transaction_id`: its own; a customer made for that is told as the caller
    sent it."""
    for parent in linked:
        if parent.failed and parent.transaction is not None and parent.document.made_for == transaction_id:
            raise Problem(
                "parent-rejected",
                f"{MEMBER} was not created: its transaction {parent.transaction.transaction_id}, which tells why, "
                f"ended as {parent.transaction.status}",
                remedy="correct the customer, and send both again with `replaces` naming this order's transaction, "
                f"{transaction_id}",
                errors=(FieldError(MEMBER, f"is {parent.transaction.status}", "correct it"),),
            )
        counts = parent.link.kind != "master" or parent.document.made_for is not None
        if counts and parent.failed and parent.transaction is not None:
            raise Problem(
                "parent-rejected",
                f"{parent.link.field} names a document whose transaction {parent.transaction.transaction_id} "
                f"ended as {parent.transaction.status}",
                remedy="correct and resubmit that document with `replaces`, then submit this one again",
                errors=(FieldError(parent.link.field, f"is {parent.transaction.status}"),),
            )


async def pins_of_parents(unit: WriteUnit, parents: Sequence[LinkedDocument]) -> Mapping[str, PinRecord]:
    """The pins of the parents' lineages, by lineage; absent while one has none."""
    pins: dict[str, PinRecord] = {}
    for lineage_id in dict.fromkeys(parent.document.lineage_id for parent in parents):
        pin = await unit.pin(lineage_id)
        if pin is not None:
            pins[lineage_id] = pin
    return pins


def spans_systems(pins: Mapping[str, PinRecord]) -> bool:
    """Whether the lineages belong to different systems."""
    return len({pin.system_id for pin in pins.values()}) > 1


def spanning(parents: Sequence[LinkedDocument], pins: Mapping[str, PinRecord]) -> Problem:
    """Problem `lineage-spans-systems` with the split."""
    split = [
        {
            "field": parent.link.field,
            "lineageId": parent.document.lineage_id,
            "systemId": pins[parent.document.lineage_id].system_id,
        }
        for parent in parents
        if parent.document.lineage_id in pins
    ]
    return Problem(
        "lineage-spans-systems",
        "the references lead into lineages that belong to different systems",
        remedy="submit one document per system, split as `split` says",
        errors=tuple(FieldError(str(part["field"]), f"belongs to {part['systemId']}") for part in split),
        extra={"split": split},
    )
