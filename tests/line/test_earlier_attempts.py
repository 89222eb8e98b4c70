"""An attempt that came to nothing says nothing of one before it, which may have posted since it was inquired last."""

import asyncio

from gateway.domain.transaction import Status
from tests.line.rig import Rig, order


async def test_what_was_not_sent_again_is_inquired_before_it_is_sent_once_more(unique_rig: Rig):
    rig = unique_rig
    rig.legacy.script = ["late", "down", "reject"]
    answer = await rig.send(order())
    await rig.settle()
    await rig.until(1.1)
    assert rig.legacy.calls == 2
    rig.legacy.post_what_was_late()
    await rig.until(200.0)
    record = await rig.record(answer.transaction.transaction_id)
    assert record.status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (2, 1)


async def test_what_is_not_sent_for_long_is_sent_once(unique_rig: Rig):
    rig = unique_rig
    rig.legacy.script = ["lost_call", "down", "busy", "down"]
    answer = await rig.send(order())
    await rig.settle()
    for _ in range(8):
        await rig.until(60.0)
    record = await rig.record(answer.transaction.transaction_id)
    assert record.status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (5, 1)


async def test_a_refusal_that_comes_late_counts_only_after_an_empty_inquiry(unique_rig: Rig):
    rig = unique_rig
    rig.legacy.script = ["late", "reject"]
    answer = await rig.send(order())
    await rig.settle()
    rig.legacy.arrived.clear()
    rig.legacy.gate = asyncio.Event()
    again = asyncio.create_task(rig.until(1.1))
    await asyncio.wait_for(rig.legacy.arrived.wait(), 30)
    # while the second attempt is under way, the first one posts and its time runs out
    rig.legacy.post_what_was_late()
    rig.clock.forward(200.0)
    rig.legacy.gate.set()
    await again
    await rig.settle()
    await rig.until(1.1)
    record = await rig.record(answer.transaction.transaction_id)
    assert record.status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (2, 1)
