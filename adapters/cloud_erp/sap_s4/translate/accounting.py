"""Invoices, credit notes and payments as journal entries, and their mirrors. Pure.

Source: SAP Help Portal, "Journal Entry" (DebitCreditCode S debit, H credit; at most 999 items in a document).

The line detail of an invoice stays in the ERP. After the customer's item, whose text is `D<due date> O<order>
I<corrected invoice>` as far as there are such, each line has one revenue item with the
text `L<line> <product> <quantity> <unit> <tax category><rate>` and, if it is taxed, one tax item with the text
`T<line> <tax category><rate>`; the freight likewise, `FREIGHT …` and `T0 …`. `line_of` and `tax_of` read them. So an
auditor ties out net and tax of every line from the ERP's own interface. What does not fit is refused, not cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from adapters.canonical import Invoice, Payment, TaxAmount
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import fields
from adapters.cloud_erp.sap_s4.translate.fields import Draft
from adapters.cloud_erp.sap_s4.wire import Entity, Row, Value
from adapters.errors import Garbled, Misconfigured
from adapters.port import Expectation, FoundDocument, Reversal, Submission

EXPAND: Final = "to_JournalEntryItem"
MAX_ITEMS: Final = 999
MAX_LINES: Final = (MAX_ITEMS - 3) // 2
"""Lines of an invoice, each with its tax; the customer's item, the freight and its tax are the other three."""
DEBIT, CREDIT = "S", "H"
_ITEM_TEXT: Final = 50
_HEADER_TEXT: Final = 25
_REVERSAL: Final = "REV "
_METHODS: Final[Mapping[str, str]] = {
    "bank_transfer": "T",
    "card": "C",
    "direct_debit": "D",
    "cheque": "Q",
    "cash": "H",
    "other": "O",
}
_TAX: Final = r"([A-Z]{1,2})([0-9]{1,3}(?:\.[0-9]{1,6})?)"
_LINE_TEXT: Final = re.compile(
    rf"\AL([0-9]{{1,6}}) ([!-~]{{1,40}}) ([0-9]{{1,10}}(?:\.[0-9]{{1,3}})?) ([A-Z0-9]{{1,3}})(?: {_TAX})?\Z"
)
_TAX_TEXT: Final = re.compile(rf"\AT([0-9]{{1,6}}) {_TAX}\Z")


@dataclass(frozen=True, slots=True)
class Item:
    """One item to be posted; `field` is what a complaint about its amount names."""

    account: str
    side: str
    amount: Decimal
    text: str
    field: str
    customer: str = ""


@dataclass(frozen=True, slots=True)
class InvoicedLine:
    """What the text of a revenue item says; `unit` in the ERP's words."""

    line_number: int
    product: str
    quantity: Decimal
    unit: str
    tax: tuple[str, Decimal] | None


def accounting_draft(submission: Submission, settings: S4Settings, system_id: str) -> Draft:
    """The journal entry of an invoice, a credit note or a payment.

    `Rejected` for what the ERP could only hold altered, `Misconfigured` for missing numbers and mappings.
    """
    document = accounting_of(submission)
    items = list(_items(submission, settings, system_id))
    kinds = settings.document_types
    if isinstance(document, Payment):
        kind = kinds.payment
    else:
        kind = kinds.credit_note if document.document_type == "credit_note" else kinds.invoice
    head = _head(document, settings, kind, document.posting_date, submission.external_reference)
    return Draft(_entry(head, items, _header_text(document)))


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
    """What an inquiry must find: the customer's items come to the gross amount or the payment, debit or credit."""
    document = accounting_of(submission)
    customer = fields.party(fields.number_of(submission, system_id, "customer", "customer"))
    return Expectation(customer, document.currency_code, document.amount)


def accounting_of(submission: Submission) -> Invoice | Payment:
    """The invoice or payment in a submission; `Misconfigured` for another document."""
    if not isinstance(submission.document, Invoice | Payment):
        raise Misconfigured(f"{submission.domain} are no accounting documents")
    return submission.document


def found_accounting(row: Row, settings: S4Settings, system_id: str) -> FoundDocument:
    """A journal entry read with `EXPAND`. Party and total are those of its customer items; an entry without any has
    party "" and total 0, which agrees with nothing."""
    currency = row.text("TransactionCurrency")
    company, year, period = row.text("CompanyCode"), row.text("FiscalYear"), row.text("FiscalPeriod")
    total, parties = Decimal(0), set()
    for item in row.many(EXPAND):
        side = item.text("DebitCreditCode")
        if side not in {DEBIT, CREDIT}:
            raise Garbled("an item is neither debit nor credit")
        if customer := item.text("Customer"):
            parties.add(fields.party(customer))
            total += item.amount("AmountInTransactionCurrency") * (1 if side == DEBIT else -1)
    return FoundDocument(
        number=fields.erp_number(
            system_id, "accounting_document", f"{row.number('AccountingDocument')}/{company}/{year}"
        ),
        external_reference=row.text("ReferenceDocument"),
        party=parties.pop() if len(parties) == 1 else "",
        currency_code=currency,
        total=fields.trimmed(abs(total), currency),
        company_code=settings.company_code_of(company),
        posting_date=row.day("PostingDate"),
        fiscal_year=int(year),
        fiscal_period=int(period) if period.isascii() and period.isdigit() else None,
    )


def line_of(text: str) -> InvoicedLine | None:
    """What the text of a revenue item says of its line; None if it is not such a text."""
    match = _LINE_TEXT.match(text)
    if match is None:
        return None
    tax = (match[5], Decimal(match[6])) if match[5] else None
    return InvoicedLine(int(match[1]), match[2], Decimal(match[3]), match[4], tax)


