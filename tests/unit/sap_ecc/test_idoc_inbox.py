"""Orders handed over as IDocs: sent once, watched until decided, found again, never called 'nothing' too soon."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any, Final

import pytest

from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.legacy_erp.sap_ecc.driver import SapEccDriver
from adapters.legacy_erp.sap_ecc.settings import IdocSettings
from adapters.port import Search
from adapters.transport import ErpResponse
from tests.unit.sap_ecc.documents import SETTINGS, SYSTEM, number
from tests.unit.sap_ecc.recorded import cancelled, changed, invoiced, ordered
from tests.unit.sap_ecc.scripted import GOLDEN, ScriptedTransport, Step, golden, odata_error, without_rows, xml

IDOC: Final = "1000000000000001"
FILED: Final = IdocSettings(number_of="idoc", wait_s=30.0, poll_s=0.001)
ORDERED: Final = replace(FILED, number_of="order")
ORDER_ROWS: Final = xml(golden("orders_by_reference.answer"))
ITEM_ROWS: Final = xml(golden("order_items.answer"))
NO_ROWS: Final = without_rows("orders_by_reference.answer")


def _allow() -> None:
    pass


def _driver(*steps: Step, idoc: IdocSettings = FILED) -> tuple[SapEccDriver, ScriptedTransport]:
    transport = ScriptedTransport(*steps)
    return SapEccDriver(SYSTEM, replace(SETTINGS, orders_by="idoc", idoc=idoc), transport), transport


def _recorded(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_bytes())


def _json(content: object, status: int = 200) -> ErpResponse:
    return ErpResponse(status, {"content-type": "application/json;charset=utf-8"}, json.dumps(content).encode())


def receipt(status: str = "53", **changes: str) -> ErpResponse:
    """The receipt of a real process, with another status."""
    return _json(_recorded("idoc_receipt") | {"STATUS": status} | changes, 201)


def record(status: str = "53", **changes: str) -> ErpResponse:
    """An IDoc as a real process gives it, with another status."""
    return _json(_recorded("idoc_record") | {"status": status} | changes)


def listed(*rows: dict[str, str]) -> ErpResponse:
    """The list of a real process, or of these changes of its row."""
    [row] = _recorded("idoc_list")["results"]
    return _json({"results": [row | changes for changes in rows]})


async def test_an_order_is_sent_once_under_the_permit() -> None:
    driver, transport = _driver(receipt())
    posted = await driver.submit(ordered(), _allow)
    assert str(posted.number) == f"legacy-main/idoc/{IDOC}"
    assert posted.messages == ("IDOC/53 Application document posted",)
    [sent] = transport.sent
    assert (sent.method, sent.path, sent.body) == ("POST", "/sap/bc/idoc", golden("idoc"))
    assert transport.permitted == [True]


async def test_a_waiting_idoc_is_watched_until_it_is_decided() -> None:
    driver, transport = _driver(receipt("64"), record("64"), record("62"), record("53"))
    assert (await driver.submit(ordered(), _allow)).number.document_number == IDOC
    assert [sent.path for sent in transport.sent[1:]] == [f"/sap/bc/idoc/{IDOC}"] * 3
    assert transport.permitted == [True, False, False, False]


@pytest.mark.parametrize("status", ["51", "56", "60", "63", "65", "68"])
async def test_a_declined_idoc_is_a_refusal_with_the_words_of_the_erp(status: str) -> None:
    for steps in (
        [receipt(status, STATUS_TEXT="Customer blocked")],
        [receipt("64"), record(status, status_text="Customer blocked")],
    ):
        driver, _ = _driver(*steps)
        with pytest.raises(Rejected) as raised:
            await driver.submit(ordered(), _allow)
        assert (raised.value.code, raised.value.message) == (f"IDOC/{status}", "Customer blocked")


@pytest.mark.parametrize(
    "steps",
    [
        [receipt("64"), OutcomeUnknown("cut")],
        [receipt("64"), NotSent("down")],
        [receipt("64"), odata_error(401, "X", "no")],
        [receipt("64"), odata_error(404, "X", "gone")],
        [receipt("64"), ErpResponse(200, {"content-type": "text/html"}, b"<html/>")],
        [receipt("64"), ErpResponse(500, {}, b"")],
        [receipt("64"), record("51", docnum="1000000000000002")],
        [receipt("52")],
        [receipt("12")],
    ],
    ids=["cut", "down", "credentials", "gone", "html", "error", "another", "in part", "outbound status"],
)
async def test_what_is_not_decided_is_unknown(steps: list[Step]) -> None:
    driver, transport = _driver(*steps)
    with pytest.raises(OutcomeUnknown) as raised:
        await driver.submit(ordered(), _allow)
    assert IDOC in raised.value.message
    assert sum(transport.permitted) == 1


async def test_what_stays_waiting_is_unknown_when_its_time_is_over() -> None:
    driver, transport = _driver(receipt("64"), *[record("64")] * 500, idoc=replace(FILED, wait_s=0.2))
    with pytest.raises(OutcomeUnknown) as raised:
        await driver.submit(ordered(), _allow)
    assert IDOC in raised.value.message
    assert sum(transport.permitted) == 1


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (odata_error(401, "X", "no"), Misconfigured),
        (odata_error(404, "X", "no such service"), Misconfigured),
        (odata_error(400, "X", "not well-formed"), Rejected),
        (odata_error(423, "X", "locked"), NotSent),
        (odata_error(503, "/IWFND/CM_MGW_RT", "busy"), NotSent),
        (odata_error(500, "X", "error"), OutcomeUnknown),
        (ErpResponse(502, {"content-type": "text/html"}, b"<html/>"), OutcomeUnknown),
        (ErpResponse(200, {"content-type": "text/html"}, b"<html/>"), Garbled),
        (ErpResponse(302, {"location": "/"}, b""), Garbled),
    ],
)
async def test_classes(answer: ErpResponse, meant: type[ErpError]) -> None:
    driver, _ = _driver(answer)
    with pytest.raises(ErpError) as raised:
        await driver.submit(ordered(), _allow)
    assert type(raised.value) is meant


async def test_an_idoc_is_no_order_where_orders_are_asked_for() -> None:
    driver, _ = _driver(receipt(), ORDER_ROWS, ITEM_ROWS, idoc=ORDERED)
    assert str((await driver.submit(ordered(), _allow)).number) == "legacy-main/sales_order/0000004737"
    for rows in ([NO_ROWS], [NotSent("down")]):
        driver, _ = _driver(receipt(), *rows, idoc=ORDERED)
        with pytest.raises(OutcomeUnknown) as raised:
            await driver.submit(ordered(), _allow)
        assert raised.value.code == "IDOC/53"


async def test_an_inquiry_finds_the_filed_order_by_its_reference() -> None:
    driver, transport = _driver(listed({}), record())
    [found] = await driver.inquire(ordered())
    assert (str(found.number), found.external_reference) == (f"legacy-main/idoc/{IDOC}", "0123456789ABCDEF")
    assert found.agrees_with(driver.expectation(ordered()))
    assert (str(found.total), found.posting_date, found.company_code) == ("303.28", date(1996, 7, 4), "1000")
    assert dict(transport.sent[0].query) == {"mestyp": "ORDERS", "limit": "1000"}


@pytest.mark.parametrize(
    "steps",
    [
        [listed()],
        [listed({}), record("51")],
        [listed({}), record(payload=golden("idoc").decode().replace("0123456789ABCDEF", "FEDCBA9876543210"))],
        [listed({}), record(payload="EDI_DC40  100")],
        [listed({"direction": "1"}, {"idoctyp": "ORDERS04"})],
    ],
    ids=["none", "declined", "another reference", "a flat one", "others"],
)
async def test_what_is_not_there_is_nothing(steps: list[Step]) -> None:
    driver, _ = _driver(*steps)
    assert await driver.inquire(ordered()) == ()


@pytest.mark.parametrize("status", ["50", "52", "62", "64", "66", "75", "99"])
async def test_what_may_still_be_posted_is_not_nothing(status: str) -> None:
    for idoc, before in ((FILED, []), (ORDERED, [NO_ROWS])):
        driver, _ = _driver(*before, listed({"status": status}), record(status), idoc=idoc)
        with pytest.raises(OutcomeUnknown) as raised:
            await driver.inquire(ordered())
        assert raised.value.code == f"IDOC/{status}"


async def test_an_order_is_found_before_its_idoc() -> None:
    driver, transport = _driver(ORDER_ROWS, ITEM_ROWS, idoc=ORDERED)
    [found] = await driver.inquire(ordered())
    assert found.number.document_type == "sales_order"
    assert len(transport.sent) == 2


async def test_a_posted_idoc_without_its_order_is_not_nothing() -> None:
    driver, _ = _driver(NO_ROWS, listed({}), record(), idoc=ORDERED)
    with pytest.raises(OutcomeUnknown):
        await driver.inquire(ordered())


async def test_what_is_not_among_the_newest_may_be_older() -> None:
    other = record(payload=golden("idoc").decode().replace("0123456789ABCDEF", "FEDCBA9876543210"))
    driver, _ = _driver(listed({}), other, idoc=replace(FILED, recent=1))
    with pytest.raises(OutcomeUnknown, match=r"idoc\.recent"):
        await driver.inquire(ordered())


@pytest.mark.parametrize(
    ("trouble", "meant"),
    [
        (NotSent("down"), NotSent),
        (ErpResponse(500, {}, b""), OutcomeUnknown),
        (ErpResponse(200, {"content-type": "text/html"}, b"<html/>"), Garbled),
        (odata_error(401, "X", "no"), Misconfigured),
    ],
)
async def test_a_failed_reading_is_not_nothing(trouble: Step, meant: type[ErpError]) -> None:
    for steps in ([trouble], [listed({}), trouble]):
        driver, _ = _driver(*steps)
        with pytest.raises(ErpError) as raised:
            await driver.inquire(ordered())
        assert type(raised.value) is meant


async def test_a_filed_order_is_read_by_its_number() -> None:
    driver, _ = _driver(record(), record("51"), odata_error(404, "X", "no such IDoc"))
    found = await driver.read(number("idoc", IDOC))
    assert found is not None
    assert found.external_reference == "0123456789ABCDEF"
    assert await driver.read(number("idoc", IDOC)) is None
    assert await driver.read(number("idoc", IDOC)) is None
    assert await driver.read(number("idoc", "1")) is None


async def test_filed_orders_are_listed_by_number_and_filtered_by_date_and_company() -> None:
    rows = [{"docnum": f"100000000000000{n}"} for n in (3, 2, 1)]
    records = [record(docnum=f"100000000000000{n}") for n in (1, 2, 3)]
    driver, _ = _driver(listed(*rows, {"docnum": "1000000000000004", "status": "51"}), *records)
    page = await driver.search(Search("orders", posted_from=date(1996, 7, 4), company_code="1000", limit=2))
    assert [one.number.document_number[-1] for one in page.documents] == ["1", "2"]
    driver, _ = _driver(listed(*rows), records[2])
    last = await driver.search(Search("orders", limit=2, cursor=page.next_cursor))
    assert ([one.number.document_number[-1] for one in last.documents], last.next_cursor) == (["3"], "")
    for search in (Search("orders", posted_from=date(1996, 7, 5)), Search("orders", posted_until=date(1996, 7, 3))):
        driver, _ = _driver(listed(*rows), *records)
        assert (await driver.search(search)).documents == ()


async def test_what_was_handed_over_as_an_idoc_is_neither_changed_nor_validated() -> None:
    driver, transport = _driver()
    for call in (driver.change(changed(), _allow), driver.cancel(cancelled(), _allow)):
        with pytest.raises(Misconfigured):
            await call
    with pytest.raises(Misconfigured):
        await driver.validate(ordered())
    with pytest.raises(Misconfigured):
        await driver.search(Search("orders", cursor="'"))
    assert transport.sent == []


async def test_a_domain_that_is_closed_is_refused() -> None:
    transport = ScriptedTransport()
    driver = SapEccDriver(SYSTEM, replace(SETTINGS, closed=frozenset({"invoices"})), transport)
    with pytest.raises(Misconfigured, match="closed"):
        await driver.submit(invoiced(), _allow)
    assert transport.sent == []
