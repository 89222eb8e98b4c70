"""No hostile answer to a posting call becomes a success, and none a definite failure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import ErpError
from adapters.legacy_erp.sap_ecc.driver import SapEccDriver
from adapters.legacy_erp.sap_ecc.settings import IdocSettings, SapEccSettings
from adapters.port import Cancellation, Change, Posted, Posting, Reversal, Submission
from adapters.transport import ErpResponse
from tests.unit.sap_ecc.documents import SETTINGS, SYSTEM
from tests.unit.sap_ecc.hostile import hostile_json, hostile_xml
from tests.unit.sap_ecc.recorded import cancelled, changed, entered, invoiced, mirror, ordered, paid
from tests.unit.sap_ecc.scripted import GOLDEN, ScriptedTransport, Step, answer, golden, row, without_rows, xml

QUIET: Final = replace(SETTINGS, read_back=False)
FILING: Final = replace(QUIET, orders_by="idoc", idoc=IdocSettings(number_of="idoc"))


@dataclass(frozen=True)
class Case:
    """A posting, what is answered before it, and a good answer to it: `value` is what makes it good."""

    posting: Posting
    before: tuple[Step, ...]
    good: str
    value: str
    settings: SapEccSettings = QUIET


_NUMBER: Final = "<SALESDOCUMENT>0000004737</SALESDOCUMENT>"
_KEY: Final = "<OBJ_KEY>010000000710001996</OBJ_KEY>"
_SAVED: Final = f"<RETURN>{row('S')}</RETURN><EXTRA/>"
_READ: Final = (xml(golden("orders_by_reference.answer")), xml(golden("order_items.answer")))
_NO_MIRROR: Final = without_rows("headers_by_reference.answer")
_POSTED: Final = answer("AccDocumentPostResponse", _KEY + _SAVED)
_ALTERED: Final = answer("SalesOrderChangeResponse", _SAVED)

CASES: Final[Mapping[str, Case]] = {
    "order": Case(ordered(), (), answer("SalesOrderCreateFromDat2Response", _NUMBER + _SAVED), "0000004737"),
    "change": Case(changed(), _READ, _ALTERED, "S"),
    "cancellation": Case(cancelled(), _READ, _ALTERED, "S"),
    "invoice": Case(invoiced(), (), _POSTED, "010000000710001996"),
    "payment": Case(paid(), (), _POSTED, "010000000710001996"),
    "entry": Case(entered(), (), _POSTED, "010000000710001996"),
    "mirror": Case(mirror(invoiced()), (_NO_MIRROR,), _POSTED, "010000000710001996"),
}
HOSTILE: Final = sorted(hostile_xml(_ALTERED, "S"))
RECEIPT: Final = (GOLDEN / "idoc_receipt.json").read_bytes()
RECEIPTS: Final = hostile_json(RECEIPT, "STATUS")


async def _do(case: Case, given: Step, *after: Step) -> Posted:
    driver = SapEccDriver(SYSTEM, case.settings, ScriptedTransport(*case.before, given, *after))
    match case.posting:
        case Submission() as posting:
            return await driver.submit(posting, _allow)
        case Change() as posting:
            return await driver.change(posting, _allow)
        case Cancellation() as posting:
            return await driver.cancel(posting, _allow)
        case Reversal() as posting:
            return await driver.reverse(posting, _allow)


def _allow() -> None:
    pass


COMMITTED: Final = xml(golden("commit.answer"))


@pytest.mark.parametrize("name", CASES)
async def test_the_measure_of_the_hostile_ones_is_good(name: str) -> None:
    posted = await _do(CASES[name], xml(CASES[name].good), COMMITTED)
    assert posted.number.system_id == SYSTEM


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("how", HOSTILE)
async def test_no_hostile_answer_to_a_posting_is_definite(name: str, how: str) -> None:
    case = CASES[name]
    body = hostile_xml(case.good, case.value)[how]
    assert body != case.good.encode()
    with pytest.raises(ErpError) as raised:
        await _do(case, xml(body), COMMITTED)
    assert raised.value.happened is None


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("how", HOSTILE)
async def test_no_hostile_answer_to_a_commit_is_definite(name: str, how: str) -> None:
    case = CASES[name]
    good = answer("TransactionCommitResponse", f"<RETURN>{row('S', '00', '344')}</RETURN><EXTRA/>")
    with pytest.raises(ErpError) as raised:
        await _do(case, xml(case.good), xml(hostile_xml(good, "S")[how]))
    assert raised.value.happened is None


@pytest.mark.parametrize("name", CASES)
async def test_no_part_of_an_answer_is_one(name: str) -> None:
    case = CASES[name]
    whole = case.good.encode()
    for length in range(len(whole)):
        with pytest.raises(ErpError) as raised:
            await _do(case, xml(whole[:length]), COMMITTED)
        assert raised.value.happened is None


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("status", [200, 201, 202, 302, 400, 404, 500, 502, 503])
async def test_another_functions_answer_is_none_whatever_its_status(name: str, status: int) -> None:
    case = CASES[name]
    for other in (*(one.good for one in CASES.values()), golden("commit.answer").decode()):
        if other == case.good:
            continue
        with pytest.raises(ErpError) as raised:
            await _do(case, xml(other, status), COMMITTED)
        assert raised.value.happened is None


@pytest.mark.parametrize("name", CASES)
@given(body=st.binary(max_size=200), status=st.sampled_from([200, 201, 400, 500, 503]))
async def test_no_bytes_are_definite(name: str, body: bytes, status: int) -> None:
    with pytest.raises(ErpError) as raised:
        await _do(CASES[name], xml(body, status), COMMITTED)
    assert raised.value.happened is None


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
async def test_a_changed_byte_of_a_good_answer_is_no_refusal(name: str, data: st.DataObject) -> None:
    """The one byte that says S, E or A apart: with it changed, the answer is another one, and a well-formed one."""
    case = CASES[name]
    body = bytearray(case.good.encode())
    kind = case.good.index("<TYPE>") + len("<TYPE>")
    at = data.draw(st.integers(0, len(body) - 1).filter(lambda place: place != kind))
    body[at] = data.draw(st.integers(0, 255))
    try:
        posted = await _do(case, xml(bytes(body)), COMMITTED)
    except ErpError as error:
        assert error.happened is None
    else:
        assert re.match(r"\A[0-9A-Z/]+\Z", posted.number.document_number)


FILED: Final = Case(ordered(), (), "", "", FILING)


async def test_the_measure_of_the_hostile_receipts_is_good() -> None:
    kind = {"content-type": "application/json;charset=utf-8"}
    assert (await _do(FILED, ErpResponse(201, kind, RECEIPT))).number.document_number == "1000000000000001"


@pytest.mark.parametrize("how", RECEIPTS)
async def test_no_hostile_receipt_is_definite(how: str) -> None:
    with pytest.raises(ErpError) as raised:
        await _do(FILED, RECEIPTS[how])
    assert raised.value.happened is None


async def test_no_part_of_a_receipt_is_one() -> None:
    kind = {"content-type": "application/json;charset=utf-8"}
    whole = RECEIPT.rstrip()
    for length in range(len(whole)):
        with pytest.raises(ErpError) as raised:
            await _do(FILED, ErpResponse(201, kind, whole[:length]))
        assert raised.value.happened is None


RECORD: Final = (GOLDEN / "idoc_record.json").read_bytes()
LIST: Final = (GOLDEN / "idoc_list.json").read_bytes()


@pytest.mark.parametrize("how", sorted(hostile_json(RECORD, "status")))
async def test_no_hostile_idoc_or_list_is_an_answer_to_an_inquiry(how: str) -> None:
    """Nothing found would let a second one be sent."""
    good = ErpResponse(200, {"content-type": "application/json"}, LIST)
    bad = [hostile_json(RECORD, "status")[how], hostile_json(LIST, "status")[how]]
    bad = [replace(one, status=200 if one.status == 201 else one.status) for one in bad]
    for steps in ([good, bad[0]], [bad[1]]):
        if bad[1] is steps[0] and how in {"another type", "outbound"}:
            continue  # a list may hold others, which are passed over
        driver = SapEccDriver(SYSTEM, FILING, ScriptedTransport(*steps))
        with pytest.raises(ErpError):
            await driver.inquire(ordered())
