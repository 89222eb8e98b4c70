"""The driver reversing accounting documents: mirrors that stand are read first, for the ERP takes any number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.errors import Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.legacy_erp.sap_ecc.driver import SapEccDriver
from tests.unit.sap_ecc.documents import SETTINGS, SYSTEM
from tests.unit.sap_ecc.recorded import POSTED, invoiced, mirror
from tests.unit.sap_ecc.scripted import ScriptedTransport, Step, golden, odata_error, without_rows, xml

REVERSAL = mirror(invoiced())
NONE = without_rows("headers_by_reference.answer")
ITEMS = xml(golden("items.answer"))
MIRROR = xml(golden("headers_by_reference.answer").replace(b"0100000007", b"0100000008"))
"""Somebody's document 0100000008."""


def _allow() -> None:
    pass


def _refuse() -> None:
    pytest.fail("a permit is asked")


def _driver(*steps: Step) -> tuple[SapEccDriver, ScriptedTransport]:
    transport = ScriptedTransport(*steps)
    return SapEccDriver(SYSTEM, replace(SETTINGS, read_back=False), transport), transport


async def test_one_reading_comes_before_the_mirror() -> None:
    driver, transport = _driver(NONE, xml(golden("mirror.answer")), xml(golden("commit.answer")))
    await driver.reverse(REVERSAL, _allow)
    assert transport.permitted == [False, True, False]
    assert b"'REVERSAL 0100000007/1996'" in (transport.sent[0].body or b"")
    assert transport.sent[1].body == golden("mirror")


async def test_a_document_that_somebody_reversed_is_refused() -> None:
    driver, transport = _driver(MIRROR, NONE, NONE)
    with pytest.raises(Rejected) as raised:
        await driver.reverse(REVERSAL, _refuse)
    assert raised.value.message == f"{POSTED} is reversed by 0100000008/1000/1996 already"
    assert (raised.value.code, raised.value.field) == ("STALE", "number")
    assert transport.steps == []
    assert REVERSAL.external_reference.encode() in (transport.sent[2].body or b"")


async def test_our_own_mirror_is_left_to_an_inquiry() -> None:
    driver, transport = _driver(MIRROR, NONE, MIRROR, ITEMS, NONE)
    with pytest.raises(OutcomeUnknown):
        await driver.reverse(REVERSAL, _refuse)
    assert transport.steps == []


@pytest.mark.parametrize("seen", [(), (MIRROR,), (MIRROR, NONE)], ids=["mirrors", "theirs", "ours"])
@pytest.mark.parametrize(
    "trouble", [NotSent("no connection"), OutcomeUnknown("cut"), Garbled("x"), xml("<html/>"), xml("", 500)]
)
async def test_a_reading_that_fails_sends_nothing(seen: tuple[Step, ...], trouble: Step) -> None:
    driver, transport = _driver(*seen, trouble)
    with pytest.raises(NotSent):
        await driver.reverse(REVERSAL, _refuse)
    assert transport.steps == []


async def test_a_reading_that_is_set_up_wrong_stays_so() -> None:
    driver, _ = _driver(odata_error(401, "X", "no"))
    with pytest.raises(Misconfigured):
        await driver.reverse(REVERSAL, _refuse)
