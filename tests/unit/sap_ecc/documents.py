"""Documents and settings for the tests of this driver, and the reading of its envelopes by other means than its own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final
from xml.etree import ElementTree as ET

from pydantic import SecretStr

from adapters.canonical import (
    Address,
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
from adapters.legacy_erp.sap_ecc.settings import Accounts, SalesArea, SapEccSettings
from adapters.port import Submission

SYSTEM: Final = "legacy-main"
PASSWORD: Final = "hush-hush-77"
SETTINGS: Final = SapEccSettings(
    user="gateway",
    password=SecretStr(PASSWORD),
    sales_area=SalesArea("1710"),
    sales_areas={"1000": SalesArea("1710")},
    accounts=Accounts(
        revenue="0041000000",
        freight="0044000000",
        tax="0022000000",
        bank="0011001000",
        receivable="0012100000",
        bank_by_method={"card": "0011002000"},
    ),
    profit_centers={"beverages": "PCBEV"},
)


def number(document_type: str, text: str, system_id: str = SYSTEM) -> ErpNumber:
    """A number of the system under test."""
    return ErpNumber(system_id=system_id, document_type=document_type, document_number=text)


def tax(amount: str, rate: str = "19", category: str = "S") -> TaxAmount:
    """A tax."""
    return TaxAmount(tax_category=category, rate_percent=Decimal(rate), amount=Decimal(amount))


def line(
    line_number: int,
    pieces: str,
    price: str,
    net: str,
    *,
    description: str = "Chai",
    line_tax: TaxAmount | None = None,
    unit_code: str = "C62",
) -> DocumentLine:
    """A line."""
    return DocumentLine(
        line_number=line_number,
        product=Reference(external_id=f"P-{line_number}"),
        description=description,
        quantity=Quantity(value=Decimal(pieces), unit_code=unit_code),
        unit_price=Decimal(price),
        net_amount=Decimal(net),
        tax=line_tax,
    )


def order(*lines: DocumentLine, freight: str = "0", **changes: Any) -> Order:
    """An order of these lines, with totals that agree."""
    net = sum((one.net_amount for one in lines), Decimal(0))
    taxes = sum((one.tax.amount for one in lines if one.tax), Decimal(0))
    values: dict[str, Any] = {
        "external_id": "SO-4711",
        "business_unit": "beverages",
        "geography": "DE",
        "company_code": "1000",
        "posting_date": date(1996, 7, 4),
        "currency_code": "USD",
        "customer": Reference(external_id="ALFKI"),
        "lines": lines,
        "freight": Freight(net_amount=Decimal(freight)) if Decimal(freight) else None,
        "totals": Totals(
            net_amount=net,
            tax_amount=taxes,
            freight_amount=Decimal(freight),
            gross_amount=net + taxes + Decimal(freight),
        ),
    }
    return Order(**(values | changes))


def invoice(*lines: DocumentLine, freight: Freight | None = None, **changes: Any) -> Invoice:
    """An invoice of these lines, with totals that agree."""
    net = sum((one.net_amount for one in lines), Decimal(0))
    taxes = sum((one.tax.amount for one in lines if one.tax), Decimal(0))
    carriage = freight.net_amount if freight else Decimal(0)
    if freight and freight.tax:
        taxes += freight.tax.amount
    values: dict[str, Any] = {
        "external_id": "INV-2026-000000000000000000042",
        "business_unit": "beverages",
        "geography": "DE",
        "company_code": "1000",
        "posting_date": date(1996, 7, 4),
        "due_date": date(1996, 8, 1),
        "currency_code": "USD",
        "customer": Reference(external_id="ALFKI"),
        "order_reference": Reference(external_id="SO-4711"),
        "lines": lines,
        "freight": freight,
        "totals": Totals(
            net_amount=net, tax_amount=taxes, freight_amount=carriage, gross_amount=net + taxes + carriage
        ),
    }
    return Invoice(**(values | changes))


def payment(amount: str, *allocated: str, **changes: Any) -> Payment:
    """A payment that settles one invoice for each of `allocated`."""
    values: dict[str, Any] = {
        "external_id": "PAY-1",
        "business_unit": "beverages",
        "geography": "DE",
        "company_code": "1000",
        "posting_date": date(1996, 7, 9),
        "currency_code": "USD",
        "customer": Reference(external_id="ALFKI"),
        "payment_reference": "wire 99",
        "amount": Decimal(amount),
        "allocations": tuple(
            Allocation(invoice_reference=Reference(external_id=f"INV-{index}"), amount=Decimal(part))
            for index, part in enumerate(allocated)
        ),
    }
    return Payment(**(values | changes))


def journal_line(
    line_number: int, account: str, signed: str, *, description: str = "", cost_center: str | None = None, **more: Any
) -> JournalLine:
    """A line of a journal entry; a positive amount is a debit."""
    amount = Decimal(signed)
    return JournalLine(
        line_number=line_number,
        gl_account=account,
        posting_side="debit" if amount > 0 else "credit",
        amount=abs(amount),
        description=description,
        cost_center=cost_center,
        **more,
    )


def entry(*lines: JournalLine, **changes: Any) -> JournalEntry:
    """A journal entry of these lines."""
    values: dict[str, Any] = {
        "external_id": "JE-1",
        "business_unit": "beverages",
        "geography": "DE",
        "company_code": "1000",
        "posting_date": date(1996, 7, 31),
        "currency_code": "USD",
        "lines": lines,
    }
    return JournalEntry(**(values | changes))


def submission(document: Order | Invoice | Payment | JournalEntry, reference: str = "0123456789ABCDEF") -> Submission:
    """The document with a number for each thing that it refers to."""
    if isinstance(document, JournalEntry):
        return Submission(document, reference, _followed(document))
    numbers = {"customer": number("customer", "1000001")}
    if isinstance(document, Payment):
        for index in range(len(document.allocations)):
            numbers[f"allocations[{index}].invoiceReference"] = number(
                "accounting_document", f"01{index:08d}/1000/1996"
            )
        return Submission(document, reference, numbers)
    for index in range(len(document.lines)):
        numbers[f"lines[{index}].product"] = number("product", f"TG{index}")
    if isinstance(document, Invoice) and document.order_reference is not None:
        numbers["orderReference"] = number("sales_order", "0000004737")
    return Submission(document, reference, numbers)


def _followed(document: JournalEntry) -> dict[str, ErpNumber]:
    known = {
        "paymentReference": number("accounting_document", "0100000009/1000/1996"),
        "invoiceReference": number("accounting_document", "0100000007/1000/1996"),
        "orderReference": number("sales_order", "0000004737"),
    }
    return {link.field: known[link.field] for link in document.links()}


def ship_to() -> Address:
    """An address with parts that are longer than their fields."""
    return Address(
        street="Obere Straße 57, Hinterhaus, dritter Aufgang links",
        city="Berlin",
        region="Brandenburg",
        postal_code="12209",
        country_code="DE",
    )


def read_envelope(body: bytes) -> tuple[str, dict[str, Any]]:
    """Function and parameters of a call, read with the standard library."""
    root = ET.fromstring(body)  # noqa: S314 - written by the code under test
    call = root[0][0]
    return call.tag.split("}")[1], {child.tag: _value(child) for child in call}


def _value(element: ET.Element) -> Any:
    if not len(element):
        return element.text or ""
    if all(child.tag == "item" for child in element):
        return [_value(child) for child in element]
    return {child.tag: _value(child) for child in element}
