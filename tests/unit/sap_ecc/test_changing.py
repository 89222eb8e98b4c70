"""The driver changing and cancelling orders: reading first, one call, its commit, and whether the order is right."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.legacy_erp.sap_ecc import order_rows
from adapters.legacy_erp.sap_ecc.driver import SapEccDriver
from adapters.legacy_erp.sap_ecc.table_names import ECC_TABLES
from adapters.port import Cancellation, Change, Expectation, Posted
from tests.unit.sap_ecc.documents import SETTINGS, SYSTEM, number
from tests.unit.sap_ecc.recorded import cancelled, changed, standing
from tests.unit.sap_ecc.scripted import (
    ScriptedTransport,
    Step,
    answer,
    golden,
    odata_error,
    row,
    table_answer,
    without_rows,
    xml,
)

ORDER = xml(golden("orders_by_reference.answer"))
ITEMS = xml(golden("order_items.answer"))
CHANGED = xml(golden("change.answer"))
COMMITTED = xml(golden("commit.answer"))
ORDER_AFTER = xml(golden("orders_after_change.answer"))
ITEMS_AFTER = xml(golden("order_items_after_change.answer"))
NO_ITEMS = without_rows("order_items.answer")
NO_ORDER = without_rows("orders_by_reference.answer")
OTHER_ITEMS = xml(golden("order_items.answer").replace(b"12.000", b"13.000"))
CHANGE = changed()
CANCELLATION = cancelled()


def _allow() -> None:
    pass


def _driver(*steps: Step, **settings: Any) -> tuple[SapEccDriver, ScriptedTransport]:
    transport = ScriptedTransport(*steps)
    return SapEccDriver(SYSTEM, replace(SETTINGS, **settings), transport), transport


async def _do(driver: SapEccDriver, posting: Change | Cancellation) -> Posted:
    if isinstance(posting, Change):
        return await driver.change(posting, _allow)
    return await driver.cancel(posting, _allow)


def _functions(transport: ScriptedTransport) -> list[str]:
    return [re.findall(r"rfc/sap/([a-z0-9_]+)/100/", request.path)[0] for request in transport.sent]


async def test_a_change_is_read_sent_committed_and_read_again() -> None:
    driver, transport = _driver(ORDER, ITEMS, CHANGED, COMMITTED, ORDER_AFTER, ITEMS_AFTER)
    posted = await driver.change(CHANGE, _allow)
    assert _functions(transport) == [
        *["rfc_read_table"] * 2,
        "bapi_salesorder_change",
        "bapi_transaction_commit",
        *["rfc_read_table"] * 2,
    ]
    assert transport.permitted == [False, False, True, False, False, False]
    assert posted.number == CHANGE.number
    assert (str(posted.confirmed.amount), posted.confirmed.currency_code) == ("185.80", "USD")
    assert transport.sent[2].body == golden("change")


async def test_a_cancellation_takes_all_items_out() -> None:
    driver, transport = _driver(ORDER, ITEMS, CHANGED, COMMITTED, ORDER_AFTER, NO_ITEMS)
    assert (await driver.cancel(CANCELLATION, _allow)).number == CANCELLATION.number
    assert transport.sent[2].body == golden("cancel")


async def test_the_commit_goes_into_the_session_of_the_change() -> None:
    changed_in_session = replace(CHANGED, cookies=("sap-contextid=SID%3aANON; path=/",))
    driver, transport = _driver(ORDER, ITEMS, changed_in_session, COMMITTED, read_back=False)
    await driver.change(CHANGE, _allow)
    assert transport.sent[3].headers["cookie"] == "sap-contextid=SID%3aANON"


@pytest.mark.parametrize("posting", [CHANGE, CANCELLATION], ids=["change", "cancel"])
@pytest.mark.parametrize(
    ("order", "items", "meant"),
    [
        (NO_ORDER, NO_ITEMS, Rejected),
        (ORDER, OTHER_ITEMS, Rejected),
        (OutcomeUnknown("cut"), ITEMS, NotSent),
        (ORDER, Garbled("garbage"), NotSent),
        (xml("<html/>"), ITEMS, NotSent),
        (odata_error(500, "X", "no"), ITEMS, NotSent),
        (odata_error(401, "X", "no"), ITEMS, Misconfigured),
        (NotSent("down"), ITEMS, NotSent),
    ],
)
async def test_nothing_is_sent_unless_the_order_stands_as_before(
    posting: Change | Cancellation, order: Step, items: Step, meant: type[ErpError]
) -> None:
    driver, transport = _driver(order, items)
    with pytest.raises(ErpError) as raised:
        await _do(driver, posting)
    assert type(raised.value) is meant
    assert raised.value.happened is False
    assert not any(transport.permitted)


@pytest.mark.parametrize(
    ("posting", "order", "items"),
    [(CHANGE, ORDER_AFTER, ITEMS_AFTER), (CANCELLATION, ORDER_AFTER, NO_ITEMS)],
    ids=["change", "cancel"],
)
async def test_what_stands_as_demanded_is_for_an_inquiry(
    posting: Change | Cancellation, order: Step, items: Step
) -> None:
    driver, transport = _driver(order, items)
    with pytest.raises(OutcomeUnknown):
        await _do(driver, posting)
    assert not any(transport.permitted)
    driver, _ = _driver(order, items)
    [found] = await driver.inquire(posting)
    assert (found.as_demanded, found.cancelled) == (True, posting is CANCELLATION)
    assert found.agrees_with(driver.expectation(posting))


@pytest.mark.parametrize("posting", [CHANGE, CANCELLATION], ids=["change", "cancel"])
async def test_an_inquiry_finds_nothing_before_and_a_third_state_in_between(posting: Change | Cancellation) -> None:
    driver, _ = _driver(ORDER, ITEMS, ORDER, OTHER_ITEMS, NO_ORDER, NO_ITEMS)
    assert await driver.inquire(posting) == ()
    [found] = await driver.inquire(posting)
    assert not found.as_demanded
    assert not found.agrees_with(driver.expectation(posting))
    assert await driver.inquire(posting) == ()


REFUSED = xml(golden("cancel_refused.answer"))


async def test_a_refusal_that_left_the_order_alone_is_one() -> None:
    driver, transport = _driver(ORDER, ITEMS, REFUSED, ORDER, ITEMS)
    with pytest.raises(Rejected) as raised:
        await driver.change(CHANGE, _allow)
    assert (raised.value.code, raised.value.field) == ("V1/555", "ORDER_ITEM_IN[1]")
    assert "bapi_transaction_commit" not in _functions(transport)


async def test_a_refusal_of_a_part_is_unknown() -> None:
    """The simulator keeps what came before the row that it refused."""
    for order, items in ((ORDER, OTHER_ITEMS), (ORDER_AFTER, ITEMS_AFTER)):
        driver, _ = _driver(ORDER, ITEMS, REFUSED, order, items)
        with pytest.raises(OutcomeUnknown):
            await driver.change(CHANGE, _allow)


async def test_a_refusal_is_believed_where_the_order_cannot_be_read() -> None:
    driver, _ = _driver(ORDER, ITEMS, REFUSED, NotSent("down"), NotSent("down"))
    with pytest.raises(Rejected):
        await driver.change(CHANGE, _allow)


async def test_a_lock_is_to_be_tried_again() -> None:
    locked = xml(answer("SalesOrderChangeResponse", f"<RETURN>{row('E', 'V1', '042', 'is being processed')}</RETURN>"))
    driver, _ = _driver(ORDER, ITEMS, locked, ORDER, ITEMS)
    with pytest.raises(NotSent):
        await driver.change(CHANGE, _allow)


@pytest.mark.parametrize(
    ("inner", "meant"),
    [
        ("", Garbled),
        ("<RETURN/>", OutcomeUnknown),
        (f"<RETURN>{row('W', 'V1', '010', 'No fields were flagged')}</RETURN>", OutcomeUnknown),
        (f"<RETURN>{row('S', 'V4', '233', 'processed')}</RETURN>", OutcomeUnknown),
        (f"<RETURN>{row('Q')}</RETURN>", Garbled),
    ],
)
async def test_only_a_saved_order_was_changed(inner: str, meant: type[ErpError]) -> None:
    driver, transport = _driver(ORDER, ITEMS, xml(answer("SalesOrderChangeResponse", inner)))
    with pytest.raises(ErpError) as raised:
        await driver.change(CHANGE, _allow)
    assert type(raised.value) is meant
    assert len(transport.sent) == 3


@pytest.mark.parametrize(
    "trouble", [NotSent("no connection"), odata_error(401, "X", "no"), odata_error(423, "X", "locked"), xml("<a/>")]
)
async def test_whatever_the_commit_comes_to_the_outcome_is_unknown(trouble: Step) -> None:
    driver, _ = _driver(ORDER, ITEMS, CHANGED, trouble)
    with pytest.raises(OutcomeUnknown):
        await driver.change(CHANGE, _allow)


async def test_what_was_saved_and_does_not_stand_as_demanded_is_unknown() -> None:
    """An ERP that ignores a rejection says 'saved' all the same."""
    for order, items in ((ORDER, ITEMS), (ORDER, OTHER_ITEMS)):
        driver, _ = _driver(ORDER, ITEMS, CHANGED, COMMITTED, order, items)
        with pytest.raises(OutcomeUnknown):
            await driver.cancel(CANCELLATION, _allow)


async def test_a_failed_reading_after_the_commit_is_no_failed_change() -> None:
    driver, _ = _driver(ORDER, ITEMS, CHANGED, COMMITTED, OutcomeUnknown("cut"), ITEMS_AFTER)
    posted = await driver.change(CHANGE, _allow)
    assert posted.number == CHANGE.number
    assert posted.confirmed.amount is None


async def test_no_permit_no_call() -> None:
    class Expired(Exception):
        pass

    def refuse() -> None:
        raise Expired

    driver, transport = _driver(ORDER, ITEMS)
    with pytest.raises(Expired):
        await driver.change(CHANGE, refuse)
    assert len(transport.sent) == 2


async def test_what_no_call_could_bring_about_asks_nobody() -> None:
    driver, transport = _driver()
    other = replace(CHANGE, document=CHANGE.document.model_copy(update={"currency_code": "EUR"}))
    with pytest.raises(Rejected):
        await driver.change(other, _allow)
    with pytest.raises(Misconfigured):
        await driver.inquire(replace(CHANGE, number=number("sales_order", "1", "other")))
    assert transport.sent == []


def test_what_an_inquiry_must_find() -> None:
    driver, _ = _driver()
    expected = driver.expectation(CHANGE)
    assert (expected.party, expected.currency_code, str(expected.total)) == ("1000001", "USD", "185.80")
    assert driver.expectation(CANCELLATION) == Expectation("1000001", "USD", None)


async def test_an_order_without_items_is_not_what_a_creation_demanded() -> None:
    """A creation that broke off leaves one; at an order of nothing but free lines, its total would agree."""
    driver, _ = _driver(ORDER, NO_ITEMS)
    [found] = await driver.inquire(CHANGE.original)
    assert not found.as_demanded
    driver, _ = _driver(ORDER, ITEMS)
    [found] = await driver.inquire(CHANGE.original)
    assert found.as_demanded
    assert not found.cancelled


def _items(*rejected: bool) -> Step:
    """The order's items as VBAP holds them, each rejected or not."""
    table = ECC_TABLES.order_items
    items = [
        ["0000004737", one.number, one.material, str(one.quantity), one.unit, str(one.net), "92" * gone, one.text]
        for one, gone in zip(standing().items, rejected, strict=True)
    ]
    return xml(table_answer(order_rows.order_item_columns(table), *items))


