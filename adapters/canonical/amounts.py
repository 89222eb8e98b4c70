"""Lines, tax and totals, and the check that they agree."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from adapters.canonical.values import (
    CanonicalModel,
    CompanyCode,
    DecimalText,
    LineNumber,
    NodeId,
    Quantity,
    Reference,
    TaxAmount,
    check_decimals,
    smallest_amount,
)

_PER_CENT: Final = Decimal(100)


class TotalsDisagree(ValueError):
    """Amounts of a document contradict each other; `field` says where, in wire words."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class DocumentLine(CanonicalModel):
    """One line of an order or an invoice. `net_amount` = price × quantity less discount, rounded by the caller."""

    line_number: LineNumber
    product: Reference
    description: Annotated[str, Field(max_length=256)] = ""
    quantity: Quantity
    unit_price: DecimalText
    discount_percent: DecimalText = Field(default=Decimal(0), le=100)
    net_amount: DecimalText
    tax: TaxAmount | None = None
    business_unit: NodeId | None = None
    company_code: CompanyCode | None = None


class Freight(CanonicalModel):
    """What the carriage costs, with its own tax."""

    net_amount: DecimalText
    tax: TaxAmount | None = None


class Totals(CanonicalModel):
    """Sums of a document: gross = net + tax + freight; tax includes the freight's."""

    net_amount: DecimalText
    tax_amount: DecimalText = Decimal(0)
    freight_amount: DecimalText = Decimal(0)
    gross_amount: DecimalText


def check_amounts(currency_code: str, lines: Iterable[DocumentLine], freight: Freight | None, totals: Totals) -> None:
    """Raise `TotalsDisagree` unless lines, tax, freight and totals agree to the smallest unit.

    A line's net may differ from price × quantity × (1 - discount) by less than one minor unit, and a tax from
    net × rate likewise, because callers round differently (half up, half even, per unit price); sums must be exact.
    """
    cent = smallest_amount(currency_code)
    net = tax = Decimal(0)
    for index, line in enumerate(lines):
        where = f"lines[{index}]"
        _check_line(currency_code, cent, line, where)
        net += line.net_amount
        tax += line.tax.amount if line.tax else 0
    carriage = Decimal(0)
    if freight is not None:
        check_decimals(freight.net_amount, currency_code, "freight.netAmount")
        _check_tax(currency_code, cent, freight.net_amount, freight.tax, "freight.tax")
        carriage = freight.net_amount
        tax += freight.tax.amount if freight.tax else 0
    _agree("totals.netAmount", totals.net_amount, net, "the sum of the lines' netAmount")
    _agree("totals.taxAmount", totals.tax_amount, tax, "the sum of all tax amounts")
    _agree("totals.freightAmount", totals.freight_amount, carriage, "freight.netAmount")
    _agree("totals.grossAmount", totals.gross_amount, net + tax + carriage, "net + tax + freight")


def _check_line(currency_code: str, cent: Decimal, line: DocumentLine, where: str) -> None:
    check_decimals(line.net_amount, currency_code, f"{where}.netAmount")
    exact = line.unit_price * line.quantity.value * (1 - line.discount_percent / _PER_CENT)
    if abs(line.net_amount - exact) >= cent:
        raise TotalsDisagree(
            f"{where}.netAmount",
            f"{line.net_amount} is not unitPrice x quantity less discount, which is {exact.normalize():f}",
        )
    _check_tax(currency_code, cent, line.net_amount, line.tax, f"{where}.tax")


def _check_tax(currency_code: str, cent: Decimal, net: Decimal, tax: TaxAmount | None, where: str) -> None:
    if tax is None:
        return
    check_decimals(tax.amount, currency_code, f"{where}.amount")
    exact = net * tax.rate_percent / _PER_CENT
    if abs(tax.amount - exact) >= cent:
        raise TotalsDisagree(
            f"{where}.amount", f"{tax.amount} is not netAmount x ratePercent, which is {exact.normalize():f}"
        )


def _agree(field: str, stated: Decimal, counted: Decimal, meaning: str) -> None:
    if stated != counted:
        raise TotalsDisagree(field, f"says {stated}, but {meaning} is {counted}")
