"""Status events again, on a real NATS server: the same bytes, below the asker's own subject, within its data scope."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.auth import Client
from gateway.domain.caller import SCOPES, DataScope
from gateway.domain.queries import Published
from gateway.domain.wire import instant
from gateway.messaging import replay as replay_module
from gateway.messaging.nats import Inbox, NatsConnection
from gateway.messaging.replay import Replays
from gateway.store.migrate import migrate
from gateway.store.store import open_store
from tests.api.conftest import World, in_this_loop
from tests.line.rig import Rig, order
from tests.messaging.conftest import Bench, bench

__all__ = ["bench"]
SUBJECT = "erp.replay.salesforce.again"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    await migrate(url)
    store = await open_store(url)
    yield await Rig.on(store)
    await store.close()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def http(world: World, rig: Rig, bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    parts = replace(
        world.parts(),
        reads=rig.store.reads,
        rulebook=lambda: rig.parts.rules.rulebook,
        replays=Replays(rig.store, rig.store.outbox, bench.connection(), rig.parts.tools),
    )
    async with in_this_loop(parts) as client:
        yield client


class Listener:
    """Hears what comes on the subject."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    @classmethod
    async def on(cls, connection: NatsConnection, subject: str = SUBJECT) -> Listener:
        async with connection.exchange() as exchange:
            inbox = await exchange.inbox(subject)
            await exchange.flush()
        return cls(inbox)

    async def heard(self, count: int) -> list[bytes]:
        found = []
        for _ in range(count):
            delivery = await self._inbox.next(5.0)
            assert delivery is not None
            found.append(delivery.body)
        assert self._inbox.waiting == 0
        return found


async def _ask(http: httpx.AsyncClient, world: World, data: DataScope | None = None, **asked: Any) -> httpx.Response:
    client = Client("salesforce", "salesforce", frozenset(SCOPES), data or DataScope(None, None))
    headers = {"Authorization": f"Bearer {world.issuer.mint(client)}"}
    return await http.post("/v1/events/replays", json={"natsSubject": SUBJECT, **asked}, headers=headers)


async def test_by_lineage_and_by_time(http: httpx.AsyncClient, world: World, rig: Rig, bench: Bench):
    first = await rig.send(order("1"))
    await rig.settle()
    between = rig.clock.now()
    rig.clock.forward(3_600)
    second = await rig.send(order("2"))
    await rig.settle()
    written = await rig.store.outbox.pending(100)
    ears = await Listener.on(bench.connection())
    lineage_id = first.transaction.lineage_id
    of_first = [one.body for one in written if one.lineage_id == lineage_id]
    answer = await _ask(http, world, lineageId=lineage_id)
    assert (answer.status_code, answer.json()["events"]) == (200, len(of_first)), answer.text
    assert await ears.heard(len(of_first)) == of_first
    when = (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=between)).isoformat()
    later = [one.body for one in written if one.created_at >= between]
    assert len(later) == len([one for one in written if one.lineage_id == second.transaction.lineage_id])
    assert (await _ask(http, world, occurredFrom=when)).json()["events"] == len(later)
    assert await ears.heard(len(later)) == later
    assert (await _ask(http, world, occurredFrom="2001-01-01T00:00:00Z", occurredUntil=when)).json()["events"] > 0


async def test_what_reaches_back_beyond_what_is_kept_is_told_so(http: httpx.AsyncClient, world: World, rig: Rig):
    lineage_id = (await rig.send(order("1"))).transaction.lineage_id
    await rig.settle()
    first = await rig.store.outbox.pending(100)
    week = 7 * 86_400_000_000
    began = instant(rig.clock.now())
    assert (await _ask(http, world, lineageId=lineage_id)).json()["complete"]
    assert (await _ask(http, world, occurredFrom=began)).json()["complete"]
    asked_at = rig.clock.now() + 8 * 86_400_000_000
    rig.clock.forward(8 * 86_400)
    assert not (await _ask(http, world, occurredFrom=began)).json()["complete"]
    assert (await _ask(http, world, lineageId=lineage_id)).json()["complete"], "its first event is there"
    await rig.store.outbox.mark_published([Published(one.event_id, at) for at, one in enumerate(first, 1)], 1)
    await rig.store.outbox.forget_published_before(2)
    gone = (await _ask(http, world, lineageId=lineage_id)).json()
    assert (gone["events"], gone["complete"]) == (0, False)
    assert instant(asked_at - week)[:19] == gone["keptFrom"][:19]
    lately = instant(rig.clock.now() - week + 1_000_000)
    assert (await _ask(http, world, occurredFrom=lately)).json()["complete"]


async def test_it_is_recorded(http: httpx.AsyncClient, world: World, rig: Rig):
    sent = await rig.send(order("1"))
    answer = (await _ask(http, world, lineageId=sent.transaction.lineage_id)).json()
    (entry,) = await rig.store.reads.entries(answer["replayId"])
    body = json.loads(entry.body)
    assert (entry.kind, body["events"], body["actor"]) == ("replayed", answer["events"], "salesforce")
    assert SUBJECT not in entry.body.decode()


async def test_only_what_the_caller_may_see(http: httpx.AsyncClient, world: World, rig: Rig):
    lineage_id = (await rig.send(order("1"))).transaction.lineage_id
    whole = (await _ask(http, world, lineageId=lineage_id)).json()["events"]
    for scope, sees in (
        (DataScope(frozenset({"Northern"}), frozenset({"FR"})), True),
        (DataScope(frozenset({"Western"}), None), False),
        (DataScope(None, frozenset({"US"})), False),
        (DataScope(frozenset(), frozenset()), False),
    ):
        found = (await _ask(http, world, scope, lineageId=lineage_id)).json()["events"]
        assert 0 < found <= whole if sees else found == 0
    assert (await _ask(http, world, lineageId=lineage_id, domain="invoices")).json()["events"] == 0


@pytest.mark.parametrize(
    "subject", ["erp.replay.billing.x", "erp.replay.salesforce", "erp.status.orders", "erp.replay.salesforce.>", "x"]
)
async def test_only_below_the_callers_own_subject(http: httpx.AsyncClient, world: World, rig: Rig, subject: str):
    answer = await _ask(http, world, natsSubject=subject, occurredFrom="2001-01-01T00:00:00Z")
    assert answer.status_code in {400, 422}
    assert answer.json()["errors"][0]["field"] == "natsSubject"


async def test_without_a_question_and_with_too_large_a_one(
    http: httpx.AsyncClient, world: World, rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    assert (await _ask(http, world)).json()["errors"][0]["field"] == "occurredFrom"
    await rig.send(order("1"))
    monkeypatch.setattr(replay_module, "MOST", 1)
    answer = await _ask(http, world, occurredFrom="2001-01-01T00:00:00Z")
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


async def test_without_nats(http: httpx.AsyncClient, world: World, rig: Rig, bench: Bench):
    lineage_id = (await rig.send(order("1"))).transaction.lineage_id
    await bench.server.stop()
    answer = await _ask(http, world, lineageId=lineage_id)
    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
