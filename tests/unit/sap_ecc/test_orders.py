"""Orders to BAPI_SALESORDER_CREATEFROMDAT2."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.canonical import DocumentLine, Order
from adapters.errors import Misconfigured, Rejected
from adapters.legacy_erp.sap_ecc.order_items import FREIGHT_TEXT
from adapters.legacy_erp.sap_ecc.orders import create_order, order_expectation
from adapters.legacy_erp.sap_ecc.settings import SalesArea
from adapters.legacy_erp.sap_ecc.wire import clean, envelope
from adapters.port import Expectation, Submission
from tests.unit.sap_ecc.documents import (
    SETTINGS,
    SYSTEM,
    invoice,
    line,
    number,
    order,
    read_envelope,
    ship_to,
    submission,
)
from tests.unit.sap_ecc.recorded import ordered

SETTINGS_BACK = {there: code for code, there in SETTINGS.units.items()}


def _parameters(given: Submission, **settings: object) -> dict[str, object]:
    call = create_order(given, replace(SETTINGS, **settings), SYSTEM)  # type: ignore[arg-type]
    return read_envelope(envelope(call.function, call.parameters))[1]


def test_a_free_line_has_the_smallest_condition_value() -> None:
    items = _parameters(ordered())["ORDER_ITEMS_IN"]
    assert isinstance(items, list)
    free = items[2]
    assert (free["COND_VALUE"], free["ITEM_CATEG"]) == ("0.000000001", "TANN")
    assert all("ITEM_CATEG" not in item for item in items if item is not free)


def test_the_freight_is_an_item_behind_the_lines() -> None:
    items = _parameters(ordered(), freight_material="FREIGHT")["ORDER_ITEMS_IN"]
    assert isinstance(items, list)
    last = items[-1]
    assert (last["ITM_NUMBER"], last["MATERIAL"], last["SHORT_TEXT"]) == ("000040", "FREIGHT", FREIGHT_TEXT)
    assert last["COND_VALUE"] == "32.38"


def test_the_freight_finds_a_number_when_the_last_line_has_the_highest() -> None:
    document = order(line(999_999, "1", "1.00", "1.00"), line(999_998, "1", "1.00", "1.00"), freight="2.00")
    items = _parameters(submission(document))["ORDER_ITEMS_IN"]
    assert isinstance(items, list)
    assert items[-1]["ITM_NUMBER"] == "999997"


def test_what_an_inquiry_must_find() -> None:
    assert order_expectation(ordered(), SYSTEM) == Expectation("1000001", "USD", Decimal("303.28"))


def test_a_region_by_name_is_left_out_and_a_code_is_kept() -> None:
    address = ship_to()
    by_code = order(line(1, "1", "1.00", "1.00"), ship_to=address.model_copy(update={"region": "BE"}))
    by_name = order(line(1, "1", "1.00", "1.00"), ship_to=address)
    partners = [_parameters(submission(one))["ORDER_PARTNERS"] for one in (by_code, by_name)]
    assert partners[0][1]["REGION"] == "BE"  # type: ignore[index]
    assert "REGION" not in partners[1][1]  # type: ignore[index]
    assert partners[1][1]["STREET"] == "Obere Straße 57, Hinterhaus, dritte"  # type: ignore[index]


def test_the_sales_area_follows_the_company_code() -> None:
    area = SalesArea("2000", "20", "01")
    header = _parameters(ordered(), sales_areas={"1000": area})["ORDER_HEADER_IN"]
    assert isinstance(header, dict)
    assert (header["SALES_ORG"], header["DISTR_CHAN"], header["DIVISION"]) == ("2000", "20", "01")


def _lines() -> st.SearchStrategy[tuple[DocumentLine, ...]]:
    one = st.builds(
        lambda thousandths, cents, text, unit: (thousandths, cents, text, unit),
        st.integers(1, 10**9),
        st.integers(0, 10**6),
        st.text(max_size=256),
        st.sampled_from(sorted(SETTINGS.units)),
    )

    def build(rows: list[tuple[int, int, str, str]], numbers: list[int]) -> tuple[DocumentLine, ...]:
        made = []
        for (thousandths, cents, text, unit), line_number in zip(rows, numbers, strict=False):
            pieces, price = Decimal(thousandths) / 1000, Decimal(cents) / 100
            net = (pieces * price).quantize(Decimal("0.01"))
            made.append(line(line_number, f"{pieces:f}", f"{price:f}", f"{net:f}", description=text, unit_code=unit))
        return tuple(made)

    rows = st.lists(one, min_size=1, max_size=8)
    numbers = st.lists(st.integers(1, 999_999), min_size=8, max_size=8, unique=True)
    return st.builds(build, rows, numbers)


@given(_lines(), st.integers(0, 10**6))
def test_lines_survive(lines: tuple[DocumentLine, ...], freight_cents: int) -> None:
    document = order(*lines, freight=f"{Decimal(freight_cents) / 100:f}")
    made = submission(document)
    parameters = _parameters(made)
    items = parameters["ORDER_ITEMS_IN"]
    assert isinstance(items, list)
    if freight_cents:
        carriage = items.pop()
        assert Decimal(carriage["COND_VALUE"]) == document.totals.freight_amount
        assert int(carriage["ITM_NUMBER"]) not in {one.line_number for one in lines}
    assert [_read_line(item) for item in items] == [_kept(one, index) for index, one in enumerate(lines)]
    quantities = {item["ITM_NUMBER"]: item["TARGET_QTY"] for item in items}
    schedules = parameters["ORDER_SCHEDULES_IN"]
    assert isinstance(schedules, list)
    assert quantities.items() <= {row["ITM_NUMBER"]: row["REQ_QTY"] for row in schedules}.items()


def _read_line(item: dict[str, str]) -> tuple[object, ...]:
    return (
        int(item["ITM_NUMBER"]),
        item["MATERIAL"],
        Decimal(item["TARGET_QTY"]),
        SETTINGS_BACK[item["SALES_UNIT"]],
        Decimal(item["COND_VALUE"]).quantize(Decimal("0.01")),
        item["SHORT_TEXT"],
    )


def _kept(one: DocumentLine, index: int) -> tuple[object, ...]:
    quantity = one.quantity
    return (
        one.line_number,
        f"TG{index}",
        quantity.value,
        quantity.unit_code,
        one.net_amount,
        clean(one.description, 40),
    )


def _with(**numbers: object) -> Submission:
    made = submission(order(line(1, "1", "1.00", "1.00")))
    kept = {field: value for field, value in (dict(made.numbers) | numbers).items() if value is not None}
    return replace(made, numbers=kept)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (_with(customer=None), "customer"),
        (_with(customer=number("customer", "12345678901")), "customer"),
        (_with(customer=number("customer", "alfki")), "customer"),
        (_with(customer=number("customer", "1000001", "cloud-eu")), "customer"),
        (_with(customer=number("product", "1000001")), "customer"),
        (_with(**{"lines[0].product": number("product", "with blank")}), "lines[0].product"),
        (_with(**{"lines[0].product": None}), "lines[0].product"),
        (submission(order(line(1, "1", "1.00", "1.00"), company_code="DE1")), "companyCode"),
    ],
)
def test_missing_mappings_are_for_operations(made: Submission, field: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        create_order(made, SETTINGS, SYSTEM)
    assert raised.value.field == field


@pytest.mark.parametrize("reference", ["", "0123456789ABCDEFG", "with blank", "lower", "'"])
def test_a_reference_that_would_be_changed_is_refused(reference: str) -> None:
    with pytest.raises(Misconfigured):
        create_order(replace(ordered(), external_reference=reference), SETTINGS, SYSTEM)


def _priced(pieces: str, net: str, currency: str = "USD") -> Order:
    price = Decimal(net) / Decimal(pieces)
    return order(line(1, pieces, f"{price:.6f}", net), currency_code=currency)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (_priced("1.0001", "1.00"), "lines[0].quantity.value"),
        (_priced("10000000000", "1000000.00"), "lines[0].quantity.value"),
        (_priced("1", "1.001", "KWD"), "lines[0].netAmount"),
        (_priced("1", "100000000000.00"), "lines[0].netAmount"),
    ],
)
def test_what_would_be_rounded_is_refused(document: Order, field: str) -> None:
    with pytest.raises(Rejected) as raised:
        create_order(submission(document), SETTINGS, SYSTEM)
    assert (raised.value.code, raised.value.field) == ("UNREPRESENTABLE", field)


def test_an_invoice_is_no_order() -> None:
    with pytest.raises(Misconfigured):
        create_order(submission(invoice(line(1, "1", "1.00", "1.00"))), SETTINGS, SYSTEM)


def test_a_unit_that_nobody_mapped_is_refused_and_one_for_freight_is_the_settings():
    with pytest.raises(Rejected) as refused:
        _parameters(submission(order(line(1, "1", "1.00", "1.00", unit_code="ZZZ"))))
    assert refused.value.field == "lines[0].quantity.unitCode"
    units = {code: unit for code, unit in SETTINGS.units.items() if code != "C62"}
    document = order(line(1, "1", "1.00", "1.00", unit_code="KGM"), freight="2.00")
    with pytest.raises(Misconfigured):
        _parameters(submission(document), units=units, freight_material="FREIGHT")
