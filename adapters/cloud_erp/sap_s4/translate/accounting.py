"""Invoices, credit notes, payments and journal entries as SAP's journal entries, and their mirrors. Pure.

Source: SAP Help Portal, "Journal Entry" (DebitCreditCode S debit, H credit; at most 999 items in a document). What the
items of each kind of document are stands in `invoices`, `payments` and `journal`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from adapters.canonical import Invoice, JournalEntry, Payment
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import fields
from adapters.cloud_erp.sap_s4.translate.fields import Draft
from adapters.cloud_erp.sap_s4.translate.invoices import invoice_items
from adapters.cloud_erp.sap_s4.translate.item import CREDIT, DEBIT, HEADER_TEXT, ITEM_TEXT, MAX_ITEMS, Item
from adapters.cloud_erp.sap_s4.translate.journal import journal_items, journal_notes
from adapters.cloud_erp.sap_s4.translate.payments import payment_header_text, payment_items
from adapters.cloud_erp.sap_s4.wire import Entity, Row, Value
from adapters.errors import Garbled, Misconfigured
from adapters.port import Expectation, FoundDocument, Reversal, Submission

EXPAND: Final = "to_JournalEntryItem"
DOMAINS: Final = frozenset({"invoices", "payments", "journal_entries"})
"""What stands there as a journal entry."""
_REVERSAL: Final = "REV "

AccountingDocument = Invoice | Payment | JournalEntry


def accounting_draft(submission: Submission, settings: S4Settings, system_id: str) -> Draft:
    """The journal entry of an invoice, a credit note, a payment or a journal entry.

    `Rejected` for what the ERP could only hold altered, `Misconfigured` for missing numbers and mappings.
    """
    document = accounting_of(submission)
    items = list(_items(submission, settings, system_id))
    kind = _kind(document, settings)
    head = _head(document, settings, kind, document.posting_date, submission.external_reference)
    notes = journal_notes(document) if isinstance(document, JournalEntry) else ()
    return Draft(_entry(head, items, _header_text(document)), notes)


def mirror_draft(reversal: Reversal, settings: S4Settings, system_id: str) -> Draft:
    """The entry that undoes a document: its items with debit and credit exchanged. Errors as `accounting_draft`."""
    number = fields.checked(reversal.number, system_id, "number", "accounting_document")
    document = accounting_of(reversal.original)
    items = [
        replace(item, side=CREDIT if item.side == DEBIT else DEBIT)
        for item in _items(reversal.original, settings, system_id)
    ]
    kind = settings.document_types.reversal
    head = _head(document, settings, kind, reversal.posting_date, reversal.external_reference)
    return Draft(_entry(head, items, mirror_text(number)))


def mirror_text(number: str) -> str:
    """The header text of the mirror of `number` (at most 24 of 25 characters), by which the mirror is found."""
    return f"{_REVERSAL}{number}"


def accounting_expectation(submission: Submission, system_id: str) -> Expectation:
    """What an inquiry must find: the customer's items come to the gross amount or the payment, debit or credit; the
    debits of a journal entry come to its amount, and it is nobody's."""
    document = accounting_of(submission)
    if isinstance(document, JournalEntry):
        return Expectation(None, document.currency_code, document.amount)
    customer = fields.party(fields.number_of(submission, system_id, "customer", "customer"))
    return Expectation(customer, document.currency_code, document.amount)


def accounting_of(submission: Submission) -> AccountingDocument:
    """The accounting document in a submission; `Misconfigured` for another one."""
    if not isinstance(submission.document, AccountingDocument):
        raise Misconfigured(f"{submission.domain} are no accounting documents")
    return submission.document


