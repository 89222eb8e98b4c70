"""Documents for the simulator as SAP ECC, and the numbers of what they refer to."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

from adapters.canonical import (
    Allocation,
    DocumentLine,
    ErpNumber,
    Freight,
    Invoice,
    JournalEntry,
    JournalLine,
    Order,
    Payment,
    Quantity,
    Reference,
    TaxAmount,
    Totals,
)
from adapters.port import Submission

SYSTEM: Final = "legacy-main"
COMPANY: Final = "1000"
CUSTOMER: Final = "1000001"
POSTING_DATE: Final = date(1996, 7, 1)
"""The simulator's day: it dates orders itself."""
_MATERIALS: Final = ("MZ-FG-C100", "TG12", "TG13")
_TAX: Final = TaxAmount(tax_category="S", rate_percent=Decimal(19), amount=Decimal("31.92"))
_NO_TAX: Final = TaxAmount(tax_category="Z", rate_percent=Decimal(0), amount=Decimal(0))


def submission(domain: str, reference: str, serial: int) -> Submission:
    """An order with freight and a free line; an invoice or (every other one) a credit note with freight and tax; a
    payment of two invoices and a rest; a journal entry that follows a payment."""
    document = {"orders": order, "invoices": _invoice, "payments": _payment, "journal_entries": _entry}[domain](serial)
    return Submission(document, reference, numbers(document))


def changed_order(original: Order) -> Order:
    """The order with everything changed that can be: the date, the freight, a line's quantity, price and name, one line
    taken out, another one put in under a number that the ERP had given to the freight."""
    return original.model_copy(
        update={
            "requested_delivery_date": date(1996, 9, 2),
            "lines": (
                _line(1, "Chai, half of it", "6", "13.00", "78.00"),
                original.lines[2],
                _line(40, "Schoggi Schokolade", "2", "43.90", "87.80"),
            ),
            "freight": Freight(net_amount=Decimal("20.00")),
            "totals": Totals(
                net_amount=Decimal("165.80"), freight_amount=Decimal("20.00"), gross_amount=Decimal("185.80")
            ),
        }
    )


def numbers(document: Order | Invoice | Payment | JournalEntry) -> dict[str, ErpNumber]:
    """What the documents that this one refers to are called there."""
    if isinstance(document, JournalEntry):
        return {"paymentReference": _number("accounting_document", f"0100000002/{COMPANY}/1996")}
    found = {"customer": _number("customer", CUSTOMER)}
    if isinstance(document, Payment):
        for index in range(len(document.allocations)):
            invoice = f"010000000{index}/{COMPANY}/1996"
            found[f"allocations[{index}].invoiceReference"] = _number("accounting_document", invoice)
        return found
    for index in range(len(document.lines)):
        found[f"lines[{index}].product"] = _number("product", _MATERIALS[index])
    return found


def order(serial: int) -> Order:
    """An order of three lines, one of them free, with freight and a date."""
    return Order(
        **_head("order", serial),
        customer=Reference(external_id="ALFKI"),
        requested_delivery_date=date(1996, 8, 1),
        lines=(
            _line(1, "Chai & <friends>, für zwei", "12", "14.00", "168.00"),
            _line(2, "Queso Cabrales", "10.500", "9.80", "102.90"),
            _line(30, "A free sample", "3", "0", "0"),
        ),
        freight=Freight(net_amount=Decimal("32.38")),
        totals=Totals(net_amount=Decimal("270.90"), freight_amount=Decimal("32.38"), gross_amount=Decimal("303.28")),
    )


def _invoice(serial: int) -> Invoice:
    long_name = "Chai, " + "a name that is longer than the item's text " * 2
    return Invoice(
        **_head("invoice", serial),
        customer=Reference(external_id="ALFKI"),
        document_type="credit_note" if serial % 2 else "invoice",
        lines=(
            _line(1, long_name, "12", "14.00", "168.00", _TAX),
            _line(2, "Queso Cabrales", "10", "9.80", "98.00", _NO_TAX),
        ),
        freight=Freight(net_amount=Decimal("32.38")),
        totals=Totals(
            net_amount=Decimal("266.00"),
            tax_amount=Decimal("31.92"),
            freight_amount=Decimal("32.38"),
            gross_amount=Decimal("330.30"),
        ),
    )


def _payment(serial: int) -> Payment:
    return Payment(
        **_head("payment", serial),
        customer=Reference(external_id="ALFKI"),
        payment_reference=f"wire {serial}",
        amount=Decimal("500.00"),
        allocations=(
            Allocation(invoice_reference=Reference(external_id="invoice-a"), amount=Decimal("330.30")),
            Allocation(invoice_reference=Reference(external_id="invoice-b"), amount=Decimal("100.00")),
        ),
    )


def _entry(serial: int) -> JournalEntry:
    return JournalEntry(
        **_head("entry", serial),
        description="Bank charges of July, with a text that is longer than its field",
        payment_reference=Reference(external_id="payment-1"),
        lines=(
            JournalLine(
                line_number=10,
                gl_account="476900",
                posting_side="debit",
                amount=Decimal("12.50"),
                cost_center="4711",
                description="Charges & <fees>",
            ),
            JournalLine(line_number=20, gl_account="154000", posting_side="debit", amount=Decimal("2.38")),
            JournalLine(line_number=30, gl_account="113100", posting_side="credit", amount=Decimal("14.88")),
        ),
    )


def _head(kind: str, serial: int) -> dict[str, Any]:
    return {
        "external_id": f"{kind}-{serial}",
        "business_unit": "beverages",
        "geography": "DE",
        "company_code": COMPANY,
        "posting_date": POSTING_DATE,
        "currency_code": "USD",
    }


def _number(document_type: str, number: str) -> ErpNumber:
    return ErpNumber(system_id=SYSTEM, document_type=document_type, document_number=number)


def _line(number: int, name: str, pieces: str, price: str, net: str, tax: TaxAmount | None = None) -> DocumentLine:
    return DocumentLine(
        line_number=number,
        product=Reference(external_id=f"product-{number}"),
        description=name,
        quantity=Quantity(value=Decimal(pieces)),
        unit_price=Decimal(price),
        net_amount=Decimal(net),
        tax=tax,
    )
