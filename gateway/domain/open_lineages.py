"""Which lineages are open, why, and for how much.

Open is a lineage with a transaction that has not ended, an order not fully invoiced or cancelled, an invoice not fully
paid or credited, or an unapplied payment, prepayment or credit (docs/rules.md, 'Open lineages'). Contracts and journal
entries are never open by themselves.

The store asks the same in SQL over many lineages (gateway/store/open_lineages.py); its tests hold it to this.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from gateway.domain.records import DocumentRecord, LineageRecord, RelationRecord
from gateway.domain.transaction import ENDS, Status

DAY: Final = 86_400_000_000
"""Microseconds."""

AGES: Final = (0, 1, 7, 30, 90)
"""Where each age bucket begins, in days; the last has no end."""

VALUED: Final = frozenset({"orders", "invoices", "payments"})
"""Domains whose documents can be open."""


class Reason(StrEnum):
    """Why a lineage is open."""

    TRANSACTION_NOT_ENDED = "transaction_not_ended"
    ORDER_NOT_INVOICED = "order_not_invoiced"
    INVOICE_NOT_PAID = "invoice_not_paid"
    PAYMENT_NOT_APPLIED = "payment_not_applied"
    CREDIT_NOT_APPLIED = "credit_not_applied"
    AMOUNT_UNKNOWN = "amount_unknown"


FOLLOW_UPS: Final[Mapping[Reason, str]] = {
    Reason.TRANSACTION_NOT_ENDED: "its own end",
    Reason.ORDER_NOT_INVOICED: "invoices, or its cancellation",
    Reason.INVOICE_NOT_PAID: "payments or credit notes",
    Reason.PAYMENT_NOT_APPLIED: "invoices that it settles, or its reversal",
    Reason.CREDIT_NOT_APPLIED: "a refund, or invoices that it settles",
    Reason.AMOUNT_UNKNOWN: "anything: it was imported by its number alone",
}
"""What is still to come for a lineage that is open for this reason."""


@dataclass(frozen=True, slots=True)
class OpenPart:
    """One document that keeps its lineage open. `amount` > 0; None for both where no amount is known."""

    document_id: str
    reason: Reason
    amount: Decimal | None
    currency_code: str | None


@dataclass(frozen=True, slots=True)
class OpenState:
    """What keeps a lineage open; nothing: it is closed. `transaction_ids`: those that have not ended."""

    parts: tuple[OpenPart, ...]
    transaction_ids: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether anything is still to come."""
        return bool(self.parts or self.transaction_ids)

    @property
    def reasons(self) -> frozenset[Reason]:
        """Why, without repetition."""
        unended = {Reason.TRANSACTION_NOT_ENDED} if self.transaction_ids else set[Reason]()
        return frozenset(unended | {one.reason for one in self.parts})

    @property
    def amounts(self) -> dict[str, Decimal]:
        """What is open, by currency."""
        found: dict[str, Decimal] = {}
        for one in self.parts:
            if one.amount is not None and one.currency_code is not None:
                found[one.currency_code] = found.get(one.currency_code, Decimal(0)) + one.amount
        return found


def open_state(
    lineage: LineageRecord,
    documents: Collection[DocumentRecord],
    relations: Collection[RelationRecord],
    statuses: Mapping[str, Status],
) -> OpenState:
    """Judge one lineage.

    `documents`: all of the lineage, and those of other lineages that settle one of them. `relations`: the links
    between them. `statuses`: of all transactions of the lineage and of those that created the documents.

    A document whose creation has not ended settles nothing yet and is not open by itself, for what it bills is still
    open at its order; but a root of which nothing else is there yet counts as what it will be.
    """
    by_id = {one.document_id: one for one in documents}
    standing = {key for key, one in by_id.items() if _stands(one, statuses)}
    parts: list[OpenPart] = []
    for document in sorted(documents, key=lambda one: one.document_id):
        own = document.lineage_id == lineage.lineage_id and document.domain in VALUED
        to_come = document.document_id == lineage.root_document_id and _may_come(document, statuses)
        if own and (document.document_id in standing or to_come):
            part = _part(document, by_id, relations, standing)
            if part is not None:
                parts.append(part)
    return OpenState(tuple(parts), _unended(lineage, documents, statuses))


def _stands(document: DocumentRecord, statuses: Mapping[str, Status]) -> bool:
    if document.state != "active":
        return False
    return document.transaction_id is None or statuses[document.transaction_id] is Status.POSTED


def _may_come(document: DocumentRecord, statuses: Mapping[str, Status]) -> bool:
    if document.state != "active" or document.transaction_id is None:
        return False
    return statuses[document.transaction_id] not in ENDS


