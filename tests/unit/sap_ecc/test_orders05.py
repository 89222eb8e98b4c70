"""Orders as IDocs: nothing is lost on the way, and what we wrote is read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.canonical import DocumentLine, Order
from adapters.errors import Misconfigured, Rejected
from adapters.legacy_erp.sap_ecc.orders05 import MAX_ELEMENTS, IdocOrder, order_idoc, read_order_idoc
from adapters.legacy_erp.sap_ecc.settings import SalesArea
from adapters.legacy_erp.sap_ecc.wire import Unreadable, clean
from adapters.port import Submission
from tests.unit.sap_ecc.documents import SETTINGS, SYSTEM, invoice, line, number, order, submission
from tests.unit.sap_ecc.recorded import ordered
from tests.unit.sap_ecc.scripted import golden

UNITS: Final = {SETTINGS.idoc.units.get(code, code): code for code in SETTINGS.units}
GOOD: Final = golden("idoc").decode()


def _segments(made: Submission, name: str) -> list[dict[str, str]]:
    """The fields of the segments of that name, read with the standard library."""
    root = ET.fromstring(order_idoc(made, SETTINGS, SYSTEM))  # noqa: S314 - written by the code under test
    return [{field.tag: field.text or "" for field in found if not len(field)} for found in root.iter(name)]


def test_the_head_names_reference_area_dates_partners_and_freight() -> None:
    made = ordered()
    [control] = _segments(made, "EDI_DC40")
    assert (control["ARCKEY"], control["IDOCTYP"], control["MESTYP"]) == ("0123456789ABCDEF", "ORDERS05", "ORDERS")
    assert {one["QUALF"]: one["BELNR"] for one in _segments(made, "E1EDK02")} == {
        "001": "0123456789ABCDEF",
        "044": "SO-4711",
    }
    assert {one["QUALF"]: one["ORGID"] for one in _segments(made, "E1EDK14")} == {
        "008": "1710",
        "007": "10",
        "006": "00",
        "012": "OR",
    }
    assert {one["IDDAT"]: one["DATUM"] for one in _segments(made, "E1EDK03")} == {"012": "19960704", "002": "19960801"}
    sold_to, ship_to = _segments(made, "E1EDKA1")
    assert (sold_to["PARVW"], sold_to["PARTN"]) == ("AG", "1000001")
    assert (ship_to["PARVW"], ship_to["ORT01"], "REGIO" in ship_to) == ("WE", "Berlin", False)
    [freight] = _segments(made, "E1EDK05")
    assert (freight["ALCKZ"], freight["KSCHL"], freight["BETRG"]) == ("+", "HD00", "32.38")


def test_the_sales_area_follows_the_company_code() -> None:
    settings = replace(SETTINGS, sales_areas={"1000": SalesArea("2000", "20", "01")})
    assert read_order_idoc(order_idoc(ordered(), settings, SYSTEM)).organisation == "2000"


def test_what_an_inquiry_needs_is_read_back() -> None:
    assert read_order_idoc(golden("idoc")) == IdocOrder(
        "0123456789ABCDEF", "1000001", "USD", Decimal("303.28"), date(1996, 7, 4), "1710"
    )


def _lines() -> st.SearchStrategy[tuple[DocumentLine, ...]]:
    def build(rows: list[tuple[int, int, str, str]], numbers: list[int]) -> tuple[DocumentLine, ...]:
        made = []
        for (thousandths, cents, text, unit), line_number in zip(rows, numbers, strict=False):
            pieces, price = Decimal(thousandths) / 1000, Decimal(cents) / 100
            net = (pieces * price).quantize(Decimal("0.01"))
            made.append(line(line_number, f"{pieces:f}", f"{price:f}", f"{net:f}", description=text, unit_code=unit))
        return tuple(made)

    one = st.tuples(
        st.integers(1, 10**9), st.integers(0, 10**6), st.text(max_size=256), st.sampled_from(sorted(SETTINGS.units))
    )
    numbers = st.lists(st.integers(1, 999_999), min_size=8, max_size=8, unique=True)
    return st.builds(build, st.lists(one, min_size=1, max_size=8), numbers)


@given(_lines(), st.integers(0, 10**6), st.none() | st.dates(date(1900, 1, 1)))
def test_orders_survive(lines: tuple[DocumentLine, ...], freight_cents: int, requested: date | None) -> None:
    document = order(*lines, freight=f"{Decimal(freight_cents) / 100:f}", requested_delivery_date=requested)
    made = submission(document)
    root = ET.fromstring(order_idoc(made, SETTINGS, SYSTEM))  # noqa: S314 - written by the code under test
    items = list(root.iter("E1EDP01"))
    assert [_read_line(item, requested) for item in items] == [
        (
            one.line_number,
            f"TG{index}",
            one.quantity.value,
            one.quantity.unit_code,
            one.net_amount,
            clean(one.description, 70),
        )
        for index, one in enumerate(lines)
    ]
    carriage = [Decimal(one.findtext("BETRG", "")) for one in root.iter("E1EDK05")]
    assert carriage == ([document.totals.freight_amount] if freight_cents else [])
    read = read_order_idoc(order_idoc(made, SETTINGS, SYSTEM))
    assert (read.reference, read.customer, read.currency_code) == (made.external_reference, "1000001", "USD")
    assert read.total == document.totals.net_amount + document.totals.freight_amount


def _read_line(item: ET.Element, requested: date | None) -> tuple[object, ...]:
    name = item.find("E1EDP19")
    assert name is not None
    assert item.findtext("E1EDP20/EDATU") == (requested.strftime("%Y%m%d") if requested else None)
    return (
        int(item.findtext("POSEX", "")),
        name.findtext("IDTNR"),
        Decimal(item.findtext("MENGE", "")),
        UNITS[item.findtext("MENEE", "")],
        Decimal(item.findtext("NETWR", "")),
        name.findtext("KTEXT", ""),
    )


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (order(line(1, "1.0001", "1.00", "1.00")), "lines[0].quantity.value"),
        (order(line(1, "1", "1.001", "1.001"), currency_code="KWD"), "lines[0].netAmount"),
        (order(*[line(n, "1", "1.00", "1.00") for n in range(1, 992)]), "lines"),
    ],
)
def test_what_would_be_held_otherwise_is_refused(document: Order, field: str) -> None:
    with pytest.raises(Rejected) as raised:
        order_idoc(submission(document), SETTINGS, SYSTEM)
    assert (raised.value.code, raised.value.field) == ("UNREPRESENTABLE", field)


@pytest.mark.parametrize(
    "made",
    [
        replace(ordered(), numbers={}),
        replace(ordered(), external_reference="with blank"),
        replace(ordered(), numbers=dict(ordered().numbers) | {"customer": number("customer", "1", "other")}),
        submission(invoice(line(1, "1", "1.00", "1.00"))),
    ],
)
def test_missing_numbers_are_for_operations(made: Submission) -> None:
    with pytest.raises(Misconfigured):
        order_idoc(made, SETTINGS, SYSTEM)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "<ORDERS05/>",
        "<ORDERS04><IDOC/></ORDERS04>",
        "<ORDERS05><IDOC/><IDOC/></ORDERS05>",
        "<!DOCTYPE x>" + GOOD.partition("?>")[2],
        GOOD[:-1],
        GOOD.replace("utf-8", "iso-8859-1"),
        GOOD.replace("<E1EDS01", "<x>" * MAX_ELEMENTS + "<E1EDS01", 1),
        GOOD.replace("</IDOC>", "<a/>" * (MAX_ELEMENTS + 1) + "</IDOC>"),
        GOOD.replace("303.28", "303,28"),
        GOOD.replace("<DATUM>19960704", "<DATUM>19961304", 1),
        GOOD.replace("</IDOC>", '<E1EDK02 SEGMENT="1"><QUALF>001</QUALF><BELNR>X</BELNR></E1EDK02></IDOC>'),
    ],
)
def test_what_is_no_order_of_ours_is_none(payload: str) -> None:
    with pytest.raises(Unreadable):
        read_order_idoc(payload.encode())


def test_an_idoc_that_says_little_is_read_as_far_as_it_goes() -> None:
    read = read_order_idoc(b"<ORDERS05><IDOC><!-- x --><E1EDK01><CURCY>usd</CURCY></E1EDK01></IDOC></ORDERS05>")
    assert read == IdocOrder("", "", "", None, None, "")
