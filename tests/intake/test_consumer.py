"""Documents from a real NATS server: accepted as over HTTP, refused with the problem, never in each other's way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import StoreUnavailable
from gateway.messaging.errors import MessagingError
from gateway.messaging.intake_stream import DOCUMENTS
from gateway.store.migrate import migrate
from gateway.store.store import open_store
from gateway.transactions.commands import Create
from gateway.transactions.queries import TransactionFilter, Visible
from tests.intake.nats import Intake, event
from tests.line.rig import Rig, invoice, order
from tests.messaging.conftest import Bench, bench

__all__ = ["bench"]


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
    await intake.consumer.once()
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
        await intake.until_left(1)
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
    assert await _accepted(rig) == [("salesforce", "1"), ("salesforce", "3")]
    assert await _codes(intake) == ["internal-error"]


async def test_a_server_that_is_killed_and_wiped_is_waited_for(intake: Intake, rig: Rig):
    async with intake.running():
        await intake.publish("erp.intake.orders", event("orders", order("1"), "e-1"))
        await intake.until_left(0)
        await intake.bench.kill_server()
        await intake.publish("erp.intake.orders", event("orders", order("2"), "e-2"))
        # what was handed to a connection that died is handed out again after a time
        await intake.until_left(0, limit_s=90.0)
    assert await _accepted(rig) == [("salesforce", "1"), ("salesforce", "2")]


async def test_all_domains_have_a_subject_and_others_have_none(intake: Intake):
    assert {one.split(".")[2] for one in DOCUMENTS} == set(intake.rig.parts.rules.rulebook.tables)
    with pytest.raises(MessagingError):
        await intake.publish("erp.intake.hats", b"{}")
