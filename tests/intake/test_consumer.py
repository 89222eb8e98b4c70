"""Documents from a real NATS server: accepted as over HTTP, refused with the problem, never in each other's way."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.api.limits import Limits
from gateway.errors import Problem, StoreUnavailable
from gateway.intake import consumer as consumer_module
from gateway.intake.accepting import accept_each
from gateway.intake.cloud_event import EventReader
from gateway.intake.consumer import IntakeConsumer
from gateway.intake.putting_off import DEFECTS, Patience
from gateway.messaging.errors import MessagingError, NatsUnavailable
from gateway.messaging.intake_stream import DOCUMENTS, TAKE_AGAIN_S, Backlog, IntakeMessage
from gateway.store.migrate import migrate
from gateway.store.store import open_store
from gateway.transactions.commands import Create
from gateway.transactions.queries import TransactionFilter, Visible
from tests.intake.nats import SENDERS, Intake, event
from tests.line.rig import Rig, invoice, order
from tests.messaging.conftest import Bench, bench

__all__ = ["bench"]

LONG_S = 2 * TAKE_AGAIN_S
"""Longer than a killed process keeps a message from the others, and all that waits takes to come again."""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    await migrate(url)
    store = await open_store(url)
    yield await Rig.on(store)
    await store.close()


@pytest.fixture
async def intake(bench: Bench, rig: Rig) -> Intake:
    return await Intake.on(bench, rig)


async def _accepted(rig: Rig) -> list[tuple[str, str | None]]:
    found = await rig.store.reads.transactions(TransactionFilter(), Visible(), 1_000, None)
    return sorted((one.source, one.external_id) for one in found)


async def _codes(intake: Intake) -> list[str]:
    return [one["problem"]["code"] for one in await intake.refused()]


async def test_a_document_is_accepted_and_acknowledged(intake: Intake, rig: Rig):
    await intake.publish("erp.intake.orders", event("orders", order("1"), "e-1"))
    assert await intake.consumer.once() == 1
    assert await _accepted(rig) == [("salesforce", "1")]
    await intake.until_left(0)
    assert await intake.refused() == []
    await rig.settle()
    assert len(rig.legacy.book) == 1


async def test_the_subject_says_who_sends(intake: Intake, rig: Rig):
    """Never the message; and a data scope holds as it does over HTTP."""
    lie = event("orders", order("1"), "e-1", source="/systems/salesforce")
    foreign = {"customer": {"externalId": "VINET", "source": "salesforce"}}
    document = order("1", **foreign)
    document["lines"][0]["product"] = {"externalId": "11", "source": "salesforce"}
    await intake.publish("erp.intake.orders.billing", event("orders", document, "e-1"))
    await intake.publish("erp.intake.orders.western", lie)
    await intake.publish("erp.intake.orders.stranger", lie)
    await intake.take_in(3)
    assert await _accepted(rig) == [("billing", "1")]
    assert await _codes(intake) == ["out-of-scope", "unauthenticated"]
    await intake.until_left(0)


async def test_what_is_no_document_never_blocks(intake: Intake, rig: Rig):
    bad: list[tuple[bytes, str]] = [
        (b"", "invalid-request"),
        (b"\xff\xfe", "invalid-request"),
        (b"[" * 50_000, "invalid-request"),
        (b"x" * 200_000, "too-large"),
        (event("orders", order("1"), "e", specversion="0.3"), "invalid-request"),
        (event("orders", order("1"), ""), "invalid-request"),
        (event("orders", order("1"), "e", type="erp.invoices.create.v1"), "invalid-request"),
        (event("orders", order("1"), "e", datacontenttype="text/xml"), "invalid-request"),
        (event("orders", ["a"], "e"), "invalid-request"),
        (event("orders", order("1") | {"currencyCode": "x"}, "e"), "invalid-document"),
        (event("orders", order("1"), "\ud800"), "invalid-request"),
        (event("orders", order("1"), "e", datacontenttype="\ud800"), "invalid-request"),
        (event("orders", order("1"), "e", data_base64="e30="), "invalid-request"),
        (json.dumps(order("1")).encode(), "invalid-request"),
    ]
    for body, _ in bad:
        await intake.publish("erp.intake.orders", body)
    await intake.publish("erp.intake.orders", event("orders", order("2"), "e-2"))
    async with intake.running():
        await intake.until_left(0)
    assert await _codes(intake) == [code for _, code in bad]
    assert (await intake.refused())[5]["eventId"] == ""
    assert await _accepted(rig) == [("salesforce", "2")]


async def test_the_same_again_does_nothing_twice(intake: Intake, rig: Rig):
    """Redelivered, sent again under another id, and the id of something else."""
    for body in (
        event("orders", order("1"), "e-1"),
        event("orders", order("1"), "e-1"),
        event("orders", order("1"), "e-2"),
        event("orders", order("9"), "e-1"),
        event("orders", order("1", postingDate="1996-07-05"), "e-3"),
    ):
        await intake.publish("erp.intake.orders", body)
        await intake.consumer.once()
    assert await _accepted(rig) == [("salesforce", "1")]
    assert await _codes(intake) == ["idempotency-key-reused", "natural-key-conflict"]
    assert intake.counted == {"accepted": 1, "known": 2, "refused": 2}


async def test_an_acknowledgement_that_is_lost(intake: Intake, rig: Rig, monkeypatch: pytest.MonkeyPatch):
    """The commit is made, the process ends: another one gets the message again."""

    async def cut(_messages: Any) -> None:
        raise MessagingError("cut")

    await intake.publish("erp.intake.orders", event("orders", order("1"), "e-1"))
    with monkeypatch.context() as broken:
        broken.setattr(intake.stream, "done", cut)
        with pytest.raises(MessagingError):
            await intake.consumer.once()
    assert await intake.left() == 1
    async with intake.asking.exchange() as exchange:
        await exchange.request("$JS.API.CONSUMER.DELETE.ERP_INTAKE.gateway")  # all is delivered again, and at once
    other = await Intake.on(intake.bench, rig)
    assert await other.consumer.once() == 1
    await other.until_left(0)
    assert await _accepted(rig) == [("salesforce", "1")]


async def test_a_child_waits_for_its_parent(intake: Intake, rig: Rig):
    await intake.publish("erp.intake.invoices.billing", event("invoices", invoice("INV-1", "1"), "e-1"))
    async with intake.running():
        await intake.until(lambda: intake.counted["put_off"] >= 1)
        await intake.publish("erp.intake.orders", event("orders", order("1"), "e-2"))
        await intake.until_left(0)
    assert await _accepted(rig) == [("billing", "INV-1"), ("salesforce", "1")]
    assert await intake.refused() == []
    assert intake.counted["put_off"] >= 1
    assert intake.counted["redelivered"] == intake.counted["put_off"]
    assert intake.counted["accepted"] == 2


async def test_a_parent_that_never_comes(bench: Bench, rig: Rig):
    intake = await Intake.on(bench, rig, deadline_s=-1e12)
    await intake.publish("erp.intake.invoices.billing", event("invoices", invoice("INV-1", "1"), "e-1"))
    await intake.consumer.once()
    await intake.until_left(0)
    assert await _codes(intake) == ["unknown-reference"]


async def test_a_database_that_is_away_refuses_nothing(intake: Intake, rig: Rig, monkeypatch: pytest.MonkeyPatch):
    async def away(_commands: Any) -> Any:
        raise StoreUnavailable("away")

    await intake.publish("erp.intake.orders", event("orders", order("1"), "e-1"))
    with monkeypatch.context() as broken:
        broken.setattr(rig.line, "accept_many", away)
        assert await intake.consumer.once() == 1
    async with intake.running():
        await intake.until_left(0)
    assert (await _accepted(rig), await intake.refused()) == ([("salesforce", "1")], [])


async def test_one_that_makes_the_gateway_fail_is_refused_in_the_end(
    intake: Intake, rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    whole = rig.line.accept_many

    async def breaking(commands: list[Create]) -> Any:
        if any(one.document.external_id == "2" for one in commands):
            raise RuntimeError("a defect")
        return await whole(commands)

    monkeypatch.setattr(rig.line, "accept_many", breaking)
    for name in ("1", "2", "3"):
        await intake.publish("erp.intake.orders", event("orders", order(name), f"e-{name}"))
    async with intake.running():
        await intake.until_left(0)
        await intake.until(lambda: not intake.consumer._putting_off._failed)
    assert await _accepted(rig) == [("salesforce", "1"), ("salesforce", "3")]
    assert await _codes(intake) == ["internal-error"]


async def test_one_that_waited_is_not_refused_for_one_failure(
    intake: Intake, rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    """Deliveries for a parent that was not there are no tries."""
    whole, failures = rig.line.accept_many, [RuntimeError("a defect")]

    async def breaking(commands: list[Create]) -> Any:
        if failures:
            raise failures.pop()
        return await whole(commands)

    await intake.publish("erp.intake.invoices.billing", event("invoices", invoice("INV-1", "1"), "e-1"))
    async with intake.running():
        await intake.until(lambda: intake.counts.codes["unknown-reference"] >= DEFECTS)
        monkeypatch.setattr(rig.line, "accept_many", breaking)
        await intake.until(lambda: not failures)
        await intake.publish("erp.intake.orders", event("orders", order("1"), "e-2"))
        await intake.until_left(0)
        await intake.until(lambda: not intake.consumer._putting_off._failed)
    assert intake.counts.codes["internal-error"] == 1
    assert await _accepted(rig) == [("billing", "INV-1"), ("salesforce", "1")]
    assert await _codes(intake) == []


@pytest.mark.parametrize("traceparent", ["\ud800", "00-\udfff"])
async def test_a_trace_that_no_encoding_takes_is_as_good_as_none(intake: Intake, rig: Rig, traceparent: str):
    await intake.publish("erp.intake.orders", event("orders", order("1"), "e-1", traceparent=traceparent))
    assert await intake.consumer.once() == 1
    assert await _accepted(rig) == [("salesforce", "1")]


@pytest.mark.parametrize(
    ("subject", "headers", "code"),
    [
        (b"erp.intake.orders.\xff\xfe", b"", "unauthenticated"),
        (b"erp.intake.orders", b"NATS/1.0 \xff\xfe\xfd\r\nName: x\r\n\r\n", "invalid-request"),
        (b"erp.intake.orders", b"NATS/1.0\r\nName: \xff\r\n\r\n", "invalid-request"),
        (b"erp.intake.orders", b"NATS/1.0 404\r\nName: x\r\n\r\n", "invalid-request"),
        (b"erp.intake.orders", b"NATS/1.0\r\nStatus: 409\r\n\r\n", "invalid-request"),
    ],
)
async def test_a_message_that_no_client_would_send(intake: Intake, rig: Rig, subject: bytes, headers: bytes, code: str):
    """Its subject or headers end the reading of NATS's library, or look like the server's own word."""
    sizes = b"%d %d" % (len(headers), len(headers) + 2)
    head = b"HPUB %s %s\r\n" % (subject, sizes) if headers else b"PUB %s 2\r\n" % subject
    async with intake.asking.exchange() as exchange:
        await exchange._client._send_command(head + headers + b"{}\r\n")
        await exchange.flush()
    await intake.publish("erp.intake.orders", event("orders", order("1"), "e-1"))
    async with intake.running():
        await intake.until_left(0)
    assert await _accepted(rig) == [("salesforce", "1")]
    assert await _codes(intake) == [code]


async def test_one_that_nobody_expected_fails_alone(intake: Intake, rig: Rig, monkeypatch: pytest.MonkeyPatch):
    """Also where it is read, and where its refusal is told."""
    whole = EventReader.read

    def breaking(reader: EventReader, subject: str, raw: bytes, served: Any) -> Create:
        if b'"e-2"' in raw:
            raise RuntimeError("a defect")
        if b'"e-3"' in raw:
            raise Problem("no-slug-of-ours", "a defect")
        return whole(reader, subject, raw, served)

    monkeypatch.setattr(EventReader, "read", breaking)
    for name in ("1", "2", "3", "4"):
        await intake.publish("erp.intake.orders", event("orders", order(name), f"e-{name}"))
    async with intake.running():
        await intake.until_left(0)
    assert await _accepted(rig) == [("salesforce", "1"), ("salesforce", "4")]
    assert await _codes(intake) == ["internal-error", "internal-error"]
    assert intake.counts.codes == {"internal-error": 8}


async def test_where_nothing_is_to_be_accepted_nobody_is_asked(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    async def breaking(_commands: list[Create]) -> Any:
        raise RuntimeError("a defect")

    monkeypatch.setattr(rig.line, "accept_many", breaking)
    assert await accept_each(rig.line, []) == []


async def test_a_stream_that_takes_no_refusals_holds_up_only_what_is_refused(
    intake: Intake, rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    async def full(_event_id: str, _body: bytes) -> None:
        raise NatsUnavailable("the stream is full")

    monkeypatch.setattr(intake.stream, "refuse", full)
    bodies = (b"", event("orders", order("1"), "e-1"), event("invoices", invoice("INV-9", "9"), "e-2"))
    for body, domain in zip(bodies, ("orders", "orders", "invoices.billing"), strict=True):
        await intake.publish(f"erp.intake.{domain}", body)
    take = intake.stream.take
    together: list[IntakeMessage] = []
    async with asyncio.timeout(60):
        while len(together) < len(bodies):  # the server may deliver them one by one
            together += await take(len(bodies), 4.0)

    async def at_once(_most: int, _wait_s: float) -> list[IntakeMessage]:
        return together

    monkeypatch.setattr(intake.stream, "take", at_once)
    with pytest.raises(MessagingError):
        await intake.consumer.once()
    await intake.until_left(2)
    assert intake.counts.codes == {"unknown-reference": 1}


async def test_a_refusal_that_cannot_be_told_says_so(intake: Intake, monkeypatch: pytest.MonkeyPatch):
    whole = consumer_module.told

    def breaking(problem: Problem, *where: str) -> Any:
        if problem.slug == "invalid-request":
            raise TypeError("a defect")
        return whole(problem, *where)

    monkeypatch.setattr(consumer_module, "told", breaking)
    await intake.publish("erp.intake.orders", b"")
    await intake.consumer.once()
    assert await _codes(intake) == ["internal-error"]
    await intake.until_left(0)


async def test_the_consumer_ends_only_when_it_is_asked_to(intake: Intake, rig: Rig, monkeypatch: pytest.MonkeyPatch):
    calls = 0
    whole = intake.stream.take

    async def breaking(most: int, wait_s: float) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("a defect")
        return await whole(most, wait_s)

    monkeypatch.setattr(consumer_module, "FAILED_S", 0.1)
    monkeypatch.setattr(intake.stream, "take", breaking)
    await intake.publish("erp.intake.orders", event("orders", order("1"), "e-1"))
    with capture_logs() as logs:
        async with intake.running():
            await intake.until_left(0)
    assert await _accepted(rig) == [("salesforce", "1")]
    assert [one["log_level"] for one in logs if one["event"] == "intake_failed"] == ["error"]


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_any_number_that_wait_do_not_keep_out_what_they_wait_for(intake: Intake, rig: Rig):
    """More than a consumer once held at a time, and their order behind them."""
    count = 5_000
    for number in range(count):
        document = event("invoices", invoice(f"INV-{number}", "1"), f"i-{number}")
        async with intake.asking.exchange() as exchange:
            await exchange.publish("erp.intake.invoices.billing", document)
    async with intake.running():
        # all at a time, and not only one after the other
        await intake.until(lambda: (0, count) in intake.counts.backlogs, limit_s=100.0)
        await intake.publish("erp.intake.orders", event("orders", order("1"), "o-1"))
        await intake.until(lambda: intake.counted.get("accepted", 0) == count + 1, limit_s=100.0)
        await intake.until_left(0)  # what is accepted is acknowledged after it
    assert await intake.refused() == []


async def test_after_hours_without_a_gateway_what_lies_behind_comes_first(
    bench: Bench, rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    """The deadline of the invoice is long over when it is first looked at, and its order lies right behind it."""
    monkeypatch.setattr(consumer_module, "AT_ONCE", 1)
    intake = await Intake.on(bench, rig, deadline_s=3_600.0)
    await intake.publish("erp.intake.invoices.billing", event("invoices", invoice("INV-1", "1"), "e-1"))
    await intake.publish("erp.intake.invoices.billing", event("invoices", invoice("INV-2", "2"), "e-2"))
    await intake.publish("erp.intake.orders", event("orders", order("1"), "e-3"))
    rig.clock.micros = time.time_ns() // 1_000 + 2 * 3_600 * 1_000_000
    async with intake.running():
        await intake.until(lambda: intake.counted.get("accepted", 0) == 2)
        await _until_looked(intake)
        for _ in range(2):
            rig.clock.forward(LONG_S)
            await _until_looked(intake)
        await intake.until_left(0)
    assert await _accepted(rig) == [("billing", "INV-1"), ("salesforce", "1")]
    assert await _codes(intake) == ["unknown-reference"]


async def test_a_child_waits_for_a_parent_that_a_killed_process_held(bench: Bench, rig: Rig):
    """Its deadline is over before another process gets the parent."""
    killed = await Intake.on(bench, rig)
    await killed.publish("erp.intake.orders", event("orders", order("1"), "e-2"))
    assert len(await killed.stream.take(1, 20.0)) == 1  # and nothing more is heard of it
    intake = await Intake.on(bench, rig, deadline_s=3_600.0)
    await intake.publish("erp.intake.invoices.billing", event("invoices", invoice("INV-1", "1"), "e-1"))
    rig.clock.micros = time.time_ns() // 1_000
    async with intake.running():
        await _until_looked(intake)
        rig.clock.forward(2 * 3_600.0)
        for _ in range(3):
            await _until_looked(intake)
        assert await intake.refused() == []
        assert intake.counted.get("accepted", 0) == 0, "the parent came again too soon for this test"
        await intake.server_takes_again_after(1.0)
        await intake.until_left(0)
    assert await _accepted(rig) == [("billing", "INV-1"), ("salesforce", "1")]
    assert await intake.refused() == []


async def _until_looked(intake: Intake) -> None:
    """Until the consumer took and dealt with something three times, so that one whole time lies within."""
    seen = intake.counts.looks
    await intake.until(lambda: intake.counts.looks >= seen + 3)


class Handed:
    """Messages that a test hands over, and what became of them; nothing else is in the stream."""

    def __init__(self) -> None:
        self.next: list[IntakeMessage] = []
        self.dealt: list[tuple[str, int]] = []

    async def take(self, _most: int, _wait_s: float) -> list[IntakeMessage]:
        taken, self.next = self.next, []
        return taken

    async def backlog(self) -> Backlog:
        return Backlog(0, 2)

    async def done(self, messages: list[IntakeMessage]) -> None:
        self.dealt += [("done", one.stream_sequence) for one in messages]

    async def put_off(self, messages: list[IntakeMessage], _seconds: float) -> None:
        self.dealt += [("put off", one.stream_sequence) for one in messages]

    async def refuse(self, _event_id: str, body: bytes) -> None:
        self.dealt.append((json.loads(body)["data"]["problem"]["code"], 0))


async def test_after_hours_without_a_database_too(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    """All was delivered, and nothing looked at; then the invoice comes again first."""

    async def away(_commands: Any) -> Any:
        raise StoreUnavailable("away")

    handed = Handed()
    reader = EventReader(SENDERS, (), Limits())
    tables = rig.parts.rules.rulebook.tables
    patience = Patience(again_s=0.1, deadline_s=3_600.0)
    consumer = IntakeConsumer(handed, rig.line, reader, lambda: tables, rig.parts.tools, patience)  # type: ignore[arg-type]
    await consumer.once()
    rig.clock.forward(1.0)
    stored_at = rig.clock.now()
    child = IntakeMessage(
        "erp.intake.invoices.billing", event("invoices", invoice("INV-1", "1"), "e-1"), 1, stored_at, 2, ""
    )
    parent = IntakeMessage("erp.intake.orders", event("orders", order("1"), "e-2"), 2, stored_at, 2, "")
    with monkeypatch.context() as broken:
        broken.setattr(rig.line, "accept_many", away)
        for _ in range(2):
            rig.clock.forward(2 * 3_600.0)
            handed.next = [child, parent]
            await consumer.once()
    handed.dealt.clear()
    for one in (child, parent, child):
        handed.next = [one]
        await consumer.once()
    assert handed.dealt == [("put off", 1), ("done", 2), ("done", 1)]


async def test_a_freeze_that_is_lifted_early_is_seen(intake: Intake, rig: Rig, monkeypatch: pytest.MonkeyPatch):
    """Whatever the problem says to callers that wait."""

    async def frozen(commands: list[Create]) -> list[Problem]:
        return [Problem("frozen", "a freeze", retry_after_s=3_600) for _ in commands]

    await intake.publish("erp.intake.orders", event("orders", order("1"), "e-1"))
    with monkeypatch.context() as broken:
        broken.setattr(rig.line, "accept_many", frozen)
        await intake.consumer.once()
    async with intake.running():
        await intake.until_left(0)
    assert await _accepted(rig) == [("salesforce", "1")]


async def test_why_a_message_is_put_off_is_told(intake: Intake, rig: Rig):
    """In numbers each time; in the log at the first, the tenth and the hundredth, without what it holds."""
    await intake.publish("erp.intake.invoices.billing", event("invoices", invoice("INV-1", "1"), "e-1"))
    with capture_logs() as logs:
        async with intake.running():
            await intake.until(lambda: intake.counts.codes["unknown-reference"] >= 12)
    told = [one for one in logs if one["event"] == "intake_put_off"]
    assert [one.pop("delivered") for one in told] == [1, 10]
    assert told[0] == told[1] == {
        "event": "intake_put_off",
        "log_level": "info",
        "subject": "erp.intake.invoices.billing",
        "sequence": 1,
        "code": "unknown-reference",
    }  # fmt: skip
    assert intake.counts.looks >= 12


async def test_while_the_database_is_away_the_stream_is_not_put_off_whole(
    bench: Bench, rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    async def away(_commands: Any) -> Any:
        raise StoreUnavailable("away")

    monkeypatch.setattr(consumer_module, "AT_ONCE", 1)
    monkeypatch.setattr(rig.line, "accept_many", away)
    intake = await Intake.on(bench, rig, again_s=0.5)
    for number in range(50):
        await intake.publish("erp.intake.orders", event("orders", order(str(number)), f"e-{number}"))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with intake.running():
        await intake.until(lambda: intake.counts.codes["not-ready"] >= 3)
        looks, took_s = intake.counts.codes["not-ready"], loop.time() - begun
    # a busy machine makes the pauses longer, and nothing makes them shorter
    assert took_s > (looks - 1) * 0.5 * 0.9
    assert intake.counts.codes.keys() == {"not-ready"}


async def test_a_consumer_of_an_earlier_release_gets_the_new_bound(bench: Bench, rig: Rig):
    intake = await Intake.on(bench, rig)
    async with intake.asking.exchange() as exchange:
        info = await exchange.request("$JS.API.CONSUMER.INFO.ERP_INTAKE.gateway")
        old = {"stream_name": "ERP_INTAKE", "config": info["config"] | {"max_ack_pending": 5_000}}
        await exchange.request("$JS.API.CONSUMER.CREATE.ERP_INTAKE.gateway", json.dumps(old).encode())
    await intake.stream.prepare()
    async with intake.asking.exchange() as exchange:
        info = await exchange.request("$JS.API.CONSUMER.INFO.ERP_INTAKE.gateway")
    assert info["config"]["max_ack_pending"] == -1


@pytest.mark.timeout(400)
async def test_a_server_that_is_killed_and_wiped_is_waited_for(intake: Intake, rig: Rig):
    async with intake.running():
        await intake.publish("erp.intake.orders", event("orders", order("1"), "e-1"))
        await intake.until_left(0)
        await intake.bench.kill_server()
        await intake.publish("erp.intake.orders", event("orders", order("2"), "e-2"))
        # what was handed to a connection that died is handed out again after a time
        await intake.until_left(0, limit_s=200.0)
    assert await _accepted(rig) == [("salesforce", "1"), ("salesforce", "2")]


async def test_all_domains_have_a_subject_and_others_have_none(intake: Intake):
    assert {one.split(".")[2] for one in DOCUMENTS} == set(intake.rig.parts.rules.rulebook.tables)
    with pytest.raises(MessagingError):
        await intake.publish("erp.intake.hats", b"{}")
