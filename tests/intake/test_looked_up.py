"""Keys of many documents are looked up at once: what this commit or another one adds meanwhile counts all the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.canonical import DOMAINS
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.store.postgres_writer import PoolLimits
from gateway.store.store import Store, open_store
from gateway.transactions.commands import Answer, Create
from gateway.transactions.looked_up import LookedUp
from tests.line.documents import TO_CLOUD
from tests.line.newcomers import bring, customer_record
from tests.line.rig import BILLING, SALESFORCE, Rig, invoice, order
from tests.store.postgres import RunningServer


@pytest.fixture
async def rig(store: Store) -> Rig:
    return await Rig.on(store)


@pytest.fixture
async def on_postgres(migrated_postgres_url: str) -> AsyncIterator[Rig]:
    # a unit that meets a deadlock fails at once
    store = await open_store(migrated_postgres_url, pool_limits=PoolLimits(conflict_runs=1))
    yield await Rig.on(store)
    await store.close()


def _create(body: dict[str, Any], domain: str = "orders", **changes: Any) -> Create:
    caller = SALESFORCE if domain == "orders" else BILLING
    return Create(caller, DOMAINS[domain].model_validate_json(json.dumps(body)), **changes)


def _nameless(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in order(**changes).items() if name != "externalId"}


def _told(answers: list[Answer | Problem]) -> list[tuple[str, bool] | str]:
    return [
        one.slug if isinstance(one, Problem) else (one.transaction.external_id or "", one.replayed) for one in answers
    ]


async def test_the_same_natural_key_more_than_once_in_a_commit(rig: Rig) -> None:
    await rig.send(order("before"))
    answers = await rig.line.accept_many(
        [
            _create(order("before")),
            _create(order("1")),
            _create(order("1")),
            _create(order("1", quoteReference="other")),
            _create(order("unknown", customer={"externalId": "NOBODY"})),
            _create(order("unknown")),
        ]
    )
    assert _told(answers) == [
        ("before", True),
        ("1", False),
        ("1", True),
        "natural-key-conflict",
        "unknown-reference",
        ("unknown", False),
    ]


async def test_the_same_idempotency_key_more_than_once_in_a_commit(rig: Rig) -> None:
    answers = await rig.line.accept_many(
        [
            _create(_nameless(), idempotency_key="a"),
            _create(_nameless(), idempotency_key="a"),
            _create(_nameless(quoteReference="other"), idempotency_key="a"),
            _create(order("1"), idempotency_key="b"),
            _create(order("2"), idempotency_key="b"),
        ]
    )
    assert _told(answers) == [("", False), ("", True), "idempotency-key-reused", ("1", False), "idempotency-key-reused"]


async def test_a_key_that_is_bound_anew_is_bound_for_the_next_of_the_commit(rig: Rig) -> None:
    rig.legacy.script = ["reject"]
    refused = (await rig.send(order("1"))).transaction
    await rig.settle()
    assert (await rig.record(refused.transaction_id)).status is Status.REJECTED
    corrected = _create(order("1", quoteReference="corrected"), replaces=refused.transaction_id)
    answers = await rig.line.accept_many([corrected, corrected, _create(order("1"))])
    assert _told(answers) == [("1", False), ("1", True), "natural-key-conflict"]


async def test_a_key_that_another_process_takes_after_the_look_is_met(
    on_postgres: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, other = on_postgres, await on_postgres.another_process("prc_2")
    looked, looks = LookedUp.look_up_keys, 0

    async def overtaken(found: LookedUp, *keys: Any) -> None:
        nonlocal looks
        await looked(found, *keys)
        looks += 1
        if looks == 1:
            await other.send(order("2"))

    monkeypatch.setattr(LookedUp, "look_up_keys", overtaken)
    answers = await rig.line.accept_many([_create(order(name)) for name in ("1", "2", "3")])
    assert _told(answers) == [("1", False), ("2", True), ("3", False)]
    assert looks == 2
    assert len(await rig.statuses()) == 3


def _credit(external_id: str, of_invoice: str, **changes: Any) -> dict[str, Any]:
    named = {"orderReference": None, "invoiceReference": {"externalId": of_invoice}}
    return invoice(external_id, documentType="credit_note", **named, **changes)


async def _sequences(rig: Rig, lineage_id: str) -> list[int]:
    pending = await rig.store.outbox.pending(1_000)
    return [one.sequence for one in pending if one.lineage_id == lineage_id]


async def test_what_follows_posted_documents_goes_where_they_are_and_its_events_are_counted_on(rig: Rig) -> None:
    roots = [(await rig.send(order(name))).transaction for name in ("1", "2")]
    await rig.settle()
    before = [await _sequences(rig, one.lineage_id) for one in roots]
    answers = await rig.line.accept_many(
        [
            _create(invoice("a", "1"), "invoices"),
            _create(order("3")),
            _create(invoice("b", "2"), "invoices"),
            _create(invoice("c", "1"), "invoices"),
            _create(invoice("d", "3"), "invoices"),
        ]
    )
    assert all(isinstance(one, Answer) for one in answers)
    assert [await _sequences(rig, one.lineage_id) for one in roots] == [
        [*range(1, len(before[0]) + 3)],
        [*range(1, len(before[1]) + 2)],
    ]
    made = [one.transaction for one in answers if isinstance(one, Answer)]
    assert [one.status for one in made] == [Status.ACCEPTED] * 4 + [Status.WAITING]
    lineage_ids = [one.lineage_id for one in made]
    assert lineage_ids == [
        roots[0].lineage_id,
        made[1].lineage_id,
        roots[1].lineage_id,
        roots[0].lineage_id,
        made[1].lineage_id,
    ]
    assert await rig.line.work() == 4
    await rig.settle()
    ended = [await rig.record(one.transaction_id) for one in made if one.external_id in {"a", "b", "c"}]
    assert {(one.status, one.pinned, one.system_id) for one in ended} == {(Status.POSTED, True, "legacy-main")}
    for one in roots:
        sequences = await _sequences(rig, one.lineage_id)
        assert sequences == [*range(1, len(sequences) + 1)]


async def test_credit_notes_of_one_invoice_are_judged_one_after_the_other(rig: Rig) -> None:
    await rig.send(order("1"))
    await rig.send(invoice("a", "1"), "invoices")
    await rig.settle()
    notes = [_create(_credit(name, "a"), "invoices") for name in ("x", "y")]
    assert _told(await rig.line.accept_many([_create(invoice("b", "1"), "invoices"), *notes])) == [
        ("b", False),
        ("x", False),
        "invalid-document",
    ]


async def test_what_is_posted_by_another_process_during_the_look_is_followed_where_it_is(
    on_postgres: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, other = on_postgres, await on_postgres.another_process("prc_2")
    (root,) = await rig.line.accept_many([_create(order("1"))])
    assert isinstance(root, Answer)
    looked = LookedUp.transactions

    async def overtaken(found: LookedUp, *asked: Any) -> Any:
        read = await looked(found, *asked)
        await other.settle()
        return read

    monkeypatch.setattr(LookedUp, "transactions", overtaken)
    (follow_up,) = await rig.line.accept_many([_create(invoice("a", "1"), "invoices")])
    assert (await rig.record(root.transaction.transaction_id)).status is Status.POSTED
    assert isinstance(follow_up, Answer)
    assert follow_up.transaction.status is Status.ACCEPTED
    job = await rig.store.write(lambda unit: unit.job(follow_up.transaction.transaction_id))
    assert job.system_id == "legacy-main"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(_create(_credit("x", "a"), "invoices"), id="credited"),
        pytest.param(_create(invoice("a", "1"), "invoices"), id="repeated"),
    ],
)
async def test_what_another_process_settles_after_the_look_waits_for_the_commit_and_not_the_commit_for_it(
    on_postgres: Rig, postgres_server: RunningServer, monkeypatch: pytest.MonkeyPatch, line: Create
) -> None:
    rig, other = on_postgres, await on_postgres.another_process("prc_2")
    await rig.send(order("1"))
    await rig.settle()
    rig.legacy.script = ["lost_answer"]
    posted = (await rig.send(invoice("a", "1"), "invoices")).transaction
    await rig.settle()
    assert (await rig.record(posted.transaction_id)).status is Status.UNKNOWN
    looked, settling = LookedUp.look_up_documents, asyncio.Event()

    async def settle() -> None:
        await settling.wait()
        other.clock.forward(200.0)
        await other.settle()

    async def met(found: LookedUp, *asked: Any) -> None:
        await looked(found, *asked)
        settling.set()
        async with asyncio.timeout(8.0):
            while not postgres_server.execute("SELECT 1 FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    monkeypatch.setattr(LookedUp, "look_up_documents", met)
    # the second of them joins the lineage, whose events are numbered under a lock
    both = rig.line.accept_many([line, _create(invoice("b", "1"), "invoices")])
    answers, _ = await asyncio.gather(both, settle())
    assert _told(answers) == [("a", True) if line.document.external_id == "a" else ("x", False), ("b", False)]
    assert (await rig.record(posted.transaction_id)).status is Status.POSTED


async def test_what_another_process_routes_during_the_look_waits_for_the_commit_that_repeats_it(
    on_postgres: Rig, postgres_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, other = on_postgres, await on_postgres.another_process("prc_2")
    await rig.send(order("1"))
    await rig.send(invoice("a", "1"), "invoices")
    await rig.settle()
    note = _create(_credit("x", "a"), "invoices")
    await rig.line.accept_many([note])
    held, routing = LookedUp._hold, asyncio.Event()

    async def route() -> None:
        await routing.wait()
        await other.settle()

    async def met(found: LookedUp, *asked: Any) -> None:
        await held(found, *asked)
        routing.set()
        async with asyncio.timeout(8.0):
            while not postgres_server.execute("SELECT 1 FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    monkeypatch.setattr(LookedUp, "_hold", met)
    answers, _ = await asyncio.gather(rig.line.accept_many([_create(_credit("y", "a"), "invoices"), note]), route())
    assert _told(answers) == ["invalid-document", ("x", True)]
    assert set((await rig.statuses()).values()) == {"posted"}


async def test_a_customer_that_is_taken_back_after_the_look_is_waited_for(
    on_postgres: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, other = on_postgres, await on_postgres.another_process("prc_2")
    rig.cloud.script = ["post", "lost_call", "reject"]
    await bring(rig)
    customer = await customer_record(rig)
    assert customer.status is Status.POSTED
    looked = LookedUp.look_up_documents

    async def overtaken(found: LookedUp, *asked: Any) -> None:
        await looked(found, *asked)
        for _ in range(10):
            other.clock.forward(120.0)
            await other.line.work(1)
            assert await other.line.drain(30)
            if (await rig.record(customer.transaction_id)).status is Status.COMPENSATING:
                return
        raise AssertionError("nobody takes the customer back")

    monkeypatch.setattr(LookedUp, "look_up_documents", overtaken)
    of_customer = order("2", **TO_CLOUD) | {"customer": {"externalId": "NEW"}}
    (answer,) = await rig.line.accept_many([_create(of_customer)])
    assert isinstance(answer, Answer)
    assert answer.transaction.status is Status.WAITING


async def test_what_the_commit_alters_is_not_what_was_looked_up(rig: Rig) -> None:
    rig.legacy.script = ["reject"]
    refused = (await rig.send(order("1"))).transaction
    await rig.settle()
    corrected = _create(order("1", quoteReference="corrected"), replaces=refused.transaction_id)
    follow_up = _create(invoice("a", "1"), "invoices")
    assert _told(await rig.line.accept_many([follow_up, corrected, follow_up])) == [
        "parent-rejected",
        ("1", False),
        ("a", False),
    ]