def _order() -> Step:
    """The order as VBAK holds it."""
    cells = ["0000004737", "0001000001", "USD", "303.28", "19960701", "1710", "19960801", "0123456789ABCDEF"]
    return xml(table_answer(order_rows.order_columns(ECC_TABLES.orders), cells))


async def test_a_real_ecc_cancels_by_rejecting() -> None:
    settings: dict[str, Any] = {"tables": ECC_TABLES, "rejection_reason": "92"}
    before, after = (_items(*[gone] * 4) for gone in (False, True))
    half = _items(True, True, True, False)
    driver, transport = _driver(_order(), before, CHANGED, COMMITTED, _order(), after, **settings)
    assert (await driver.cancel(CANCELLATION, _allow)).number == CANCELLATION.number
    assert (transport.sent[2].body or b"").count(b"<REASON_REJ>92</REASON_REJ>") == 4
    driver, _ = _driver(_order(), before, CHANGED, COMMITTED, _order(), before, **settings)
    with pytest.raises(OutcomeUnknown):
        await driver.cancel(CANCELLATION, _allow)
    driver, _ = _driver(_order(), half, **settings)
    [found] = await driver.inquire(CANCELLATION)
    assert (found.as_demanded, found.cancelled) == (False, False)
    driver, _ = _driver(_order(), NO_ITEMS_OF_ECC, **settings)
    [found] = await driver.inquire(CANCELLATION)
    assert not found.cancelled, "an order that lost its items was not called off by us"


NO_ITEMS_OF_ECC = xml(table_answer(order_rows.order_item_columns(ECC_TABLES.order_items)))
