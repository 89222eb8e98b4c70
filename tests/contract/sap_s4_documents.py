"""Documents that the simulator takes as SAP S/4HANA, and what they are changed to.

The clock stands at 1996-07-01, and so do all posting dates. Customers and products that other documents name are those
that the simulator starts with.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

from adapters.canonical import (
    Address,
    Allocation,
    CanonicalDocument,
    Contact,
    Customer,
    DocumentLine,
    ErpNumber,
    Freight,
    Invoice,
    JournalEntry,
    JournalLine,
    Order,
    Payment,
    Product,
    Quantity,
    Reference,
    TaxAmount,
    TaxRegistration,
    Totals,
)
from adapters.port import Submission

SYSTEM: Final = "cloud-eu"
COMPANY: Final = "1000"
DAY: Final = date(1996, 7, 1)
_CUSTOMER: Final = "1000001"
_PRODUCTS: Final = ("MZ-FG-C100", "TG12")
_HEAD: Final[dict[str, Any]] = {
    "business_unit": "beverages",
    "geography": "DE",
    "company_code": COMPANY,
    "posting_date": DAY,
    "currency_code": "USD",
}
_NO_TAX: Final = TaxAmount(tax_category="Z", rate_percent=Decimal(0), amount=Decimal(0))
_ISLAND: Final = Address(
    street="Garden House, Crowther Way",
    city="Cowes",
    region="Isle of Wight",
    postal_code="PO31 7PJ",
    country_code="GB",
)


def submission(domain: str, serial: int, reference: str) -> Submission:
    """A document with two lines, freight and tax (every other invoice is a credit note); a payment of two invoices and
    a rest; a journal entry of three lines; a master."""
    if domain == "customers":
        return Submission(_customer(serial), reference)
    if domain == "products":
        return Submission(Product(name=f"Chai {serial}", external_id=f"product-{serial}"), reference)
    if domain == "journal_entries":
        return Submission(_journal_entry(serial), reference)
    if domain == "payments":
        numbers = {f"allocations[{index}].invoiceReference": _entry(index) for index in range(2)}
        return Submission(_payment(serial), reference, {**_parties(0), **numbers})
    if domain == "orders":
        return Submission(Order(**_two_lines(serial)), reference, _parties(2))
    if serial % 2:
        return Submission(Invoice(**_two_lines(serial)), reference, _parties(2))
    corrected = Reference(external_id="invoice-a")
    note = Invoice(**_two_lines(serial), document_type="credit_note", invoice_reference=corrected)
    return Submission(note, reference, {**_parties(2), "invoiceReference": _entry(0)})


def changed(original: Submission) -> tuple[CanonicalDocument, dict[str, ErpNumber]]:
    """The document with every member changed that this driver can change, and the numbers of what it names."""
    document = original.document
    if isinstance(document, Customer):
        address = _ISLAND.model_copy(update={"street": "Cowes Road 7", "postal_code": "PO30 1AA"})
        contact = Contact(name="Helen Bennett", phone="(198) 555-0000", email="helen@island.example")
        return document.model_copy(
            update={"name": f"{document.name} and all of its many daughters", "address": address, "contact": contact}
        ), {}
    if isinstance(document, Product):
        return document.model_copy(update={"name": f"{document.name} (bag)", "discontinued": True}), {}
    if not isinstance(document, Order):
        raise TypeError(f"{document.domain} are not changed")
    tax = TaxAmount(tax_category="S", rate_percent=Decimal(7), amount=Decimal("9.80"))
    lines = (
        _line(1, "Chai", "14.00", "10", "140.00", tax),  # fewer, another tax, another text
        _line(30, "Queso 'Manchego'", "38.00", "1", "38.00", _NO_TAX),  # new; line 20 is gone
    )
    totals = Totals(
        net_amount=Decimal("178.00"),
        tax_amount=Decimal("9.80"),
        freight_amount=Decimal("12.00"),
        gross_amount=Decimal("199.80"),
    )
    return document.model_copy(
        update={
            "lines": lines,
            "totals": totals,
            "freight": Freight(net_amount=Decimal("12.00")),
            "requested_delivery_date": date(1996, 7, 15),
            "ship_to": _ISLAND,
            "quote_reference": "quote-7",
        }
    ), _parties(2)


def _parties(lines: int) -> dict[str, ErpNumber]:
    products = {f"lines[{index}].product": _number("product", _PRODUCTS[index]) for index in range(lines)}
    return {"customer": _number("customer", _CUSTOMER), **products}


def _entry(index: int) -> ErpNumber:
    return _number("accounting_document", f"010000000{index}/1710/1996")


def _number(document_type: str, number: str) -> ErpNumber:
    return ErpNumber(system_id=SYSTEM, document_type=document_type, document_number=number)


def _two_lines(serial: int) -> dict[str, Any]:
    tax = TaxAmount(tax_category="S", rate_percent=Decimal(19), amount=Decimal("31.92"))
    long = "Chai & <friends>, für zwei, with a name longer than forty characters"
    return {
        **_HEAD,
        "external_id": f"document-{serial}",
        "customer": Reference(external_id="ALFKI"),
        "lines": (
            _line(1, long, "14.00", "12.000", "168.00", tax),
            _line(20, "Queso 'Cabrales'", "9.8055", "12.000", "117.67", _NO_TAX),
        ),
        "freight": Freight(net_amount=Decimal("32.38")),
        "totals": Totals(
            net_amount=Decimal("285.67"),
            tax_amount=Decimal("31.92"),
            freight_amount=Decimal("32.38"),
            gross_amount=Decimal("349.97"),
        ),
    }


def _line(number: int, name: str, price: str, quantity: str, net: str, tax: TaxAmount) -> DocumentLine:
    return DocumentLine(
        line_number=number,
        product=Reference(external_id=f"product-{number}"),
        description=name,
        quantity=Quantity(value=Decimal(quantity)),
        unit_price=Decimal(price),
        net_amount=Decimal(net),
        tax=tax,
    )


def _payment(serial: int) -> Payment:
    return Payment(
        **_HEAD,
        external_id=f"document-{serial}",
        customer=Reference(external_id="ALFKI"),
        payment_reference=f"wire {serial}",
        amount=Decimal("500.00"),
        allocations=(
            Allocation(invoice_reference=Reference(external_id="invoice-a"), amount=Decimal("349.97")),
            Allocation(invoice_reference=Reference(external_id="invoice-b"), amount=Decimal("100.00")),
        ),
    )


def _journal_entry(serial: int) -> JournalEntry:
    return JournalEntry(
        **_HEAD,
        external_id=f"document-{serial}",
        description="Accrual of the carriage of June",
        lines=(
            JournalLine(
                line_number=1,
                gl_account="61003000",
                posting_side="debit",
                amount=Decimal("120.50"),
                cost_center="17101301",
                description="Carriage",
            ),
            JournalLine(line_number=2, gl_account="61004000", posting_side="debit", amount=Decimal("0.25")),
            JournalLine(line_number=30, gl_account="21120000", posting_side="credit", amount=Decimal("120.75")),
        ),
    )


def _customer(serial: int) -> Customer:
    return Customer(
        external_id=f"customer-{serial}",
        name=f"Island Trading {serial}",
        geography="GB",
        address=_ISLAND,
        contact=Contact(name="Helen Bennett", phone="(198) 555-8888"),
        tax_registrations=(TaxRegistration(country_code="GB", tax_number="GB123456789"),),
    )
