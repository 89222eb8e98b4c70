"""What RFC_READ_TABLE is asked, and how its rows are read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import Misconfigured
from adapters.legacy_erp.sap_ecc import accounting_rows, order_rows, tables
from adapters.legacy_erp.sap_ecc.accounting_rows import NO_ITEMS, ItemTotal
from adapters.legacy_erp.sap_ecc.standing import StandingItem
from adapters.legacy_erp.sap_ecc.table_names import ECC_TABLES, ItemTable
from adapters.legacy_erp.sap_ecc.wire import READ_TABLE, Answer, Unreadable, clean, envelope, parse
from tests.unit.sap_ecc.documents import SETTINGS, SYSTEM, read_envelope
from tests.unit.sap_ecc.scripted import answer, golden, table_answer

ORDERS, HEADERS, ITEMS = SETTINGS.tables.orders, SETTINGS.tables.headers, SETTINGS.tables.items[0]


def _answer(body: bytes | str) -> Answer:
    read = parse(READ_TABLE, "text/xml", body if isinstance(body, bytes) else body.encode())
    assert isinstance(read, Answer)
    return read


def _column(name: str, offset: int, length: int) -> str:
    return f"<item><FIELDNAME>{name}</FIELDNAME><OFFSET>{offset:06d}</OFFSET><LENGTH>{length:06d}</LENGTH></item>"


def test_the_recorded_order() -> None:
    [row] = tables.rows_of(_answer(golden("orders_by_reference.answer")), order_rows.order_columns(ORDERS))
    found = order_rows.found_order(row, SETTINGS, SYSTEM)
    assert str(found.number) == "legacy-main/sales_order/0000004737"
    assert (found.party, found.currency_code, str(found.total)) == ("1000001", "USD", "303.28")
    assert (found.external_reference, found.company_code) == ("0123456789ABCDEF", "1000")
    assert found.posting_date == date(1996, 7, 1)


def test_the_recorded_accounting_documents() -> None:
    rows = tables.rows_of(_answer(golden("items.answer")), accounting_rows.item_columns(ITEMS))
    totals = accounting_rows.item_totals(rows, ITEMS)
    assert totals == {
        ("0100000007", "1000", "1996"): ItemTotal("1000001", debits=Decimal("336.45")),
        ("0100000008", "1000", "1996"): ItemTotal("1000001", credits=Decimal("336.45")),
        ("0100000009", "1000", "1996"): ItemTotal("1000001", credits=Decimal("500.00")),
    }
    [header] = tables.rows_of(_answer(golden("headers_by_reference.answer")), accounting_rows.header_columns(HEADERS))
    found = accounting_rows.found_document(
        header, totals[accounting_rows.header_key(header, HEADERS)], SETTINGS, SYSTEM
    )
    assert str(found.number) == "legacy-main/accounting_document/0100000007/1000/1996"
    assert (str(found.total), found.fiscal_year, found.fiscal_period) == ("336.45", 1996, 7)
    assert found.posting_date == date(1996, 7, 4)


def test_a_header_that_was_left_behind_agrees_with_nothing() -> None:
    [header] = tables.rows_of(_answer(golden("header_left_behind.answer")), accounting_rows.header_columns(HEADERS))
    found = accounting_rows.found_document(header, NO_ITEMS, SETTINGS, SYSTEM)
    assert (found.party, found.total) == ("", Decimal(0))


def test_items_of_several_customers_are_nobodys() -> None:
    row = dict(zip(accounting_rows.item_columns(ITEMS), ["1", "1000", "1996", "S", "1.00", "0000000007"], strict=True))
    other = row | {ITEMS.customer: "8"}
    assert accounting_rows.item_totals([row], ITEMS)["1", "1000", "1996"] == ItemTotal("7", debits=Decimal(1))
    assert accounting_rows.item_totals([row, other], ITEMS)["1", "1000", "1996"] == ItemTotal("", debits=Decimal(2))


@given(st.lists(st.text("ABC0123456789 ", max_size=30), min_size=1, max_size=60))
def test_options_fit_their_rows_and_say_the_same_together(values: list[str]) -> None:
    conditions = [tables.any_of("AccountingDocument", values), tables.equals("CompanyCode", "1000")]
    call = tables.read_table("A_JournalEntry", ["CompanyCode"], conditions)
    rows = read_envelope(envelope(call.function, call.parameters))[1]["OPTIONS"]
    assert all(len(row["TEXT"]) <= 72 for row in rows)
    assert " ".join(row["TEXT"] for row in rows) == " AND ".join(conditions)


def test_a_quote_never_reaches_the_options() -> None:
    with pytest.raises(Misconfigured):
        tables.equals("CompanyCode", "1' OR '1' = '1")


def test_a_range_of_days_includes_both_ends() -> None:
    assert tables.dated("D", date(1996, 7, 1), date(1996, 7, 31), "%Y%m%d") == ["D >= '19960701'", "D < '19960801'"]
    assert tables.dated("D", None, None, "%Y%m%d") == []


def test_the_tables_of_a_real_ecc_fit_too() -> None:
    call = tables.read_table(
        ECC_TABLES.headers.table,
        accounting_rows.header_columns(ECC_TABLES.headers),
        [
            tables.any_of(ECC_TABLES.headers.document_type, ["DR", "DG"]),
            *tables.dated("BUDAT", date(1996, 7, 1), None, ECC_TABLES.date_literal),
        ],
    )
    [first] = read_envelope(envelope(call.function, call.parameters))[1]["OPTIONS"]
    assert first["TEXT"] == "( BLART = 'DR' OR BLART = 'DG' ) AND BUDAT >= '19960701'"


def test_a_minus_behind_the_amount_is_read() -> None:
    row = dict(zip(accounting_rows.item_columns(ItemTable()), ["1", "1000", "1996", "S", "1.50-", "7"], strict=True))
    assert accounting_rows.item_totals([row], ITEMS)["1", "1000", "1996"].debits == Decimal("-1.50")


@pytest.mark.parametrize("amount", ["", "1,50", "NaN", "Infinity", "1E9", "--1", "1" * 40])
def test_what_is_no_amount_is_no_amount(amount: str) -> None:
    row = dict(zip(accounting_rows.item_columns(ITEMS), ["1", "1000", "1996", "S", amount, "7"], strict=True))
    with pytest.raises(Unreadable):
        accounting_rows.item_totals([row], ITEMS)


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<DATA/>",
        "<FIELDS/>",
        "<DATA/><FIELDS/>",
        f"<DATA/><FIELDS>{_column('Other', 0, 1)}</FIELDS>",
        "<DATA/><FIELDS><item><FIELDNAME>SalesOrder</FIELDNAME></item></FIELDS>",
        "<DATA/><FIELDS><item><FIELDNAME>SalesOrder</FIELDNAME><OFFSET>-1</OFFSET><LENGTH>3</LENGTH></item></FIELDS>",
        f"<DATA><item>x</item></DATA><FIELDS>{_column('SalesOrder', 0, 10)}</FIELDS>",
    ],
)
def test_an_answer_without_its_columns_is_unreadable(inner: str) -> None:
    with pytest.raises(Unreadable):
        tables.rows_of(_answer(answer("RfcReadTableResponse", inner)), ["SalesOrder"])


@pytest.mark.parametrize("day", ["1996-07-01", "19961301", "19960230", "x"])
def test_what_is_no_date_is_no_date(day: str) -> None:
    [row] = tables.rows_of(_answer(golden("orders_by_reference.answer")), order_rows.order_columns(ORDERS))
    with pytest.raises(Unreadable):
        order_rows.found_order(dict(row) | {ORDERS.posting_date: day}, SETTINGS, SYSTEM)


@pytest.mark.parametrize("day", ["", "00000000"])
def test_an_initial_date_is_none(day: str) -> None:
    [row] = tables.rows_of(_answer(golden("orders_by_reference.answer")), order_rows.order_columns(ORDERS))
    assert order_rows.found_order(dict(row) | {ORDERS.posting_date: day}, SETTINGS, SYSTEM).posting_date is None


@given(
    st.lists(
        st.builds(
            StandingItem,
            number=st.integers(1, 999_999).map("{:06d}".format),
            material=st.text("ABC019-", max_size=18),
            text=st.text(st.characters(codec="utf-8", max_codepoint=0xFFFF), max_size=300).map(
                lambda one: clean(one, 40)
            ),
            quantity=st.integers(0, 10**12).map(lambda one: Decimal(one) / 1000),
            unit=st.sampled_from(["PC", "KG"]),
            net=st.integers(-(10**12), 10**12).map(lambda one: Decimal(one) / 1000),
            rejected=st.booleans(),
        ),
        max_size=5,
    )
)
def test_items_survive_in_work_areas(items: list[StandingItem]) -> None:
    """Cut by position, whatever their texts hold."""
    table = ECC_TABLES.order_items
    columns = order_rows.order_item_columns(table)
    areas = [
        [
            "0000004737",
            one.number,
            one.material,
            f"{one.quantity:f}",
            one.unit,
            f"{one.net:f}",
            "92" * one.rejected,
            one.text,
        ]
        for one in items
    ]
    read = _answer(table_answer(columns, *areas))
    assert [order_rows.standing_item(row, table) for row in tables.rows_of(read, columns)] == items


@pytest.mark.parametrize("place", ["", "x", "²", "1" * 5_000, "-1"])
def test_a_place_that_is_none_is_unreadable(place: str) -> None:
    field = f"<item><FIELDNAME>A</FIELDNAME><OFFSET>{place}</OFFSET><LENGTH>1</LENGTH></item>"
    with pytest.raises(Unreadable):
        tables.rows_of(_answer(answer("RfcReadTableResponse", f"<DATA/><FIELDS>{field}</FIELDS>")), ["A"])


def test_a_row_without_a_number_is_unreadable() -> None:
    [order] = tables.rows_of(_answer(golden("orders_by_reference.answer")), order_rows.order_columns(ORDERS))
    with pytest.raises(Unreadable):
        order_rows.found_order(dict(order) | {ORDERS.number: ""}, SETTINGS, SYSTEM)
    [header] = tables.rows_of(_answer(golden("headers_by_reference.answer")), accounting_rows.header_columns(HEADERS))
    for change in ({HEADERS.number: ""}, {HEADERS.period: "²"}, {HEADERS.period: "1" * 5_000}):
        with pytest.raises(Unreadable):
            accounting_rows.found_document(dict(header) | change, NO_ITEMS, SETTINGS, SYSTEM)
