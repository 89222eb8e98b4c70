"""Documents of all kinds that this system can carry, as examples and as strategies."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from hypothesis import strategies as st

from adapters.canonical import (
    Address,
    DocumentLine,
    ErpNumber,
    Freight,
    Invoice,
    JournalEntry,
    JournalLine,
    Order,
    Quantity,
    Reference,
    TaxAmount,
    Totals,
)
from adapters.port import Submission
from tests.unit.sap_s4.scripted import number

REFERENCE: Final = "7Q2M8N4K1V5X9Z3B"
HEAD: Final[dict[str, Any]] = {
    "external_id": "10248",
    "business_unit": "beverages",
    "geography": "FR",
    "company_code": "1000",
    "posting_date": date(1996, 7, 4),
    "currency_code": "USD",
    "customer": Reference(external_id="VINET"),
}
ADDRESS: Final = Address(street="59 rue de l'Abbaye", city="Reims", postal_code="51100", country_code="FR")
_CENT: Final = Decimal("0.01")


def two_lines(**more: Any) -> dict[str, Any]:
    """A head with two lines, discount, tax and freight."""
    tax = TaxAmount(tax_category="S", rate_percent=Decimal("19.00"), amount=Decimal("27.13"))
    free = TaxAmount(tax_category="AE", rate_percent=Decimal(0), amount=Decimal(0))
    carriage = TaxAmount(tax_category="S", rate_percent=Decimal(19), amount=Decimal("6.15"))
    return {
        **HEAD,
        "lines": (
            line(1, "14.00", "12", "142.80", discount_percent=Decimal(15), tax=tax, description="Queso 'Cabrales'"),
            line(20, "9.800125", "10.5", "102.90", tax=free, description="x" * 41),
        ),
        "freight": Freight(net_amount=Decimal("32.38"), tax=carriage),
        "totals": Totals(
            net_amount=Decimal("245.70"),
            tax_amount=Decimal("33.28"),
            freight_amount=Decimal("32.38"),
            gross_amount=Decimal("311.36"),
        ),
        **more,
    }


def journal_entry(**more: Any) -> JournalEntry:
    """Two debits and a credit."""
    head = {name: value for name, value in HEAD.items() if name != "customer"}
    lines = (
        JournalLine(
            line_number=10,
            gl_account="61003000",
            posting_side="debit",
            amount=Decimal("120.50"),
            cost_center="17101301",
            description="Carriage of June",
        ),
        JournalLine(line_number=20, gl_account="ACCRUAL", posting_side="debit", amount=Decimal("0.25")),
        JournalLine(line_number=30, gl_account="21120000", posting_side="credit", amount=Decimal("120.75")),
    )
    return JournalEntry(**{**head, "description": "Accruals", "lines": lines, **more})


def line(line_number: int, price: str, quantity: str, net: str, **more: Any) -> DocumentLine:
    """One line."""
    return DocumentLine(
        line_number=line_number,
        product=Reference(external_id=f"product-{line_number}"),
        quantity=Quantity(value=Decimal(quantity)),
        unit_price=Decimal(price),
        net_amount=Decimal(net),
        **more,
    )


def numbers(document: Any, **more: ErpNumber) -> dict[str, ErpNumber]:
    """What everything that a document names is called there."""
    found = {"customer": number("customer", "1000001")}
    for index in range(len(getattr(document, "lines", ()))):
        found[f"lines[{index}].product"] = number("product", f"0123456789ABCD{index:02d}")
    for index in range(len(getattr(document, "allocations", ()))):
        found[f"allocations[{index}].invoiceReference"] = number(
            "accounting_document", f"01000000{index:02d}/1710/1996"
        )
    return {**found, **more}


def submitted(document: Any, **more: ErpNumber) -> Submission:
    """A submission of it."""
    return Submission(document, REFERENCE, numbers(document, **more))


@st.composite
def lines(draw: st.DrawFn) -> DocumentLine:
    """A line within what this system promises: three decimals of quantities, percentages and amounts."""
    price = draw(st.decimals(0, 100_000, places=6))
    quantity = draw(st.decimals(Decimal("0.001"), 9_999, places=3))
    discount = draw(st.just(Decimal(0)) | st.decimals(0, 100, places=3))
    net = (price * quantity * (1 - discount / 100)).quantize(_CENT, ROUND_HALF_UP)
    tax = None
    if draw(st.booleans()):
        rate = draw(st.decimals(0, 100, places=3))
        amount = (net * rate / 100).quantize(_CENT, ROUND_HALF_UP)
        tax = TaxAmount(tax_category=draw(st.sampled_from(["S", "Z", "AE"])), rate_percent=rate, amount=amount)
    return DocumentLine(
        line_number=1,
        product=Reference(external_id="p"),
        description=draw(st.text(st.characters(categories=["L", "N", "S"]), max_size=40)),
        quantity=Quantity(value=quantity, unit_code=draw(st.sampled_from(["C62", "KGM", "XBX", "MTK"]))),
        unit_price=price,
        discount_percent=discount,
        net_amount=net,
        tax=tax,
    )


@st.composite
def priced(draw: st.DrawFn, kind: type[Order] | type[Invoice]) -> Any:
    """An order or an invoice of such lines, with all that its head can say."""
    chosen = draw(st.lists(lines(), min_size=1, max_size=5))
    places = draw(st.lists(st.integers(1, 999_999), min_size=len(chosen), max_size=len(chosen), unique=True))
    numbered = tuple(
        one.model_copy(update={"line_number": place}) for one, place in zip(chosen, sorted(places), strict=True)
    )
    freight = draw(st.none() | freights())
    net = sum((one.net_amount for one in numbered), Decimal(0))
    taxed = [one.tax for one in (*numbered, *([freight] if freight else []))]
    tax = sum((one.amount for one in taxed if one), Decimal(0))
    carriage = freight.net_amount if freight else Decimal(0)
    totals = Totals(net_amount=net, tax_amount=tax, freight_amount=carriage, gross_amount=net + tax + carriage)
    more: dict[str, Any] = {}
    if kind is Order:
        more["requested_delivery_date"] = draw(st.none() | DAYS)
        more["ship_to"] = draw(st.none() | addresses())
        more["quote_reference"] = draw(st.none() | st.just("Q-7"))
    return kind(**HEAD, lines=numbered, freight=freight, totals=totals, **more)


DAYS: Final = st.dates(date(1996, 1, 1), date(2099, 12, 31))
WORDS: Final = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40)


@st.composite
def freights(draw: st.DrawFn) -> Freight:
    """A carriage, taxed or not."""
    net = draw(st.decimals(Decimal("0.01"), 999, places=2))
    if draw(st.booleans()):
        return Freight(net_amount=net)
    rate = draw(st.decimals(0, 100, places=3))
    amount = (net * rate / 100).quantize(_CENT, ROUND_HALF_UP)
    return Freight(net_amount=net, tax=TaxAmount(tax_category="S", rate_percent=rate, amount=amount))


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    """An address whose region is a code or nothing."""
    return Address(
        street=draw(WORDS),
        city=draw(WORDS),
        region=draw(st.text(st.characters(categories=["L"]), max_size=3)),
        postal_code=draw(st.text(st.characters(categories=["N"]), max_size=10)),
        country_code=draw(st.sampled_from(["DE", "US", "FR"])),
    )


@st.composite
def journal_entries(draw: st.DrawFn) -> JournalEntry:
    """A balanced entry of one company and currency."""
    amounts = draw(st.lists(st.decimals(Decimal("0.01"), 10**9, places=2), min_size=1, max_size=5))
    places = draw(st.lists(st.integers(1, 999_999), min_size=len(amounts) + 1, max_size=len(amounts) + 1, unique=True))
    account = st.from_regex(r"\A[A-Z1-9][A-Z0-9]{0,9}\Z")
    text = st.text(st.characters(categories=["L", "N", "S"]), max_size=50)
    side = draw(st.sampled_from(["debit", "credit"]))
    other = "credit" if side == "debit" else "debit"
    posted = [(side, amount) for amount in amounts] + [(other, sum(amounts, Decimal(0)))]
    return journal_entry(
        description=draw(st.text(st.characters(categories=["L", "N"]), max_size=25)),
        lines=tuple(
            JournalLine(
                line_number=place,
                gl_account=draw(account),
                posting_side=where,
                amount=amount,
                cost_center=draw(st.none() | st.just("17101301")),
                description=draw(text),
            )
            for place, (where, amount) in zip(sorted(places), posted, strict=True)
        ),
    )
