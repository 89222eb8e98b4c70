"""The calls that are recorded under `golden`, and the documents that they are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from adapters.canonical import Freight, Order, Reference
from adapters.legacy_erp.sap_ecc import accounting_rows, order_rows, tables
from adapters.legacy_erp.sap_ecc.accounting import post_document, post_mirror
from adapters.legacy_erp.sap_ecc.order_changes import cancel_order, change_order
from adapters.legacy_erp.sap_ecc.orders import create_order
from adapters.legacy_erp.sap_ecc.standing import StandingItem, StandingOrder
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import COMMIT
from adapters.port import Cancellation, Change, FoundDocument, Reversal, Submission
from tests.unit.sap_ecc.documents import (
    SETTINGS,
    SYSTEM,
    entry,
    invoice,
    journal_line,
    line,
    number,
    order,
    payment,
    ship_to,
    submission,
    tax,
)

POSTED: Final = number("accounting_document", "0100000007/1000/1996")
ORDERED: Final = number("sales_order", "0000004737")
TABLES: Final = SETTINGS.tables
LEFT_BEHIND: Final = "LEFTBEHIND000001"


def ordered() -> Submission:
    """An order of three lines, one of them free, with freight, a date and an address of its own."""
    document = order(
        line(1, "12", "14.00", "168.00", description="Chai & <friends>, für zwei"),
        line(20, "10.5", "9.80", "102.90"),
        line(30, "1", "0.00", "0.00", description="a free sample"),
        freight="32.38",
        requested_delivery_date=date(1996, 8, 1),
        ship_to=ship_to(),
    )
    return _with_materials(submission(document), "TG11", "TG12", "TG13")


def changed() -> Change:
    """The order with another date, quantity, price, text and freight, one line taken out and one put in, under the
    number that the freight had."""
    before = ordered()
    assert isinstance(before.document, Order)
    after = order(
        line(1, "6", "13.00", "78.00", description="Chai, half of it"),
        before.document.lines[2],
        line(40, "2", "43.90", "87.80", description="Schoggi Schokolade"),
        freight="20.00",
        requested_delivery_date=date(1996, 9, 2),
        ship_to=ship_to(),
    )
    made = _with_materials(submission(after), "TG11", "TG13", "TG12")
    return Change(ORDERED, before, after, "CHANGE0000000001", made.numbers)


def cancelled() -> Cancellation:
    """The order called off."""
    return Cancellation(ORDERED, ordered(), "CANCEL0000000001")


def standing(*items: StandingItem, requested: date | None = None, **changes: object) -> StandingOrder:
    """The order as it stands, of these items or as it was created."""
    there = items or (
        StandingItem("000001", "TG11", "Chai & <friends>, für zwei", Decimal("12.000"), "PC", Decimal("168.000")),
        StandingItem("000020", "TG12", "Chai", Decimal("10.500"), "PC", Decimal("102.900")),
        StandingItem("000030", "TG13", "a free sample", Decimal("1.000"), "PC", Decimal("0.000")),
        StandingItem("000040", "", "FREIGHT", Decimal("1.000"), "PC", Decimal("32.380")),
    )
    found = FoundDocument(ORDERED, "0123456789ABCDEF", "1000001", "USD", Decimal("303.28"))
    return StandingOrder(replace(found, **changes), requested, there)  # type: ignore[arg-type]


def invoiced() -> Submission:
    """An invoice of two lines with freight, taxed at two rates."""
    first = line(
        1,
        "12",
        "14.00",
        "168.00",
        description="Chai, a name that is longer than the item's text takes",
        line_tax=tax("31.92"),
    )
    second = line(2, "10", "9.80", "98.00", line_tax=tax("0", "0", "Z"))
    return submission(invoice(first, second, freight=Freight(net_amount=Decimal("32.38"), tax=tax("6.15"))))


def mirror(of: Submission) -> Reversal:
    """The mirror of the posted document."""
    return Reversal(POSTED, of, "FEDCBA9876543210", date(1996, 7, 31))


def paid() -> Submission:
    """A payment of two invoices and a rest."""
    return submission(payment("500.00", "330.30", "100.00"), "PAYMENT000000001")


def entered() -> Submission:
    """A journal entry that follows a payment and an invoice."""
    document = entry(
        journal_line(10, "476900", "12.50", description="Charges & <fees>", cost_center="4711"),
        journal_line(20, "154000", "2.38"),
        journal_line(30, "0000113100", "-14.88", description="Bank, a text that is longer than what is left of it"),
        payment_reference=Reference(external_id="PAY-1"),
        invoice_reference=Reference(external_id="INV-1"),
    )
    return submission(document, "ENTRY00000000001")


def _with_materials(made: Submission, *materials: str) -> Submission:
    named = {f"lines[{index}].product": number("product", material) for index, material in enumerate(materials)}
    return replace(made, numbers=dict(made.numbers) | named)


def _orders() -> Call:
    table = TABLES.orders
    return tables.read_table(
        table.table, order_rows.order_columns(table), [tables.equals(table.reference, "0123456789ABCDEF")]
    )


def _order_items() -> Call:
    table = TABLES.order_items
    return tables.read_table(
        table.table, order_rows.order_item_columns(table), [tables.equals(table.order, ORDERED.document_number)]
    )


def _headers(reference: str) -> Call:
    table = TABLES.headers
    return tables.read_table(
        table.table, accounting_rows.header_columns(table), [tables.equals(table.reference, reference)]
    )


def _too_long() -> Call:
    """The invoice with an item text of 51 characters, which the translation never makes."""
    call = post_document(replace(invoiced(), external_reference=LEFT_BEHIND), SETTINGS, SYSTEM)
    general = call.parameters["ACCOUNTGL"]
    assert isinstance(general, list)
    assert isinstance(general[0], dict)
    general[0]["ITEM_TEXT"] = "x" * 51
    return call


CALLS: Final[Mapping[str, Callable[[], Call]]] = {
    "order": lambda: create_order(ordered(), SETTINGS, SYSTEM),
    "order_test_run": lambda: create_order(ordered(), SETTINGS, SYSTEM, test_run=True),
    "order_refused": lambda: create_order(_with_materials(ordered(), "TG11", "NONE", "TG13"), SETTINGS, SYSTEM),
    "commit": lambda: Call(COMMIT, {"WAIT": "X", "RETURN": ""}),
    "orders_by_reference": _orders,
    "order_items": _order_items,
    "change": lambda: change_order(changed(), standing(), SETTINGS, SYSTEM),
    "orders_after_change": _orders,
    "order_items_after_change": _order_items,
    "cancel": lambda: cancel_order(cancelled(), standing(), SETTINGS, SYSTEM),
    "cancel_refused": lambda: cancel_order(cancelled(), standing(), SETTINGS, SYSTEM),
    "invoice": lambda: post_document(invoiced(), SETTINGS, SYSTEM),
    "mirror": lambda: post_mirror(mirror(invoiced()), SETTINGS, SYSTEM),
    "payment": lambda: post_document(paid(), SETTINGS, SYSTEM),
    "entry": lambda: post_document(entered(), SETTINGS, SYSTEM),
    "headers_by_reference": lambda: _headers("0123456789ABCDEF"),
    "entry_header": lambda: _headers("ENTRY00000000001"),
    "items": lambda: tables.read_table(
        TABLES.items[0].table,
        accounting_rows.item_columns(TABLES.items[0]),
        [
            tables.compare(TABLES.items[0].customer, "<>", ""),
            tables.any_of(TABLES.items[0].number, ["0100000007", "0100000008", "0100000009"]),
        ],
    ),
    "ledger_items": lambda: tables.read_table(
        TABLES.ledger[0].table,
        accounting_rows.ledger_columns(TABLES.ledger[0]),
        [tables.any_of(TABLES.ledger[0].number, ["0100000010"])],
    ),
    "fault": _too_long,
    "header_left_behind": lambda: _headers(LEFT_BEHIND),
    "unknown_table": lambda: tables.read_table("VBAK", ["VBELN"], []),
}
"""By name, in the order in which they were sent to a new process."""
