"""What is unknown of a change, cancellation or reversal is asked for, and sent again only when that is proven right."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.transactions.posting import posting_of
from tests.line.documents import journal_entry, priced
from tests.line.rig import Rig, order

KINDS = ("change", "cancel", "reverse")
every_kind = pytest.mark.parametrize("kind", KINDS)


async def begun(rig: Rig, kind: str, *script: str, **how) -> tuple[str, str]:
    """A document that stands, and an operation on it whose call goes as the script says; (document, transaction)."""
    if kind == "reverse":
        created = await rig.send(journal_entry(), "journal_entries", wait_s=5.0)
    else:
        created = await rig.send(order(), wait_s=5.0)
    document_id = created.transaction.document_id
    assert created.transaction.status is Status.POSTED
    rig.legacy.calls = 0
    rig.legacy.script = list(script)
    answer = await ask(rig, kind, document_id, wait_s=0.0, **how)
    return document_id, answer.transaction.transaction_id


def ask(rig: Rig, kind: str, document_id: str, **how) -> Awaitable:
    calls: dict[str, Callable[[], Awaitable]] = {
        "change": lambda: rig.change(document_id, priced(20), **how),
        "cancel": lambda: rig.cancel(document_id, **how),
        "reverse": lambda: rig.reverse(document_id, "journal_entries", **how),
    }
    return calls[kind]()


async def is_done_once(rig: Rig, kind: str, document_id: str) -> None:
    """At the ERP and in the record."""
    document = await rig.document(document_id)
    assert document.busy_with is None
    if kind == "reverse":
        assert [found.reversed_by is None for found in rig.legacy.book] == [False, True]
        assert document.state == "reversed"
        return
    (found,) = rig.legacy.book
    if kind == "cancel":
        assert (found.cancelled, document.state) == (True, "cancelled")
    else:
        assert (found.total, document.amount, document.version) == (280, "280.00", 2)


@every_kind
async def test_a_lost_answer_is_found_by_inquiry(rig: Rig, kind: str):
    document_id, transaction_id = await begun(rig, kind, "lost_answer")
    await rig.settle()
    assert (await rig.record(transaction_id)).status is Status.UNKNOWN
    assert (await rig.document(document_id)).busy_with == transaction_id
    await rig.until(1.1)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert rig.legacy.calls == 1
    posted = json.loads(next(one.body for one in await rig.entries(transaction_id) if one.kind == "posted"))
    assert posted["foundByInquiry"] is True
    await is_done_once(rig, kind, document_id)


@every_kind
async def test_a_lost_call_is_sent_again_only_after_the_quiet_time_and_a_second_empty_inquiry(rig: Rig, kind: str):
    document_id, transaction_id = await begun(rig, kind, "lost_call")
    await rig.settle()
    await rig.until(1.1)
    await rig.until(90.0)
    assert rig.legacy.calls == 1
    await rig.until(20.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert (rig.legacy.calls, rig.legacy.inquiries) == (2, 2)
    await is_done_once(rig, kind, document_id)


@every_kind
async def test_a_late_execution_is_seen_by_the_second_inquiry(rig: Rig, kind: str):
    document_id, transaction_id = await begun(rig, kind, "late")
    await rig.settle()
    await rig.until(1.1)
    rig.legacy.post_what_was_late()
    await rig.until(110.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert rig.legacy.calls == 1
    await is_done_once(rig, kind, document_id)


@every_kind
async def test_what_is_found_in_a_third_state_is_put_before_a_person_and_keeps_the_document_busy(rig: Rig, kind: str):
    document_id, transaction_id = await begun(rig, kind, "other")
    await rig.settle()
    await rig.until(1.1)
    assert (await rig.record(transaction_id)).status is Status.IN_DOUBT
    doubted = next(entry for entry in await rig.entries(transaction_id) if entry.kind == "in_doubt")
    assert json.loads(doubted.body)["reason"] == "found-other"
    await rig.until(10_000.0)
    assert rig.legacy.calls == 1
    with pytest.raises(Problem) as caught:
        await ask(rig, kind, document_id)
    assert caught.value.slug == "document-busy"
    assert caught.value.extra == {"busyWithTransactionId": transaction_id, "busyWithStatus": "in_doubt"}


@every_kind
async def test_what_was_not_sent_is_tried_again_under_the_same_reference(rig: Rig, kind: str):
    document_id, transaction_id = await begun(rig, kind, "busy", "down")
    await rig.settle()
    await rig.until(3.0)
    await rig.until(60.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert len({posting.external_reference for posting in rig.legacy.seen[1:]}) == 1
    assert (await rig.kinds(transaction_id)).count("dispatched") == 3
    await is_done_once(rig, kind, document_id)


async def gone(rig: Rig, kind: str, *, posted: bool) -> tuple[str, str]:
    """A process that commits `dispatched` and dies before it writes the outcome; (document, transaction)."""
    made = order() if kind != "reverse" else journal_entry()
    domain = "orders" if kind != "reverse" else "journal_entries"
    document_id = (await rig.send(made, domain, wait_s=5.0)).transaction.document_id
    rig.legacy.calls, rig.legacy.gate = 0, asyncio.Event()
    rig.legacy.arrived.clear()
    transaction_id = (await ask(rig, kind, document_id, wait_s=0.0)).transaction.transaction_id
    await asyncio.wait_for(rig.legacy.arrived.wait(), 30)
    for task in list(rig.line._tasks):
        task.cancel()
    await asyncio.gather(*rig.line._tasks, return_exceptions=True)
    rig.legacy.gate = None
    if posted:
        rig.legacy.post(rig.legacy.seen[-1])
    return document_id, transaction_id


@every_kind
async def test_after_a_death_what_was_done_is_found(rig: Rig, kind: str):
    document_id, transaction_id = await gone(rig, kind, posted=True)
    heir = await rig.another_process("prc_2")
    await heir.until(16.0)
    await heir.until(2.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert rig.legacy.calls == 1
    await is_done_once(rig, kind, document_id)


@every_kind
async def test_after_a_proven_death_what_was_not_done_is_sent_again_with_the_same_words(rig: Rig, kind: str):
    document_id, transaction_id = await gone(rig, kind, posted=False)
    rig.liveness.ended.add("prc_1")
    heir = await rig.another_process("prc_2")
    await heir.until(16.0)
    await heir.until(2.0)
    await heir.until(90.0)
    assert rig.legacy.calls == 1
    await heir.until(20.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    first, second = rig.legacy.seen[-2:]
    assert first == second
    await is_done_once(rig, kind, document_id)


@every_kind
async def test_the_posting_made_of_what_is_stored_is_the_one_that_was_sent(rig: Rig, kind: str):
    _, transaction_id = await begun(rig, kind, "lost_call", **({} if kind == "change" else {"reason": "twice"}))
    await rig.settle()

    async def stored(unit):
        record = await unit.transaction(transaction_id)
        return await posting_of(unit, record, (await unit.steps(transaction_id))[-1])

    assert await rig.store.write(stored) == rig.legacy.seen[-1]


BEHAVIOURS = ["post", "lost_answer", "lost_call", "late", "reject", "busy", "down", "crash"]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(kind=st.sampled_from(KINDS), script=st.lists(st.sampled_from(BEHAVIOURS), max_size=6), late_at=st.integers(0, 2))
def test_whatever_the_erp_does_it_is_done_at_most_once_and_the_document_says_what_the_erp_says(
    run_rig, kind: str, script: list[str], late_at: int
):
    async def scenario(rig: Rig) -> None:
        document_id, transaction_id = await begun(rig, kind, *script)
        await rig.settle()
        for round_number in range(60):
            # before the longest execution of 100 s is over
            if round_number >= late_at:
                rig.legacy.post_what_was_late()
            await rig.until(40.0)
            if (await rig.record(transaction_id)).status in {Status.POSTED, Status.REJECTED}:
                break
        record = await rig.record(transaction_id)
        rig.legacy.post_what_was_late()
        document = await rig.document(document_id)
        assert document.busy_with is None
        if record.status is Status.POSTED:
            await is_done_once(rig, kind, document_id)
        else:
            assert record.status is Status.REJECTED
            assert (document.state, document.version) == ("active", 1)
            (found,) = rig.legacy.book
            assert (found.cancelled, found.reversed_by) == (False, None)
            assert found.total == (50 if kind == "reverse" else 168)
        assert rig.cloud.calls == 0

    run_rig(scenario)
