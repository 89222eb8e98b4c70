"""The Northwind figures, exactly as the data's own notes state them."""

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from gateway.demo.northwind import load_northwind
from routing_rules.loader import load_rulebook

TABLES = Path(__file__).parents[2] / "routing_rules" / "tables"


def test_counts() -> None:
    northwind = load_northwind()
    assert len(northwind.customers) == 91
    assert len(northwind.products) == 77
    assert len(northwind.orders) == 830
    assert sum(len(order.lines) for order in northwind.orders) == 2_155
    assert len(northwind.invoices) == len(northwind.payments) == 809


def test_sums() -> None:
    northwind = load_northwind()
    assert sum(order.amount for order in northwind.orders) == Decimal("1265793.02")
    assert sum(invoice.totals.net_amount for invoice in northwind.invoices) == Decimal("1239855.60")
    assert sum(invoice.totals.freight_amount for invoice in northwind.invoices) == Decimal("63955.02")
    assert sum(invoice.amount for invoice in northwind.invoices) == Decimal("1303810.62")
    assert sum(payment.amount for payment in northwind.payments) == Decimal("1303810.62")


def test_lines_are_rounded_half_even() -> None:
    exact = [
        line.unit_price * line.quantity.value * (1 - line.discount_percent / 100)
        for order in load_northwind().orders
        for line in order.lines
    ]
    half_up = [amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP) for amount in exact]
    nets = [line.net_amount for order in load_northwind().orders for line in order.lines]
    assert sum(exact) == Decimal("1265793.0395")
    assert sum(half_up) == Decimal("1265793.29")
    assert sum(one != other for one, other in zip(half_up, nets, strict=True)) == 27


def test_orders_carry_no_freight_and_invoices_do() -> None:
    for lineage in load_northwind().lineages:
        assert lineage.order.freight is None
        if lineage.invoice is not None:
            assert lineage.invoice.freight is not None
            assert lineage.invoice.lines == lineage.order.lines


def test_lineages_name_their_parents() -> None:
    for lineage in load_northwind().lineages:
        if lineage.invoice is None or lineage.payment is None:
            assert lineage.invoice is None
            assert lineage.payment is None
            continue
        assert lineage.invoice.order_reference is not None
        assert (lineage.invoice.order_reference.source, lineage.invoice.order_reference.external_id) == (
            "salesforce",
            lineage.order.external_id,
        )
        (allocation,) = lineage.payment.allocations
        assert (allocation.invoice_reference.source, allocation.invoice_reference.external_id) == (
            "billing",
            lineage.invoice.external_id,
        )
        assert allocation.amount == lineage.payment.amount == lineage.invoice.amount
        assert (lineage.payment.posting_date - lineage.invoice.posting_date).days == 30
        assert lineage.payment.posting_date == lineage.invoice.due_date


def test_the_first_order() -> None:
    first = load_northwind().lineages[0]
    assert first.order.external_id == "10248"
    assert (first.order.business_unit, first.order.geography) == ("Eastern", "FR")
    assert [line.net_amount for line in first.order.lines] == [Decimal("168.00"), Decimal("98.00"), Decimal("174.00")]
    assert first.invoice is not None
    assert first.invoice.amount == Decimal("472.38")


def test_every_master_that_is_named_exists() -> None:
    northwind = load_northwind()
    customers = {customer.external_id for customer in northwind.customers}
    products = {product.external_id for product in northwind.products}
    assert len({order.customer.external_id for order in northwind.orders}) == 89
    assert {order.customer.external_id for order in northwind.orders} <= customers
    assert {line.product.external_id for order in northwind.orders for line in order.lines} <= products


def test_it_speaks_the_sample_rulebooks_words() -> None:
    rulebook = load_rulebook(TABLES)
    northwind = load_northwind()
    assert {order.business_unit for order in northwind.orders} <= set(rulebook.business_units.parents)
    assert {one.geography for one in northwind.orders} <= set(rulebook.geographies.parents)
    assert {customer.geography for customer in northwind.customers} <= set(rulebook.geographies.parents)
    assert {order.company_code for order in northwind.orders} <= set(rulebook.company_codes)


@pytest.mark.parametrize(("unit", "count"), [("Eastern", 417), ("Western", 139), ("Northern", 147), ("Southern", 127)])
def test_orders_by_sales_region(unit: str, count: int) -> None:
    assert Counter(order.business_unit for order in load_northwind().orders)[unit] == count
