"""Canonical → wire → a system in memory → wire → canonical, in both dialects: what is promised is not lost.

The system keeps what it was sent and shares no translation with the driver.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.canonical import Allocation, Contact, Customer, Invoice, JournalEntry, Order, Payment, Product, Reference
from adapters.cloud_erp.sap_s4.driver import SapS4Driver
from adapters.cloud_erp.sap_s4.translate import accounting, customers, invoices, journal, order_items, orders
from adapters.cloud_erp.sap_s4.translate.addresses import address_of
from adapters.cloud_erp.sap_s4.wire import Row
from adapters.port import Cancellation, Change, Posted, Submission
from tests.unit.sap_s4.documents import (
    HEAD,
    REFERENCE,
    WORDS,
    addresses,
    journal_entries,
    numbers,
    priced,
    submitted,
)
from tests.unit.sap_s4.driving import CHANGE, VERSIONS, allow, in_memory
from tests.unit.sap_s4.scripted import SETTINGS, SYSTEM

few = settings(max_examples=40, deadline=None)
both = pytest.mark.parametrize("version", VERSIONS)


async def _row(driver: SapS4Driver, posted: Posted, expand: tuple[str, ...]) -> Row:
    row = await driver._reader.row(posted.number, expand)
    assert row is not None
    return row


async def _is_there(driver: SapS4Driver, submission: Submission) -> Posted:
    posted = await driver.submit(submission, allow)
    [found] = await driver.inquire(submission)
    assert found.agrees_with(driver.expectation(submission))
    assert found.number == posted.number
    return posted


def _says(row: Row, order: Order) -> None:
    """The row is this order, in every member that it has."""
    lines, freight = order_items.order_lines_of(row, SETTINGS, SYSTEM)
    assert len(lines) == len(order.lines)
    for index, (mine, theirs) in enumerate(zip(order.lines, lines, strict=True)):
        named = Reference(erp_number=numbers(order)[f"lines[{index}].product"])
        assert theirs == mine.model_copy(update={"product": named, "description": mine.description.rstrip()})
    assert freight == order.freight
    assert row.day("RequestedDeliveryDate") == order.requested_delivery_date
    assert row.day("SalesOrderDate") == order.posting_date
    sent_to = [address_of(address, SETTINGS) for one in row.many("to_Partner") for address in one.many("to_Address")]
    assert sent_to == ([order.ship_to] if order.ship_to else [])
    [text] = row.many("to_Text")
    assert ("quoteReference: Q-7" in text.text("LongText")) is (order.quote_reference is not None)


@both
@few
@given(order=priced(Order))
async def test_an_order(version: str, order: Order) -> None:
    driver, _, _ = in_memory(version)
    posted = await _is_there(driver, submitted(order))
    _says(await _row(driver, posted, orders.EXPAND), order)


@both
@few
@given(before=priced(Order), after=priced(Order))
async def test_an_order_that_is_changed_to_any_other(version: str, before: Order, after: Order) -> None:
    driver, _, _ = in_memory(version)
    original = submitted(before)
    posted = await driver.submit(original, allow)
    change = Change(posted.number, original, after, CHANGE, numbers(after))
    if before != after:
        assert await driver.inquire(change) == ()
        await driver.change(change, allow)
    [found] = await driver.inquire(change)
    assert found.agrees_with(driver.expectation(change))
    _says(await _row(driver, posted, orders.EXPAND), after)
    back = Change(posted.number, submitted(after), before, CHANGE, numbers(before))
    if before != after:
        await driver.change(back, allow)
    _says(await _row(driver, posted, orders.EXPAND), before)
    cancellation = Cancellation(posted.number, original, CHANGE)
    assert await driver.inquire(cancellation) == ()
    await driver.cancel(cancellation, allow)
    [called_off] = await driver.inquire(cancellation)
    assert called_off.cancelled


@both
@few
@given(invoice=priced(Invoice), credit=st.booleans())
async def test_an_invoice_or_a_credit_note(version: str, invoice: Invoice, credit: bool) -> None:
    document = invoice.model_copy(update={"document_type": "credit_note"}) if credit else invoice
    driver, _, _ = in_memory(version)
    posted = await _is_there(driver, submitted(document))
    row = await _row(driver, posted, (accounting.EXPAND,))
    assert row.text("AccountingDocumentType") == ("DG" if credit else "DR")
    items = row.many(accounting.EXPAND)
    said = [(invoices.line_of(item.text("DocumentItemText")), item) for item in items]
    net = {line.line_number: (line, item.amount("AmountInTransactionCurrency")) for line, item in said if line}
    taxes = {
        tax[0]: (tax, item.amount("AmountInTransactionCurrency"))
        for item in items
        if (tax := invoices.tax_of(item.text("DocumentItemText")))
    }
    for index, mine in enumerate(document.lines):
        line, amount = net.pop(mine.line_number)
        assert amount == mine.net_amount
        assert line.product == numbers(document)[f"lines[{index}].product"].document_number
        assert (line.quantity, SETTINGS.unit_here(line.unit)) == (mine.quantity.value, mine.quantity.unit_code)
        assert line.tax == ((mine.tax.tax_category, mine.tax.rate_percent) if mine.tax else None)
        if mine.tax and mine.tax.amount:
            assert taxes.pop(mine.line_number) == ((mine.line_number, *line.tax), mine.tax.amount)  # type: ignore[misc]
    carriage = document.freight.tax if document.freight else None
    if carriage is not None and carriage.amount:
        assert taxes.pop(0) == ((0, carriage.tax_category, carriage.rate_percent), carriage.amount)
    assert not net
    assert not taxes


@both
@few
@given(
    parts=st.lists(st.decimals(Decimal("0.01"), 10_000, places=2), min_size=1, max_size=5),
    settled=st.integers(0, 5),
    reference=st.text(st.characters(categories=["L", "N", "P"]), max_size=64),
)
async def test_a_payment(version: str, parts: list[Decimal], settled: int, reference: str) -> None:
    allocations = tuple(Allocation(invoice_reference=Reference(external_id="i"), amount=one) for one in parts[:settled])
    payment = Payment(**HEAD, amount=sum(parts, Decimal(0)), allocations=allocations, payment_reference=reference)
    driver, _, _ = in_memory(version)
    posted = await _is_there(driver, submitted(payment))
    row = await _row(driver, posted, (accounting.EXPAND,))
    bank, *owed = row.many(accounting.EXPAND)
    assert bank.amount("AmountInTransactionCurrency") == payment.amount
    assert bank.text("DocumentItemText") + row.text("AccountingDocumentHeaderText")[2:] == reference
    pays = [one.amount("AmountInTransactionCurrency") for one in owed if "PAYS" in one.text("DocumentItemText")]
    assert pays == [one.amount for one in allocations]


@both
@few
@given(entry=journal_entries())
async def test_a_journal_entry(version: str, entry: JournalEntry) -> None:
    driver, _, _ = in_memory(version)
    posted = await _is_there(driver, submitted(entry))
    assert posted.messages == ()
    row = await _row(driver, posted, (accounting.EXPAND,))
    assert journal.journal_lines_of(row.many(accounting.EXPAND)) == entry.lines
    assert row.text("AccountingDocumentHeaderText") == (entry.description or "ID 10248")


@st.composite
def _customers(draw: st.DrawFn) -> Customer:
    contact = draw(
        st.none() | st.builds(Contact, name=st.just("Paul"), phone=st.text("0123456789-() ", max_size=30), email=WORDS)
    )
    address = draw(addresses())
    name = draw(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=81))
    return Customer(name=name, geography=address.country_code, address=address, contact=contact)


async def _says_customer(driver: SapS4Driver, posted: Posted, customer: Customer) -> None:
    row = await _row(driver, posted, customers.EXPAND)
    assert customers.customer_of(row, SETTINGS) == customer.model_copy(update={"contact": None})
    [address] = row.many("to_BusinessPartnerAddress")
    contact = customer.contact
    ways = (address.text("PhoneNumber"), address.text("EmailAddress"))
    assert ways == ((contact.phone, contact.email) if contact else ("", ""))


@both
@few
@given(before=_customers(), after=_customers())
async def test_a_customer_and_its_change(version: str, before: Customer, after: Customer) -> None:
    after = after.model_copy(update={"geography": before.geography})
    driver, _, _ = in_memory(version)
    original = Submission(before, REFERENCE)
    posted = await _is_there(driver, original)
    await _says_customer(driver, posted, before)
    change = Change(posted.number, original, after, CHANGE)
    if not await driver.inquire(change):
        await driver.change(change, allow)
    [found] = await driver.inquire(change)
    assert found.as_demanded
    row_country = after.address.country_code
    await _says_customer(driver, posted, after.model_copy(update={"geography": row_country}))


@both
@few
@given(names=st.tuples(WORDS, WORDS), discontinued=st.tuples(st.booleans(), st.booleans()))
async def test_a_product_and_its_change(version: str, names: tuple[str, str], discontinued: tuple[bool, bool]) -> None:
    before, after = (
        Product(name=name, base_unit_code="KGM", discontinued=gone)
        for name, gone in zip(names, discontinued, strict=True)
    )
    driver, _, _ = in_memory(version)
    original = Submission(before, REFERENCE)
    posted = await _is_there(driver, original)
    change = Change(posted.number, original, after, CHANGE)
    if before != after:
        assert await driver.inquire(change) == ()
        await driver.change(change, allow)
    row = await _row(driver, posted, ("to_Description",))
    [text] = row.many("to_Description")
    assert (text.text("ProductDescription"), row.flag("IsMarkedForDeletion")) == (after.name, after.discontinued)
    assert SETTINGS.unit_here(row.text("BaseUnit")) == "KGM"
