"""A record that was restored from a back-up sends nothing that the lost gateway may have posted, before it asked."""

import json

from gateway.domain.lanes import RESPOND_ASYNC
from gateway.domain.transaction import Status
from tests.line.lost import posted_by_the_lost_one, restored
from tests.line.rig import Rig, order


async def test_what_was_accepted_before_is_found_and_not_sent(rig: Rig):
    accepted = (await rig.send(order(), queueing=RESPOND_ASYNC)).transaction.transaction_id
    other = await restored(rig)
    await other.until(1.0)
    assert (await other.record(accepted)).status is Status.UNKNOWN
    unknown = next(json.loads(one.body) for one in await other.entries(accepted) if one.kind == "unknown")
    assert unknown["code"] == "record-restored"
    await posted_by_the_lost_one(other, accepted)
    await other.until(1.1)
    assert (await other.record(accepted)).status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (0, 1)


async def test_what_no_erp_has_is_sent_once_the_quiet_time_is_over(rig: Rig):
    accepted = (await rig.send(order(), queueing=RESPOND_ASYNC)).transaction.transaction_id
    other = await restored(rig)
    await other.until(1.0)
    await other.until(1.1)
    await other.until(90.0)
    assert rig.legacy.calls == 0
    await other.until(20.0)
    assert (await other.record(accepted)).status is Status.POSTED
    assert (rig.legacy.calls, rig.legacy.inquiries, len(rig.legacy.book)) == (1, 2, 1)


async def test_what_was_not_sent_at_first_may_have_been_later(rig: Rig):
    rig.legacy.script = ["down"]
    accepted = (await rig.send(order())).transaction.transaction_id
    await rig.settle()
    other = await restored(rig)
    await other.until(1.1)
    assert (await other.record(accepted)).status is Status.UNKNOWN
    await posted_by_the_lost_one(other, accepted)
    await other.until(1.1)
    assert (await other.record(accepted)).status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (1, 1)


async def test_what_is_accepted_afterwards_is_sent_at_once(rig: Rig):
    other = await restored(rig)
    rig.clock.forward(0.001)
    answer = await other.send(order())
    await other.settle()
    assert (await other.record(answer.transaction.transaction_id)).status is Status.POSTED
    assert (rig.legacy.calls, rig.legacy.inquiries) == (1, 0)


async def test_what_is_older_than_a_day_goes_before_a_person(rig: Rig):
    accepted = (await rig.send(order(), queueing=RESPOND_ASYNC)).transaction.transaction_id
    rig.clock.forward(rig.parts.limits.give_up_s)
    other = await restored(rig)
    for seconds in (1.0, 1.1, 120.0, 120.0):
        await other.until(seconds)
    assert (await other.record(accepted)).status is Status.IN_DOUBT
    assert rig.legacy.calls == 0


async def test_an_unknown_is_not_sent_again_before_the_lost_one_must_have_ended(rig: Rig):
    """Its own quiet time was over at the back-up; the lost gateway sent it again after that."""
    rig.legacy.script = ["lost_call"]
    accepted = (await rig.send(order())).transaction.transaction_id
    await rig.until(1.1)
    rig.clock.forward(150.0)
    other = await restored(rig)
    await other.settle()
    assert (await other.record(accepted)).status is Status.UNKNOWN
    await posted_by_the_lost_one(other, accepted)
    await other.until(102.0)
    assert (await other.record(accepted)).status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (1, 1)
