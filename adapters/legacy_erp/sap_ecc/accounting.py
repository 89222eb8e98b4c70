"""Canonical invoices, credit notes and payments to BAPI_ACC_DOCUMENT_POST. Pure.

Source: SAP Help, "BAPI_ACC_DOCUMENT_POST" (structures BAPIACHE09, BAPIACGL09, BAPIACAR09, BAPIACCR09) and SAP Note
2083799 (what its fields take).

The detail of an invoice survives in the ERP: one G/L item per line, in their order, then freight, then one item per
tax category and rate. A line's item text is `<line number> <material> <quantity> <unit> <description>`, so whoever
reads the items over any interface of the ERP can tie out each line; `line_of` is its inverse. The first item is the
customer's. A positive amount is a debit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from adapters.canonical import Invoice, Payment
from adapters.errors import Misconfigured
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import POST_DOCUMENT, Value, clean
from adapters.port import Expectation, Reversal, Submission

MAX_ITEMS: Final = 999
"""Items of one accounting document (BUZEI, NUMC 3)."""
_ITEM_TEXT: Final = 50
_HEADER_TEXT: Final = 25
_LINE_TEXT: Final = re.compile(r"\A([0-9]{1,6}) ([!-~]{1,18}) ([0-9]{1,10}\.[0-9]{3}) ([!-~]{1,3})(?: (.*))?\Z")
"""At most 44 characters before the description: 6 + 18 + 14 + 3 and the blanks between."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item to be posted; `amount` is signed, debit positive. With a `customer` it goes to the receivables."""

    account: str
    amount: Decimal
    field: str
    text: str = ""
    customer: str = ""
    assignment: str = ""
    profit_center: str = ""


@dataclass(frozen=True, slots=True)
class InvoicedLine:
    """What an item's text says of an invoice's line. `unit` and `material` in the ERP's words."""

    line_number: int
    material: str
    quantity: Decimal
    unit: str
    description: str


def post_document(submission: Submission, settings: SapEccSettings, system_id: str) -> Call:
    """The call that posts an invoice, a credit note or a payment.

    Raises `Rejected` for what the ERP could only hold altered, `Misconfigured` for missing numbers and mappings.
    """
    document = accounting_of(submission)
    kind = _document_type(document, settings)
    items = _items(submission, settings, system_id)
    text = clean(document.external_id or "", _HEADER_TEXT)
    return _call(submission, settings, items, kind, submission.external_reference, document.posting_date, text)


def post_mirror(reversal: Reversal, settings: SapEccSettings, system_id: str) -> Call:
    """The call that undoes a document: the same items with debit and credit exchanged. Errors as `post_document`."""
    number = translate.checked(reversal.number, system_id, "number", "accounting_document", translate.ACCOUNTING)
    mirrored = [replace(item, amount=-item.amount) for item in _items(reversal.original, settings, system_id)]
    return _call(
        reversal.original,
        settings,
        mirrored,
        settings.document_types.reversal,
        reversal.external_reference,
        reversal.posting_date,
        mirror_text(number),
    )


def mirror_text(number: str) -> str:
    """The header text of the mirror of a document (24 of 25 characters), by which the mirror is found."""
    match = translate.ACCOUNTING.match(number)
    if match is None:
        raise Misconfigured(f"{number!r} is no accounting document number")
    return f"REVERSAL {match[1]}/{match[3]}"


def accounting_expectation(submission: Submission, system_id: str) -> Expectation:
    """What an inquiry must find: the customer's items come to the gross amount, debit or credit."""
    document = accounting_of(submission)
    amount = document.amount
    return Expectation(translate.party(translate.customer_of(submission, system_id)), document.currency_code, amount)


def accounting_of(submission: Submission) -> Invoice | Payment:
    """The invoice or payment in a submission. Raises `Misconfigured` for another document."""
    if not isinstance(submission.document, Invoice | Payment):
        raise Misconfigured(f"{submission.domain} are no accounting documents")
    return submission.document


def line_of(text: str) -> InvoicedLine | None:
    """What the text of a revenue item says of its line; None if it is not such a text."""
    match = _LINE_TEXT.match(text)
    if match is None:
        return None
    return InvoicedLine(int(match[1]), match[2], Decimal(match[3]), match[4], match[5] or "")


def _document_type(document: Invoice | Payment, settings: SapEccSettings) -> str:
    types = settings.document_types
    if isinstance(document, Payment):
        return types.payment
    return types.credit_note if document.document_type == "credit_note" else types.invoice


def _items(submission: Submission, settings: SapEccSettings, system_id: str) -> list[Item]:
    document = accounting_of(submission)
    if isinstance(document, Payment):
        return _payment_items(submission, document, settings, system_id)
    return _invoice_items(submission, document, settings, system_id)


