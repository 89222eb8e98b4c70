"""What a document may refer to and must share with it, and what an order must still cover once it was billed.

Asked with the rows of what it refers to held, so that it is judged on what will be committed. What was imported by its
number alone says neither customer nor currency, and agrees with everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from adapters.canonical import CanonicalDocument, Contract, CustomerDocument, Invoice, Order, Payment
from gateway.domain.records import DocumentRecord
from gateway.errors import FieldError, Problem
from gateway.transactions.links import LinkedDocument, customer_of, parents_of
from gateway.transactions.ports import WriteUnit

_ZERO: Final = Decimal(0)


def refuse_credited_credits(document: CanonicalDocument, linked: Sequence[LinkedDocument]) -> None:
    """Raise Problem `invalid-document` for a credit note or an allocation upon a credit note: only an invoice is
    corrected or paid. Credits of credits would give back more than was billed, each within the sum of the one before.
    """
    if not isinstance(document, Invoice | Payment):
        return
    errors = tuple(
        FieldError(
            one.link.field, "names a credit note, not an invoice", "name the invoice itself; reverse a credit note"
        )
        for one in linked
        if one.link.target_domain == Invoice.domain and one.document.document_type == "credit_note"
    )
    if errors:
        raise Problem(
            "invalid-document",
            f"{errors[0].field} {errors[0].message}",
            remedy="credit notes correct invoices, and payments settle invoices",
            errors=errors,
        )


async def refuse_other_lineages(
    unit: WriteUnit, document: CanonicalDocument, parents: Sequence[LinkedDocument]
) -> None:
    """Raise Problem `invalid-document` where what it follows does not belong together.

    A payment may settle invoices of several lineages, and belongs to each of them: whoever names it beside an invoice
    that it settles, or the order of one, names one lineage.
    """
    if isinstance(document, Payment) or len({one.document.lineage_id for one in parents}) < 2:
        return
    payments = [one for one in parents if one.link.target_domain == Payment.domain]
    others = [one for one in parents if one.link.target_domain != Payment.domain]
    if len({one.document.lineage_id for one in others}) == 1 and await _settle(unit, payments, others):
        return
    fields = [one.link.field for one in parents]
    remedy = "name documents of one lineage, or leave out what it does not belong to"
    raise Problem(
        "invalid-document",
        f"{' and '.join(fields)} name documents that do not follow from each other",
        remedy=remedy,
        errors=tuple(FieldError(field, "belongs to another lineage than the other", remedy) for field in fields),
    )


async def _settle(unit: WriteUnit, payments: Sequence[LinkedDocument], others: Sequence[LinkedDocument]) -> bool:
    """Whether all these payments are upon each of the others: upon an invoice, or upon an invoice of an order."""
    wanted = {one.document.document_id for one in payments}
    for one in others:
        followers = await unit.followers(one.document.document_id)
        found = {follower.document_id for follower in followers}
        for follower in followers:
            if one.link.target_domain == Order.domain and follower.domain == Invoice.domain:
                found |= {upon.document_id for upon in await unit.followers(follower.document_id)}
        if not wanted <= found:
            return False
    return True


def refuse_strangers(document: CanonicalDocument, linked: Sequence[LinkedDocument]) -> None:
    """Raise Problem `invalid-document` if it has another customer or currency than what it follows or bills.

    A renewal may go to another customer (who takes the contract over), and a journal entry has none.
    """
    if not isinstance(document, CustomerDocument) or isinstance(document, Contract):
        return
    customer_id = customer_of(linked)
    errors: list[FieldError] = []
    for one in linked:
        named, field = one.document, one.link.field
        if one.link.kind == "master":
            continue
        if named.customer_id is not None and named.customer_id != customer_id:
            errors.append(
                FieldError(
                    "customer",
                    f"is not the customer of what {field} names",
                    f"name the customer of that document, or correct {field}",
                )
            )
        if named.currency_code is not None and named.currency_code != document.currency_code:
            errors.append(
                FieldError(
                    "currencyCode",
                    f"is not {named.currency_code}, the currency of what {field} names",
                    f"submit it in {named.currency_code}, or correct {field}",
                )
            )
    if errors:
        raise Problem(
            "invalid-document",
            f"{errors[0].field} {errors[0].message}",
            remedy="a document has the customer and the currency of what it follows",
            errors=tuple(errors),
        )


async def refuse_over_credit(unit: WriteUnit, document: CanonicalDocument, linked: Sequence[LinkedDocument]) -> None:
    """Raise Problem `invalid-document` for a credit note of more than what is left of its invoice.

    Earlier credit notes count from their acceptance on, unless they failed or were reversed.
    """
    if not isinstance(document, Invoice) or document.document_type != "credit_note":
        return
    for parent in parents_of(linked):
        invoice = parent.document
        if parent.link.field != "invoiceReference" or invoice.amount is None:
            continue
        left = Decimal(invoice.amount) - _sum(await unit.followers(invoice.document_id), "credit_note")
        if document.totals.gross_amount > left:
            raise _amount_problem(
                f"is more than the {left:f} {invoice.currency_code} that can still be credited",
                "credit what is left of the invoice",
            )


async def refuse_below_billed(unit: WriteUnit, order: DocumentRecord, changed: CanonicalDocument) -> None:
    """Raise Problem `invalid-document` for a change that lowers an order below what it was billed for.

    That is: its invoices less their credit notes, from their acceptance on, without those that failed or were
    reversed.
    """
    if not isinstance(changed, Order) or order.amount is None or changed.amount >= Decimal(order.amount):
        return
    followers = await unit.followers(order.document_id)
    billed = _sum(followers, "invoice")
    if changed.amount >= billed:
        return
    # by way of its invoices only: what merely names the order says nothing of what it was billed for
    notes: dict[str, DocumentRecord] = {}
    for one in followers:
        if one.document_type == "invoice":
            notes |= {upon.document_id: upon for upon in await unit.followers(one.document_id)}
    billed -= _sum(list(notes.values()), "credit_note")
    if changed.amount < billed:
        raise _amount_problem(
            f"is less than the {billed:f} {order.currency_code} for which the order was billed",
            "credit or reverse its invoices first",
        )


def _sum(documents: Sequence[DocumentRecord], document_type: str) -> Decimal:
    return sum((Decimal(one.amount or 0) for one in documents if one.document_type == document_type), _ZERO)


def _amount_problem(message: str, remedy: str) -> Problem:
    return Problem(
        "invalid-document",
        f"totals.grossAmount {message}",
        errors=(FieldError("totals.grossAmount", message, remedy),),
    )