def tax_of(text: str) -> tuple[int, str, Decimal] | None:
    """Line number (0 is the freight), category and rate of a tax item; None if it is not such a text."""
    match = _TAX_TEXT.match(text)
    return None if match is None else (int(match[1]), match[2], Decimal(match[3]))


def fiscal(day: date, start_month: int) -> tuple[int, int]:
    """Fiscal year and period of a day; a year that does not start in January is named after its last month's year."""
    period = (day.month - start_month) % 12 + 1
    return day.year + (1 if start_month > 1 and day.month >= start_month else 0), period


def _items(submission: Submission, settings: S4Settings, system_id: str) -> Iterator[Item]:
    document = accounting_of(submission)
    if isinstance(document, Payment):
        return _payment_items(submission, document, settings, system_id)
    return _invoice_items(submission, document, settings, system_id)


def _invoice_items(submission: Submission, invoice: Invoice, settings: S4Settings, system_id: str) -> Iterator[Item]:
    """Debit the customer, credit revenue, freight and tax; the other way round for a credit note."""
    accounts = settings.accounts
    ours, theirs = (CREDIT, DEBIT) if invoice.document_type == "credit_note" else (DEBIT, CREDIT)
    customer = fields.number_of(submission, system_id, "customer", "customer")
    order = fields.optional_number_of(submission, system_id, "orderReference", "sales_order")
    corrected = fields.optional_number_of(submission, system_id, "invoiceReference", "accounting_document")
    said = {"D": invoice.due_date, "O": order, "I": corrected}
    text = " ".join(f"{mark}{value}" for mark, value in said.items() if value)
    yield Item(accounts.receivables, ours, invoice.totals.gross_amount, text, "totals.grossAmount", customer)
    for index, line in enumerate(invoice.lines):
        where = f"lines[{index}]"
        product = fields.number_of(submission, system_id, f"{where}.product", "product")
        amount = fields.quantity(line.quantity.value, f"{where}.quantity.value")
        unit = settings.unit_there(line.quantity.unit_code)
        text = f"L{line.line_number} {product} {_plain(amount)} {unit}{_tax_code(line.tax)}"
        text = fields.fitting(text, _ITEM_TEXT, f"{where}.product")
        yield Item(accounts.revenue, theirs, line.net_amount, text, f"{where}.netAmount")
        yield from _tax_item(accounts.output_tax, theirs, line.line_number, line.tax, where)
    if (freight := invoice.freight) is not None:
        if freight.net_amount:
            text = f"FREIGHT{_tax_code(freight.tax)}"
            yield Item(accounts.freight, theirs, freight.net_amount, text, "freight.netAmount")
        yield from _tax_item(accounts.output_tax, theirs, 0, freight.tax, "freight")


def _tax_item(account: str, side: str, line_number: int, tax: TaxAmount | None, where: str) -> Iterator[Item]:
    """No item for a tax of nothing: its category and rate stand in the text of what it is on."""
    if tax is not None and tax.amount:
        yield Item(account, side, tax.amount, f"T{line_number}{_tax_code(tax)}", f"{where}.tax.amount")


def _payment_items(submission: Submission, payment: Payment, settings: S4Settings, system_id: str) -> Iterator[Item]:
    """Debit the bank, credit the customer: one item per settled invoice, and what is left on account."""
    accounts = settings.accounts
    customer = fields.number_of(submission, system_id, "customer", "customer")
    yield Item(accounts.bank, DEBIT, payment.amount, payment.payment_reference[:_ITEM_TEXT], "amount")
    left = payment.amount
    for index, allocation in enumerate(payment.allocations):
        where = f"allocations[{index}]"
        invoice = fields.number_of(submission, system_id, f"{where}.invoiceReference", "accounting_document")
        left -= allocation.amount
        text = f"PAYS {invoice}"
        yield Item(accounts.receivables, CREDIT, allocation.amount, text, f"{where}.amount", customer)
    if left:
        yield Item(accounts.receivables, CREDIT, left, "ON ACCOUNT", "amount", customer)


def _header_text(document: Invoice | Payment) -> str:
    """A payment's method and the end of its reference (64) that its bank item (50) does not hold; an invoice's own id
    at its caller, if all of it fits. Neither can be taken for the text of a mirror."""
    if isinstance(document, Payment):
        return f"{_METHODS[document.payment_method]} {document.payment_reference[_ITEM_TEXT:]}".rstrip()
    text = f"ID {document.external_id}" if document.external_id else ""
    return text if len(text) <= _HEADER_TEXT else ""


def _head(
    document: Invoice | Payment, settings: S4Settings, kind: str, posting_date: date, external_reference: str
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
        raise fields.refusal("totals", f"debit {sides[DEBIT]} and credit {sides[CREDIT]} do not balance")
    rows = [
        {
            "GLAccount": item.account,
            "DebitCreditCode": item.side,
            "AmountInTransactionCurrency": fields.amount(item.amount, item.field),
            "TransactionCurrency": head["TransactionCurrency"],
            "DocumentItemText": fields.fitting(item.text, _ITEM_TEXT, item.field),
            "Customer": item.customer,
        }
        for item in items
    ]
    return {**head, "AccountingDocumentHeaderText": text, EXPAND: rows}


def _tax_code(tax: TaxAmount | None) -> str:
    return "" if tax is None else f" {tax.tax_category}{_plain(tax.rate_percent)}"


def _plain(value: Decimal) -> str:
    """The shortest decimal without exponent: 19.00 is 19."""
    return format(value.normalize(), "f")
