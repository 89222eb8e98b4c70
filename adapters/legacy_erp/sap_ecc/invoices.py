"""Invoices and credit notes as items of an accounting document. Pure.

The detail of an invoice survives in the ERP: one G/L item per line, in their order, then freight, then one item per
tax category and rate. A line's item text is `<line number> <material> <quantity> <unit> <description>`, so whoever
reads the items over any interface of the ERP can tie out each line; `line_of` is its inverse. The first item is the
customer's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from adapters.canonical import Invoice
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.accounting_item import ITEM_TEXT, Item
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.wire import clean
from adapters.port import Submission

_LINE_TEXT: Final = re.compile(r"\A([0-9]{1,6}) ([!-~]{1,18}) ([0-9]{1,10}\.[0-9]{3}) ([!-~]{1,3})(?: (.*))?\Z")
"""At most 44 characters before the description: 6 + 18 + 14 + 3 and the blanks between."""


@dataclass(frozen=True, slots=True)
class InvoicedLine:
    """What an item's text says of an invoice's line. `unit` and `material` in the ERP's words."""

    line_number: int
    material: str
    quantity: Decimal
    unit: str
    description: str


def invoice_items(submission: Submission, invoice: Invoice, settings: SapEccSettings, system_id: str) -> list[Item]:
    """Debit the customer, credit revenue, freight and tax; the other way round for a credit note."""
    accounts = settings.accounts
    center = settings.profit_centers.get(invoice.business_unit, "")
    translate.check_lines(len(invoice.lines))
    order = translate.order_number_of(submission.numbers, system_id)
    corrected = translate.optional_number_of(
        submission.numbers, system_id, "invoiceReference", "accounting_document", translate.ACCOUNTING
    )
    items = [
        Item(
            accounts.receivable,
            invoice.totals.gross_amount,
            "totals.grossAmount",
            text=_follows(corrected, order),
            customer=translate.customer_of(submission, system_id),
            assignment=corrected.replace("/", "") or order,
        )
    ]
    for index, line in enumerate(invoice.lines):
        material = translate.material_of(submission, system_id, index)
        field = f"lines[{index}].quantity"
        amount = translate.quantity(line.quantity.value, f"{field}.value")
        unit = translate.unit(line.quantity.unit_code, settings, f"{field}.unitCode")
        text = clean(f"{line.line_number} {material} {amount} {unit} {line.description}", ITEM_TEXT)
        net = f"lines[{index}].netAmount"
        items.append(
            Item(accounts.revenue, -line.net_amount, net, text=text, assignment=material, profit_center=center)
        )
    if invoice.freight is not None and invoice.freight.net_amount:
        items.append(Item(accounts.freight, -invoice.freight.net_amount, "freight.netAmount", text="FREIGHT"))
    items.extend(_tax_items(invoice, accounts.tax))
    if invoice.document_type == "credit_note":
        return [replace(item, amount=-item.amount) for item in items]
    return items


def _follows(corrected: str, order: str) -> str:
    """What the customer's item says of the documents before this one; the order gives way if both are too long."""
    parts = [f"CORRECTS {corrected}"] if corrected else []
    if order and len(" ".join([*parts, f"ORDER {order}"])) <= ITEM_TEXT:
        parts.append(f"ORDER {order}")
    return " ".join(parts)


def _tax_items(invoice: Invoice, account: str) -> Iterable[Item]:
    """One item per category and rate, with the base that it was computed on."""
    sums: dict[tuple[str, Decimal], tuple[Decimal, Decimal]] = {}
    taxed = [(line.net_amount, line.tax) for line in invoice.lines]
    if invoice.freight is not None:
        taxed.append((invoice.freight.net_amount, invoice.freight.tax))
    for net, tax in taxed:
        if tax is not None:
            base, amount = sums.get((tax.tax_category, tax.rate_percent), (Decimal(0), Decimal(0)))
            sums[tax.tax_category, tax.rate_percent] = (base + net, amount + tax.amount)
    for (category, rate), (base, amount) in sums.items():
        if not amount:
            continue  # an item of nothing would tell no account anything, and a real ECC refuses it
        yield Item(account, -amount, "totals.taxAmount", text=f"TAX {category} {rate.normalize():f}% OF {base:f}")


def line_of(text: str) -> InvoicedLine | None:
    """What the text of a revenue item says of its line; None if it is not such a text."""
    match = _LINE_TEXT.match(text)
    if match is None:
        return None
    return InvoicedLine(int(match[1]), match[2], Decimal(match[3]), match[4], match[5] or "")