def _invoice_items(submission: Submission, invoice: Invoice, settings: SapEccSettings, system_id: str) -> list[Item]:
    """Debit the customer, credit revenue, freight and tax; the other way round for a credit note."""
    accounts = settings.accounts
    center = settings.profit_centers.get(invoice.business_unit, "")
    order = translate.optional_number_of(
        submission.numbers, system_id, "orderReference", "sales_order", translate.ORDER
    )
    corrected = translate.optional_number_of(
        submission.numbers, system_id, "invoiceReference", "accounting_document", translate.ACCOUNTING
    ).replace("/", "")
    items = [
        Item(
            accounts.receivable,
            invoice.totals.gross_amount,
            "totals.grossAmount",
            text=f"ORDER {order}" if order else "",
            customer=translate.customer_of(submission, system_id),
            assignment=corrected or order,
        )
    ]
    for index, line in enumerate(invoice.lines):
        material = translate.material_of(submission, system_id, index)
        field = f"lines[{index}].quantity"
        amount = translate.quantity(line.quantity.value, f"{field}.value")
        unit = translate.unit(line.quantity.unit_code, settings, f"{field}.unitCode")
        text = clean(f"{line.line_number} {material} {amount} {unit} {line.description}", _ITEM_TEXT)
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


def _payment_items(submission: Submission, payment: Payment, settings: SapEccSettings, system_id: str) -> list[Item]:
    """Debit the bank, credit the customer: one item per settled invoice, and what is left on account.

    ASSIGNMENT (ALLOC_NMBR, 18) holds the invoice's number, company and year, by which automatic clearing matches.
    """
    accounts = settings.accounts
    customer = translate.customer_of(submission, system_id)
    bank = accounts.bank_by_method.get(payment.payment_method, accounts.bank)
    text = clean(f"{payment.payment_method} {payment.payment_reference}", _ITEM_TEXT)
    items = []
    left = payment.amount
    for index, allocation in enumerate(payment.allocations):
        field = f"allocations[{index}]"
        invoice = translate.number_of(
            submission, system_id, f"{field}.invoiceReference", "accounting_document", translate.ACCOUNTING
        )
        left -= allocation.amount
        items.append(
            Item(
                accounts.receivable,
                -allocation.amount,
                f"{field}.amount",
                text=f"PAYS {invoice}",
                customer=customer,
                assignment=invoice.replace("/", ""),
            )
        )
    if left:
        items.append(Item(accounts.receivable, -left, "amount", text="ON ACCOUNT", customer=customer))
    return [*items, Item(bank, payment.amount, "amount", text=text)]


def _call(
    submission: Submission,
    settings: SapEccSettings,
    items: list[Item],
    document_type: str,
    reference: str,
    posting_date: date,
    text: str,
) -> Call:
    document = accounting_of(submission)
    if sum((item.amount for item in items), Decimal(0)):
        raise translate.refusal("totals", "the document does not balance")
    if len(items) > MAX_ITEMS:
        raise translate.refusal("lines", f"the ERP holds {MAX_ITEMS} items in a document, this one has {len(items)}")
    general: list[Value] = []
    receivable: list[Value] = []
    amounts: list[Value] = []
    due = getattr(document, "due_date", None) or posting_date
    for position, item in enumerate(items, start=1):
        row: dict[str, Value] = {"ITEMNO_ACC": f"{position:010d}", "GL_ACCOUNT": item.account}
        if item.customer:
            row["CUSTOMER"] = item.customer
            row["BLINE_DATE"] = translate.day(due)
            receivable.append(row)
        else:
            row["COMP_CODE"] = translate.company(document)
            general.append(row)
        row["ALLOC_NMBR"] = item.assignment
        row["ITEM_TEXT"] = item.text
        if item.profit_center:
            row["PROFIT_CTR"] = item.profit_center
        amounts.append(
            {
                "ITEMNO_ACC": f"{position:010d}",
                "CURRENCY": document.currency_code,
                "AMT_DOCCUR": translate.money(item.amount, item.field),
            }
        )
    header: dict[str, Value] = {
        "OBJ_TYPE": "BKPFF",
        "BUS_ACT": "RFBU",
        "USERNAME": settings.user[:12].upper(),
        "HEADER_TXT": text,
        "COMP_CODE": translate.company(document),
        "DOC_DATE": translate.day(document.posting_date),
        "PSTNG_DATE": translate.day(posting_date),
        "DOC_TYPE": document_type,
        "REF_DOC_NO": translate.reference(reference),
    }
    return Call(
        POST_DOCUMENT,
        {
            "DOCUMENTHEADER": header,
            "ACCOUNTGL": general,
            "ACCOUNTRECEIVABLE": receivable,
            "CURRENCYAMOUNT": amounts,
            "RETURN": "",
        },
    )
