"""What an ERP said of a transaction again and again: each of its words is found, erased and judged."""

from __future__ import annotations

import json

import pytest

from gateway.domain.exceptions import EarlierWords, ExceptionRecord
from gateway.domain.privacy import KeptFor
from gateway.domain.records import PayloadRecord
from gateway.domain.transaction import Status
from gateway.privacy.requests import survey
from gateway.store.exceptions import EARLIER_WORDS
from gateway.store.store import Store, StoreUnit
from tests.line.dead_ends import both
from tests.line.rig import Rig
from tests.privacy.desk import Desk
from tests.privacy.said_again import TIMES, payload_of, said_again


async def called_off(rig: Rig) -> None:
    """The exception closes, so that the transaction may be erased."""
    await rig.until(110.0)
    assert (await both(rig, "cancel")).exception.outcome == "cancelled"


async def test_all_that_was_said_goes(store: Store) -> None:
    desk = await Desk.on(store)
    transaction_id, _, said = await said_again(desk.rig)
    asked = await desk.erase()
    assert [one.kept_for for one in (await survey(desk.parts, asked.customer_id)).kept] == [KeptFor.UNDER_WAY]
    assert await desk.audit() == []
    await called_off(desk.rig)
    assert (await desk.rig.record(transaction_id)).status is Status.CANCELLED
    assert (await desk.retention.turn())["erased"] == 1
    left = [await payload_of(store, one.payload_id) for one in said]
    assert [(one.body, one.salt) for one in left] == [(None, b"")] * TIMES
    told = [json.loads(one.body) for one in await desk.rig.entries(transaction_id)]
    (erased,) = [one["payloadHashes"] for one in told if one["kind"] == "erased"]
    committed = {one["wordsHash"] for one in told if "wordsHash" in one}
    assert len(committed) == TIMES
    assert committed <= set(erased)
    assert await desk.audit() == []


async def test_a_pack_opens_all_that_was_said(store: Store) -> None:
    desk = await Desk.on(store)
    transaction_id, _, said = await said_again(desk.rig)
    assert {one.payload_id for one in said} <= set(await store.ledger.words_of([transaction_id]))


async def test_what_is_said_after_an_erasure_goes_with_the_next(store: Store) -> None:
    desk = await Desk.on(store)
    (transaction_id, *_) = await desk.chain()
    await desk.erase()
    payload = PayloadRecord("pay_late", b"s", b"{}")

    async def late(unit: StoreUnit) -> None:
        record = await unit.transaction(transaction_id)
        assert record is not None
        await unit.insert_payload(payload)
        await unit.insert_exception(_closed(record.transaction_id, record.lineage_id, payload.payload_id))

    await store.write(late)
    assert (await desk.erase("key-2")).erased == 1
    assert (await payload_of(store, payload.payload_id)).body is None
    assert (await desk.erase("key-3")).erased == 0


def _closed(transaction_id: str, lineage_id: str, payload_id: str) -> ExceptionRecord:
    return ExceptionRecord(
        exception_id="exc_late",
        transaction_id=transaction_id,
        lineage_id=lineage_id,
        domain="orders",
        operation="create",
        business_unit="Western",
        geography="FR",
        system_id="legacy-main",
        company_code=None,
        currency_code=None,
        amount=None,
        reason_code="undo-refused",
        cause=None,
        payload_id=payload_id,
        state="closed",
        opened_at=1,
        updated_at=1,
    )


@pytest.mark.parametrize("strange", [b"{}", None])
async def test_words_that_no_entry_tells_are_an_alarm(store: Store, strange: bytes | None) -> None:
    desk = await Desk.on(store)
    _, exception, _ = await said_again(desk.rig)

    async def added(unit: StoreUnit) -> None:
        await unit.insert_payload(PayloadRecord("pay_strange", b"s", strange))
        words = EarlierWords(exception.exception_id, "pay_strange")
        await unit._unit.run(EARLIER_WORDS.insert, EARLIER_WORDS.params(words))

    await store.write(added)
    found = await desk.audit()
    assert [one for one in found if "earlier words" in one] == found
    assert len(found) == (0 if strange is None else 1)
