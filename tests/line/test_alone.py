"""Accepted alone: durable and answered at once, routed and sent by a worker by the rules of that moment."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from adapters.canonical import DOMAINS
from gateway.domain.lanes import IN_BULK, RESPOND_ASYNC, Lane, Queueing
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.transactions.accept_many import CHUNK
from gateway.transactions.commands import Answer, Create
from tests.line.acts import lay, lift
from tests.line.asking import refused
from tests.line.documents import credit_note
from tests.line.rig import BILLING, SALESFORCE, Rig, invoice, order, payment

TO_CLOUD = {"businessUnit": "Western", "geography": "US"}


def _commands(*bodies: tuple[str, dict[str, Any]]) -> list[Create]:
    callers = {"orders": SALESFORCE}
    return [
        Create(callers.get(domain, BILLING), DOMAINS[domain].model_validate_json(json.dumps(body)), queueing=IN_BULK)
        for domain, body in bodies
    ]


async def _status(rig: Rig, answer: Answer | Problem) -> Status:
    assert isinstance(answer, Answer), answer
    return (await rig.record(answer.transaction.transaction_id)).status


async def _job(rig: Rig, answer: Answer) -> Any:
    return await rig.store.write(lambda unit: unit.job(answer.transaction.transaction_id))


async def test_it_is_answered_as_accepted_and_a_worker_does_the_rest(rig: Rig):
    answer = await rig.send(order(), queueing=RESPOND_ASYNC, wait_s=8.0)
    record = answer.transaction
    assert (record.status, record.system_id, answer.replayed) == (Status.ACCEPTED, None, False)
    assert await rig.kinds(record.transaction_id) == ["accepted"]
    assert "jobs" in rig.woken
    job = await _job(rig, answer)
    assert (job.lane, job.system_id, job.lease_owner) == ("standard", "legacy-main", None)
    assert job.enqueued_at == record.accepted_at
    assert rig.legacy.calls == 0
    await rig.settle()
    assert await _status(rig, answer) is Status.POSTED
    assert await rig.kinds(record.transaction_id) == ["accepted", "routed", "pinned", "dispatched", "posted", "linked"]
    assert len(rig.legacy.book) == 1


async def test_the_same_again_is_the_same_transaction_however_it_comes(rig: Rig):
    first = await rig.send(order(), queueing=RESPOND_ASYNC)
    for queueing in (RESPOND_ASYNC, Queueing()):
        again = await rig.send(order(), queueing=queueing)
        assert (again.transaction.transaction_id, again.replayed) == (first.transaction.transaction_id, True)
    await rig.settle()
    assert len(rig.legacy.book) == 1


async def test_what_is_wrong_is_refused_at_once_and_leaves_nothing(rig: Rig):
    problem = await refused(rig.send(invoice("I", "never-seen"), "invoices", queueing=RESPOND_ASYNC))
    assert problem.slug == "unknown-reference"
    await lay(rig, "freeze")
    assert (await refused(rig.send(order(), queueing=RESPOND_ASYNC))).slug == "frozen"
    assert await rig.statuses() == {}


async def test_what_comes_over_it_before_a_worker_takes_it_keeps_it_back(rig: Rig):
    answer = await rig.send(order(), queueing=RESPOND_ASYNC)
    overlay = await lay(rig, "hold")
    await rig.settle()
    assert await _status(rig, answer) is Status.HELD
    assert rig.legacy.calls == 0
    await lift(rig, overlay)
    await rig.settle()
    assert await _status(rig, answer) is Status.POSTED


async def test_it_can_be_called_off_before_a_worker_takes_it(rig: Rig):
    answer = await rig.send(order(), queueing=RESPOND_ASYNC)
    cancelled = await rig.cancel(answer.transaction.document_id)
    assert cancelled.transaction.status is Status.CANCELLED
    await rig.settle()
    assert rig.legacy.calls == 0


async def test_what_is_done_to_a_document_may_be_accepted_alone_too(rig: Rig):
    posted = await rig.send(order(), wait_s=5.0)
    answer = await rig.cancel(posted.transaction.document_id, queueing=RESPOND_ASYNC)
    assert (answer.transaction.operation, answer.transaction.status) == ("cancel", Status.ACCEPTED)
    await rig.settle()
    assert await _status(rig, answer) is Status.POSTED
    assert (await rig.document(posted.transaction.document_id)).state == "cancelled"


async def test_a_child_in_bulk_waits_for_its_interactive_parent_and_goes_where_that_went(rig: Rig):
    rig.cloud.gate = asyncio.Event()
    parent = await rig.send(order("1", **TO_CLOUD))
    child = await rig.send(invoice("I", "1"), "invoices", queueing=IN_BULK)
    assert child.transaction.status is Status.WAITING
    assert (await _job(rig, child)).lane == "bulk"
    assert (await _job(rig, child)).system_id == "cloud-main"
    assert await rig.line.work() == 0
    rig.cloud.gate.set()
    await rig.settle()
    assert [await _status(rig, one) for one in (parent, child)] == [Status.POSTED, Status.POSTED]
    assert len(rig.cloud.book) == 2


async def test_a_child_accepted_alone_that_finds_its_parent_not_posted_comes_to_wait(rig: Rig):
    parent = await rig.send(order("1"), wait_s=5.0)
    child = await rig.send(invoice("I", "1"), "invoices", queueing=RESPOND_ASYNC)
    grandchild = await rig.send(payment("P", ("I",)), "payments", queueing=RESPOND_ASYNC)
    assert [child.transaction.status, grandchild.transaction.status] == [Status.ACCEPTED, Status.WAITING]
    assert child.transaction.lineage_id == grandchild.transaction.lineage_id == parent.transaction.lineage_id
    await rig.settle()
    assert [await _status(rig, one) for one in (child, grandchild)] == [Status.POSTED, Status.POSTED]


async def test_many_are_judged_each_by_itself(rig: Rig):
    bodies = [("orders", order(f"{number}")) for number in range(CHUNK + 20)]
    bodies[3] = ("orders", order("3", customer={"externalId": "NOBODY"}))
    bodies[7] = ("orders", order("6"))
    bodies[8] = ("orders", order("5", **TO_CLOUD))
    answers = await rig.line.accept_many(_commands(*bodies))
    assert len(answers) == len(bodies)
    refused_at = {at: one.slug for at, one in enumerate(answers) if isinstance(one, Problem)}
    assert refused_at == {3: "unknown-reference", 8: "natural-key-conflict"}
    same, first = answers[7], answers[6]
    assert isinstance(same, Answer)
    assert isinstance(first, Answer)
    assert (same.replayed, same.transaction.transaction_id) == (True, first.transaction.transaction_id)
    accepted = {one.transaction.external_id for one in answers if isinstance(one, Answer)}
    assert accepted == {str(number) for number in range(CHUNK + 20)} - {"3", "7", "8"}
    assert len(await rig.statuses()) == len(accepted)
    await rig.settle(rounds=200)
    assert set((await rig.statuses()).values()) == {"posted"}
    assert len(rig.legacy.book) == len(accepted)


async def test_a_document_may_follow_an_earlier_one_of_the_same_list(rig: Rig):
    answers = await rig.line.accept_many(
        _commands(
            ("orders", order("1")),
            ("invoices", invoice("I", "1")),
            ("payments", payment("P", ("I",))),
            ("invoices", invoice("X", "2")),
            ("orders", order("2")),
        )
    )
    statuses = [one.slug if isinstance(one, Problem) else one.transaction.status for one in answers]
    assert statuses == ["accepted", "waiting", "waiting", "unknown-reference", "accepted"]
    lineages = [one.transaction.lineage_id for one in answers[:3] if isinstance(one, Answer)]
    assert len(set(lineages)) == 1
    await rig.settle()
    assert set((await rig.statuses()).values()) == {"posted"}
    # event numbers of a lineage without a hole, whoever took them
    events = await rig.store.outbox.pending(1_000)
    numbers = [one.sequence for one in events if one.lineage_id == lineages[0]]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_the_list_sent_again_changes_nothing(rig: Rig):
    commands = _commands(*(("orders", order(str(number))) for number in range(5)))
    first = await rig.line.accept_many(commands)
    again = await rig.line.accept_many(commands)
    ids = [one.transaction.transaction_id for one in first if isinstance(one, Answer)]
    assert [one.transaction.transaction_id for one in again if isinstance(one, Answer)] == ids
    assert all(one.replayed for one in again if isinstance(one, Answer))
    await rig.settle()
    assert len(rig.legacy.book) == 5


async def test_idempotency_keys_tell_repeats_within_one_list(rig: Rig):
    plain = {key: value for key, value in order("1").items() if key != "externalId"}
    document = DOMAINS["orders"].model_validate_json(json.dumps(plain))
    commands = [Create(SALESFORCE, document, idempotency_key=key) for key in ("a", "b", "a")]
    one, two, again = await rig.line.accept_many([*commands])
    assert isinstance(one, Answer)
    assert isinstance(two, Answer)
    assert isinstance(again, Answer)
    assert again.transaction.transaction_id == one.transaction.transaction_id != two.transaction.transaction_id
    (nameless,) = await rig.line.accept_many([Create(SALESFORCE, document)])
    assert isinstance(nameless, Problem)


async def test_credit_notes_of_one_list_are_added_up(rig: Rig):
    await rig.send(order("1"), wait_s=5.0)
    await rig.send(invoice("I", "1"), "invoices", wait_s=5.0)
    answers = await rig.line.accept_many(
        _commands(*(("invoices", credit_note(f"C{number}", "I", quantity=5)) for number in range(4)))
    )
    kinds = [one.slug if isinstance(one, Problem) else one.transaction.status for one in answers]
    assert kinds == ["accepted", "accepted", "invalid-document", "invalid-document"]


@pytest.mark.parametrize("queueing", [IN_BULK, RESPOND_ASYNC])
async def test_what_is_routed_elsewhere_by_now_takes_a_place_there(rig: Rig, queueing: Queueing):
    """Its job says where it was expected to go; the worker that finds it goes elsewhere takes no place unasked."""
    answer = await rig.send(order(), queueing=queueing)
    job = await _job(rig, answer)

    async def mislead(unit: Any) -> None:
        await unit.update_job(type(job)(**{**_fields(job), "system_id": "cloud-main"}))

    await rig.store.write(mislead)
    assert await rig.line.work() == 1
    assert await rig.line.drain(30)
    assert (await _job(rig, answer)).system_id == "legacy-main"
    assert (await _status(rig, answer), rig.legacy.calls) == (Status.ACCEPTED, 0)
    await rig.settle()
    assert await _status(rig, answer) is Status.POSTED


def _fields(job: Any) -> dict[str, Any]:
    return {name: getattr(job, name) for name in type(job).__slots__}


async def test_a_slow_system_and_a_long_run_leave_the_others_their_places(rig: Rig):
    rig.cloud.gate = asyncio.Event()
    for number in range(40):
        await rig.send(order(f"C{number}", **TO_CLOUD), queueing=IN_BULK)
    for number in range(20):
        await rig.send(order(f"L{number}"), queueing=IN_BULK)
    urgent = await rig.send(order("U"), queueing=Queueing(Lane.STANDARD, alone=True))
    most = rig.parts.limits.lanes[Lane.BULK].concurrent
    async with asyncio.timeout(30):
        # what is booked is under way until its outcome is written
        while len(rig.legacy.book) < 21 or rig.line.jobs_under_way > most:
            await rig.line.work()
            await asyncio.sleep(0.01)
    assert await _status(rig, urgent) is Status.POSTED
    assert rig.line.jobs_under_way == most
    rig.cloud.gate.set()
    await rig.settle(rounds=100)
    assert len(rig.cloud.book) == 40
