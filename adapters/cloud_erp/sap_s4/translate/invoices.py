"""Invoices and credit notes as items of journal entries. Pure.

The line detail of an invoice stays in the ERP. After the customer's item, whose text is `D<due date> O<order>
I<corrected invoice>` as far as there are such, each line has one revenue item with the
text `L<line> <product> <quantity> <unit> <tax category><rate>` and, if it is taxed, one tax item with the text
`T<line> <tax category><rate>`; the freight likewise, `FREIGHT …` and `T0 …`. `line_of` and `tax_of` read them. So an
auditor ties out net and tax of every line from the ERP's own interface. What does not fit is refused, not cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from adapters.canonical import Invoice, TaxAmount
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import fields
from adapters.cloud_erp.sap_s4.translate.item import CREDIT, DEBIT, ITEM_TEXT, MAX_ITEMS, Item, plain
from adapters.port import Submission

MAX_LINES: Final = (MAX_ITEMS - 3) // 2
"""Lines of an invoice, each with its tax; the customer's item, the freight and its tax are the other three."""
_TAX: Final = r"([A-Z]{1,2})([0-9]{1,3}(?:\.[0-9]{1,6})?)"
_LINE_TEXT: Final = re.compile(
    rf"\AL([0-9]{{1,6}}) ([!-~]{{1,40}}) ([0-9]{{1,10}}(?:\.[0-9]{{1,3}})?) ([A-Z0-9]{{1,3}})(?: {_TAX})?\Z"
)
_TAX_TEXT: Final = re.compile(rf"\AT([0-9]{{1,6}}) {_TAX}\Z")


@dataclass(frozen=True, slots=True)
class InvoicedLine:
    """What the text of a revenue item says; `unit` in the ERP's words."""

    line_number: int
    product: str
    quantity: Decimal
    unit: str
    tax: tuple[str, Decimal] | None


def invoice_items(submission: Submission, invoice: Invoice, settings: S4Settings, system_id: str) -> Iterator[Item]:
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
        unit = fields.unit(line.quantity.unit_code, settings, f"{where}.quantity.unitCode")
        text = f"L{line.line_number} {product} {plain(amount)} {unit}{_tax_code(line.tax)}"
        text = fields.fitting(text, ITEM_TEXT, f"{where}.product")
        yield Item(accounts.revenue, theirs, line.net_amount, text, f"{where}.netAmount")
        yield from _tax_item(accounts.output_tax, theirs, line.line_number, line.tax, where)
    if (freight := invoice.freight) is not None:
        if freight.net_amount:
            text = f"FREIGHT{_tax_code(freight.tax)}"
            yield Item(accounts.freight, theirs, freight.net_amount, text, "freight.netAmount")
        yield from _tax_item(accounts.output_tax, theirs, 0, freight.tax, "freight")


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


def _tax_item(account: str, side: str, line_number: int, tax: TaxAmount | None, where: str) -> Iterator[Item]:
    """No item for a tax of nothing: its category and rate stand in the text of what it is on."""
    if tax is not None and tax.amount:
        yield Item(account, side, tax.amount, f"T{line_number}{_tax_code(tax)}", f"{where}.tax.amount")


def _tax_code(tax: TaxAmount | None) -> str:
    return "" if tax is None else f" {tax.tax_category}{plain(tax.rate_percent)}"
