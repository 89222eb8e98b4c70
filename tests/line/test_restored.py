"""A record that was restored from a back-up sends nothing that the lost gateway may have posted, before it asked."""

import json
from dataclasses import replace

from gateway.domain.lanes import RESPOND_ASYNC
from gateway.domain.transaction import Status
from gateway.transactions.posting import posting_of
from tests.line.rig import Rig, order


async def restored(rig: Rig) -> Rig:
    """A process on another machine, on the restored record."""
    limits = replace(rig.parts.limits, inquired_first_until=rig.clock.now())
    rig.parts = replace(rig.parts, limits=limits)
    return await rig.another_process("prc_2")


async def posted_by_the_lost_one(rig: Rig, transaction_id: str) -> None:
    async def read(unit):
        return await posting_of(unit, await unit.transaction(transaction_id), (await unit.steps(transaction_id))[-1])

    rig.legacy.post(await rig.store.write(read))


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
