"""A new customer is taken back with its order: if nobody else has it, once, and never unseen."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.port import Cancellation
from gateway.domain.identity import external_reference
from gateway.domain.transaction import Status
from tests.line.acts import close, lay
from tests.line.asking import refused
from tests.line.dead_ends import both, exceptions
from tests.line.documents import TO_CLOUD, customer
from tests.line.newcomers import bring, command, customer_record, held_by, order_of_new, statuses
from tests.line.rig import Rig, order


async def test_a_refused_order_takes_its_customer_back_by_a_call_of_its_own(rig: Rig) -> None:
    rig.cloud.script = ["post", "reject"]
    made = (await bring(rig)).transaction
    new = await customer_record(rig)
    assert (new.status, made.status) == (Status.COMPENSATED, Status.REJECTED)
    assert (held_by(rig, "customers"), held_by(rig, "orders")) == ([False], [])
    undo = rig.cloud.seen[-1]
    assert isinstance(undo, Cancellation)
    assert undo.external_reference == external_reference(new.transaction_id, 1, "undo")
    assert await rig.kinds(new.transaction_id) == (
        "accepted routed dispatched posted linked compensating dispatched posted compensated unlinked".split()
    )
    entries = [json.loads(one.body) for one in await rig.entries(new.transaction_id)]
    assert entries[5]["madeForTransactionId"] == made.transaction_id
    assert [one["direction"] for one in entries[6:8]] == ["undo", "undo"]
    assert made.transaction_id in json.loads(new.problem)["detail"]
    assert await rig.store.write(lambda unit: unit.numbers_in([new.document_id], "cloud-main")) == {}
    # the order is what people look at
    assert [one.transaction_id for one in await exceptions(rig, state="open")] == [made.transaction_id]


async def test_a_corrected_order_goes_with_its_customer_made_again(rig: Rig) -> None:
    rig.cloud.script = ["post", "reject"]
    made = (await bring(rig)).transaction
    first = await customer_record(rig)
    again = (await bring(rig, order_of_new(quoteReference="Q-1"), replaces=made.transaction_id)).transaction
    assert await statuses(rig, again.transaction_id) == (Status.POSTED, Status.POSTED)
    second = await customer_record(rig)
    assert (second.replaces, second.document_id) == (first.transaction_id, first.document_id)
    assert held_by(rig, "customers") == [False, True]
    assert await exceptions(rig, state="open") == []


async def test_a_person_who_has_the_order_sent_again_sends_its_customer_again(rig: Rig) -> None:
    rig.cloud.script = ["post", "reject"]
    await bring(rig)
    await both(rig, "retry")
    await rig.settle()
    key = await rig.store.write(lambda unit: unit.natural_key("salesforce", "orders", "20001"))
    assert await statuses(rig, key.transaction_id) == (Status.POSTED, Status.POSTED)
    assert held_by(rig, "customers") == [False, True]


async def test_a_customer_that_another_order_has_stays_until_that_one_ends_too(rig: Rig) -> None:
    rig.cloud.script = ["post", "reject", "busy"]
    first = await rig.line.submit(command(order_of_new("20001"), wait_s=0.0))
    second = await rig.send(order("20002", **TO_CLOUD) | {"customer": {"externalId": "NEW"}})
    await rig.settle()
    orders = [one.transaction.transaction_id for one in (first, second)]
    # whichever of the two went first
    assert {(await rig.record(one)).status for one in orders} == {Status.REJECTED, Status.DISPATCHED}
    assert (await customer_record(rig)).status is Status.POSTED
    rig.cloud.script = ["reject"]
    await rig.until(10)
    assert {await statuses(rig, one) for one in orders} == {(Status.COMPENSATED, Status.REJECTED)}


async def test_a_customer_that_a_posted_order_has_stays(rig: Rig) -> None:
    rig.cloud.script = ["post", "post", "reject"]
    await bring(rig)
    second = (await bring(rig, order_of_new("20002"))).transaction
    assert await statuses(rig, second.transaction_id) == (Status.POSTED, Status.REJECTED)


@pytest.mark.parametrize("asked", ["submitted", "changed"])
async def test_a_customer_that_somebody_asked_for_by_itself_stays(rig: Rig, asked: str) -> None:
    rig.cloud.script = ["post", "busy"]
    made = (await bring(rig)).transaction
    new = await customer_record(rig)
    if asked == "submitted":
        assert (await rig.send(customer(), "customers")).replayed
    else:
        await rig.change(new.document_id, {"name": "Other"}, "customers")
    rig.cloud.script = ["reject"]
    await rig.until(10)
    assert await statuses(rig, made.transaction_id) == (Status.POSTED, Status.REJECTED)


async def test_an_order_that_is_called_off_takes_its_unsent_customer_with_it(rig: Rig) -> None:
    await lay(rig, "hold", "customers")
    made = (await bring(rig)).transaction
    assert await statuses(rig, made.transaction_id) == (Status.HELD, Status.WAITING)
    await rig.cancel(made.document_id)
    assert await statuses(rig, made.transaction_id) == (Status.CANCELLED, Status.CANCELLED)
    assert rig.cloud.calls == 0


@pytest.mark.parametrize("way", ["lost_answer", "late"])
async def test_a_customer_on_its_way_when_the_order_ends_is_taken_back_once_it_stands(rig: Rig, way: str) -> None:
    rig.cloud.script = [way]
    made = (await bring(rig)).transaction
    await rig.cancel(made.document_id)
    assert (await rig.record(made.transaction_id)).status is Status.CANCELLED
    for _ in range(8):
        await rig.until(60)
        rig.cloud.post_what_was_late()
    assert (await customer_record(rig)).status is Status.COMPENSATED
    assert held_by(rig, "customers") == [False]


async def test_an_order_that_may_not_go_any_more_takes_its_customer_back(rig: Rig) -> None:
    rig.cloud.script = ["lost_answer"]
    made = (await bring(rig)).transaction
    await close(rig, "1996-07", "NW01")
    for _ in range(4):
        await rig.until(60)
    assert await statuses(rig, made.transaction_id) == (Status.COMPENSATED, Status.REJECTED)


@pytest.mark.parametrize("way", ["lost_answer", "lost_call", "late", "busy", "crash"])
async def test_the_undo_goes_by_the_outcome_protocol(rig: Rig, way: str) -> None:
    rig.cloud.script = ["post", "reject", way]
    made = (await bring(rig)).transaction
    assert (await customer_record(rig)).status is Status.COMPENSATING
    # what refers to it meanwhile waits, and what brings it again is asked to come later
    problem = await refused(bring(rig, order_of_new(quoteReference="Q-1"), replaces=made.transaction_id))
    assert (problem.slug, problem.retry_after_s) == ("document-busy", 5)
    other = await rig.send(order("20002", **TO_CLOUD) | {"customer": {"externalId": "NEW"}})
    assert other.transaction.status is Status.WAITING
    for _ in range(6):
        await rig.until(60)
        rig.cloud.post_what_was_late()
    assert (await customer_record(rig)).status is Status.COMPENSATED
    assert (await rig.record(other.transaction.transaction_id)).status is Status.REJECTED
    assert (held_by(rig, "customers"), held_by(rig, "orders")) == ([False], [])


async def test_a_refused_undo_stands_before_a_person_and_may_be_tried_again(rig: Rig) -> None:
    rig.cloud.script = ["post", "reject", "reject"]
    made = (await bring(rig)).transaction
    assert await statuses(rig, made.transaction_id) == (Status.IN_DOUBT, Status.REJECTED)
    [refused_undo] = await exceptions(rig, state="open", reason_code="undo-refused")
    assert (refused_undo.domain, refused_undo.system_id) == ("customers", "cloud-main")
    await both(rig, "retry", of=refused_undo)
    await rig.settle()
    assert (await customer_record(rig)).status is Status.COMPENSATED
    assert held_by(rig, "customers") == [False]


async def test_a_system_that_can_take_back_no_customer_says_so_to_a_person(rig: Rig) -> None:
    rig.cloud.takes_back = False
    rig.cloud.script = ["post", "reject"]
    made = (await bring(rig)).transaction
    assert await statuses(rig, made.transaction_id) == (Status.IN_DOUBT, Status.REJECTED)
    [refused_undo] = await exceptions(rig, state="open", reason_code="undo-refused")
    assert rig.cloud.calls == 2
    await both(rig, "retry", of=refused_undo)
    await rig.settle()
    assert (await customer_record(rig)).status is Status.IN_DOUBT
    # somebody wants the customer by itself: it stands again
    kept = await rig.send(customer(), "customers")
    assert kept.transaction.status is Status.POSTED
    assert [one.transaction_id for one in await exceptions(rig, state="open")] == [made.transaction_id]
    assert (await bring(rig, order_of_new("20002"))).transaction.status is Status.POSTED


async def test_a_process_that_died_while_it_took_a_customer_back_is_taken_over(rig: Rig) -> None:
    rig.cloud.script = ["post", "reject", "lost_answer"]
    await bring(rig)
    other = await rig.another_process("prc_9")
    rig.liveness.ended.add("prc_1")
    for _ in range(5):
        await other.until(120)
    assert (await customer_record(other)).status is Status.COMPENSATED
    assert held_by(rig, "customers") == [False]


WAYS = st.sampled_from(["post", "lost_answer", "lost_call", "late", "reject", "busy", "twice", "other"])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(ways=st.lists(WAYS, max_size=8), called_off=st.booleans())
def test_in_the_end_both_stand_or_neither_or_a_person_looks(
    run_rig: Callable[[Callable[[Rig], Awaitable[None]]], None], ways: list[str], called_off: bool
) -> None:
    async def scenario(rig: Rig) -> None:
        rig.cloud.script = list(ways)
        made = (await bring(rig)).transaction
        if called_off and made.status is Status.WAITING:
            await rig.cancel(made.document_id)
        for _ in range(40):
            # no ERP executes later than 100 s after its sender ended
            await rig.until(45)
            rig.cloud.post_what_was_late()
        new, of_order = await statuses(rig, made.transaction_id)
        if Status.IN_DOUBT in {new, of_order}:
            return
        assert new in {Status.POSTED, Status.REJECTED, Status.COMPENSATED}
        assert (of_order is Status.POSTED) == (new is Status.POSTED)
        assert (any(held_by(rig, "orders")), any(held_by(rig, "customers"))) == (of_order is Status.POSTED,) * 2

    run_rig(scenario)