def _unended(
    lineage: LineageRecord, documents: Collection[DocumentRecord], statuses: Mapping[str, Status]
) -> tuple[str, ...]:
    foreign = {one.transaction_id for one in documents if one.lineage_id != lineage.lineage_id}
    return tuple(sorted(key for key, status in statuses.items() if status not in ENDS and key not in foreign))


def _part(
    document: DocumentRecord,
    by_id: Mapping[str, DocumentRecord],
    relations: Collection[RelationRecord],
    standing: Collection[str],
) -> OpenPart | None:
    if document.amount is None or document.currency_code is None:
        return OpenPart(document.document_id, Reason.AMOUNT_UNKNOWN, None, None)
    amount = Decimal(document.amount)
    follows = [one for one in relations if one.kind == "follows"]
    if document.domain == "payments":
        applied = (_amount(one.amount) for one in follows if one.document_id == document.document_id)
        return _open(document, Reason.PAYMENT_NOT_APPLIED, amount - sum(applied, Decimal(0)))
    if document.document_type == "credit_note":
        corrects = any(one.document_id == document.document_id and one.field == "invoiceReference" for one in follows)
        return None if corrects else _open(document, Reason.CREDIT_NOT_APPLIED, amount)
    settled = Decimal(0)
    for one in follows:
        other = by_id.get(one.document_id)
        if one.target_document_id == document.document_id and other is not None and one.document_id in standing:
            settled += _settles(document, other, one)
    if document.domain == "orders":
        return _open(document, Reason.ORDER_NOT_INVOICED, amount - settled)
    if settled > amount:
        return _open(document, Reason.CREDIT_NOT_APPLIED, settled - amount)
    return _open(document, Reason.INVOICE_NOT_PAID, amount - settled)


def _settles(document: DocumentRecord, other: DocumentRecord, relation: RelationRecord) -> Decimal:
    """How much of an order or invoice another document takes: invoices of an order, payments and credits of an
    invoice. What a credit note takes from an invoice is not to be invoiced again, so an order does not reopen by it."""
    if other.currency_code != document.currency_code:
        return Decimal(0)
    if document.domain == "orders":
        invoices = other.domain == "invoices" and other.document_type == "invoice"
        return _amount(other.amount) if invoices else Decimal(0)
    if other.domain == "payments":
        return _amount(relation.amount)
    corrects = other.document_type == "credit_note" and relation.field == "invoiceReference"
    return _amount(other.amount) if corrects else Decimal(0)


def _open(document: DocumentRecord, reason: Reason, amount: Decimal) -> OpenPart | None:
    return OpenPart(document.document_id, reason, amount, document.currency_code) if amount > 0 else None


def _amount(text: str | None) -> Decimal:
    return Decimal(text) if text is not None else Decimal(0)


def age_of(created_at: int, now: int) -> int:
    """The beginning, in days, of the age bucket of a lineage whose root has been known since `created_at` (µs)."""
    days = max(0, now - created_at) // DAY
    return max(start for start in AGES if start <= days)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFilter:
    """Lineages by their root. Node ids with all below them; None holds everything."""

    domain: str | None = None
    business_units: frozenset[str] | None = None
    geographies: frozenset[str] | None = None
    side: str | None = None
    system_id: str | None = None
    lineage_id: str | None = None


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """Open lineages that are alike. `lineages`: each lineage counts in one group only, though it may have parts in
    several; `parts`: documents (or transactions that have not ended). `age`: beginning of the bucket in days."""

    domain: str
    business_unit: str
    geography: str
    company_code: str | None
    side: str | None
    system_id: str | None
    age: int
    reason: str
    currency_code: str | None
    lineages: int
    parts: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OpenLineage:
    """One open lineage, of one currency and reason."""

    lineage_id: str
    domain: str
    business_unit: str
    geography: str
    company_code: str | None
    customer_id: str | None
    side: str | None
    system_id: str | None
    created_at: int
    reason: str
    currency_code: str | None
    parts: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RootGroup:
    """All roots that are alike, open or not, with the sum of their amounts."""

    domain: str
    business_unit: str
    geography: str
    company_code: str | None
    side: str | None
    system_id: str | None
    currency_code: str | None
    roots: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class InBoth:
    """What customers who have open lineages on both sides have on one of them."""

    side: str
    currency_code: str | None
    customers: int
    lineages: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class DayCount:
    """Roots that came on a day (days since 1970 UTC), and lineages whose last transaction moved on it and that are
    closed now."""

    day: int
    came: int
    closed: int


def total_of(groups: Sequence[OpenGroup | InBoth | RootGroup]) -> dict[str, Decimal]:
    """The sums by currency."""
    found: dict[str, Decimal] = {}
    for one in groups:
        if one.currency_code is not None and one.amount:
            found[one.currency_code] = found.get(one.currency_code, Decimal(0)) + one.amount
    return dict(sorted(found.items()))