def found_accounting(row: Row, settings: S4Settings, system_id: str) -> FoundDocument:
    """A journal entry read with `EXPAND`. Party and total are those of its customer items.

    One without such items is nobody's if its type is that of journal entries or of mirrors; its total is that of its
    debits. Of another type it has the party "", which agrees with no customer.
    """
    currency, kind = row.text("TransactionCurrency"), row.text("AccountingDocumentType")
    company, year, period = row.text("CompanyCode"), row.text("FiscalYear"), row.text("FiscalPeriod")
    owed, debits, parties = Decimal(0), Decimal(0), set()
    for item in row.many(EXPAND):
        side, amount = item.text("DebitCreditCode"), item.amount("AmountInTransactionCurrency")
        if side not in {DEBIT, CREDIT}:
            raise Garbled("an item is neither debit nor credit")
        debits += amount if side == DEBIT else 0
        if customer := item.text("Customer"):
            parties.add(fields.party(customer))
            owed += amount if side == DEBIT else -amount
    party: str | None = parties.pop() if len(parties) == 1 else ""
    total = abs(owed)
    if not party and not owed and kind in {settings.document_types.journal_entry, settings.document_types.reversal}:
        party, total = None, debits
    return FoundDocument(
        number=fields.erp_number(
            system_id, "accounting_document", f"{row.number('AccountingDocument')}/{company}/{year}"
        ),
        external_reference=row.text("ReferenceDocument"),
        party=party,
        currency_code=currency,
        total=fields.trimmed(total, currency),
        company_code=settings.company_code_of(company),
        posting_date=row.day("PostingDate"),
        fiscal_year=int(year),
        fiscal_period=int(period) if period.isascii() and period.isdigit() else None,
    )


def fiscal(day: date, start_month: int) -> tuple[int, int]:
    """Fiscal year and period of a day; a year that does not start in January is named after its last month's year."""
    period = (day.month - start_month) % 12 + 1
    return day.year + (1 if start_month > 1 and day.month >= start_month else 0), period


def _kind(document: AccountingDocument, settings: S4Settings) -> str:
    kinds = settings.document_types
    if isinstance(document, Payment):
        return kinds.payment
    if isinstance(document, JournalEntry):
        return kinds.journal_entry
    return kinds.credit_note if document.document_type == "credit_note" else kinds.invoice


def _items(submission: Submission, settings: S4Settings, system_id: str) -> Iterator[Item]:
    document = accounting_of(submission)
    if isinstance(document, Payment):
        return payment_items(submission, document, settings, system_id)
    if isinstance(document, JournalEntry):
        return journal_items(document, settings)
    return invoice_items(submission, document, settings, system_id)


def _header_text(document: AccountingDocument) -> str:
    """A journal entry's own text; else the document's own id at its caller, if all of it fits. A payment's is taken.
    Only documents of the type of mirrors are taken for mirrors, whatever it says here."""
    if isinstance(document, Payment):
        return payment_header_text(document)
    if isinstance(document, JournalEntry) and document.description:
        return document.description[:HEADER_TEXT]
    text = f"ID {document.external_id}" if document.external_id else ""
    return text if len(text) <= HEADER_TEXT else ""


def _head(
    document: AccountingDocument, settings: S4Settings, kind: str, posting_date: date, external_reference: str
) -> dict[str, Value]:
    year, period = fiscal(posting_date, settings.fiscal_year_start_month)
    return {
        "CompanyCode": settings.company(document.company_code).code,
        "FiscalYear": f"{year:04d}",
        "FiscalPeriod": f"{period:03d}",
        "AccountingDocumentType": kind,
        "DocumentDate": document.posting_date,
        "PostingDate": posting_date,
        "TransactionCurrency": document.currency_code,
        "ReferenceDocument": fields.reference(external_reference),
    }


def _entry(head: Mapping[str, Value], items: list[Item], text: str) -> Entity:
    """Head and items; refused if they do not balance (the peer takes them), or if there are too many."""
    if len(items) > MAX_ITEMS:
        raise fields.refusal("lines", f"the ERP holds {MAX_ITEMS} items in a document, this has {len(items)}")
    sides = {side: sum((item.amount for item in items if item.side == side), Decimal(0)) for side in (DEBIT, CREDIT)}
    if sides[DEBIT] != sides[CREDIT]:
        where = "totals" if any(item.customer for item in items) else "lines"
        raise fields.refusal(where, f"debit {sides[DEBIT]} and credit {sides[CREDIT]} do not balance")
    rows = [_item(item, head["TransactionCurrency"]) for item in items]
    return {**head, "AccountingDocumentHeaderText": text, EXPAND: rows}


def _item(item: Item, currency_code: Value) -> Entity:
    row: dict[str, Value] = {
        "GLAccount": item.account,
        "DebitCreditCode": item.side,
        "AmountInTransactionCurrency": fields.amount(item.amount, item.field),
        "TransactionCurrency": currency_code,
        "DocumentItemText": fields.fitting(item.text, ITEM_TEXT, item.field),
        "Customer": item.customer,
    }
    if item.cost_center:
        row["CostCenter"] = item.cost_center
    if item.number:
        row["AccountingDocumentItem"] = item.number
    return row
