"""The mouth to NATS: the stream's configuration, refusals, and that every wait ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from pathlib import Path

import pytest
from nats.aio.client import Client

from gateway.messaging.errors import BatchRefused, EventRefused, NatsUnavailable, StreamContradicts, StreamMoved
from gateway.messaging.jetstream import NatsStream
from gateway.messaging.nats import NatsConnection, NatsSettings
from gateway.messaging.ports import Published
from gateway.messaging.stream import StreamSettings, updated, wanted
from tests.messaging.conftest import Bench, until
from tests.messaging.outbox import event


async def _request(bench: Bench, operation: str, body: dict[str, object]) -> dict[str, object]:
    async with bench.connection().exchange() as exchange:
        return await exchange.request(f"$JS.API.{operation}", json.dumps(body).encode())


async def _config(bench: Bench) -> dict[str, object]:
    config = (await bench.api("STREAM.INFO.ERP_STATUS"))["config"]
    assert isinstance(config, dict)
    return config


async def test_the_stream_is_made_once_and_updated_to_its_settings(bench: Bench) -> None:
    first = await bench.stream().prepare()
    config = await _config(bench)
    assert updated(config, wanted(StreamSettings(), batches=True)) is None  # nothing to change: idempotent
    assert config["allow_atomic"] is True
    assert config["storage"] == "file"
    again = await bench.stream(StreamSettings(max_age_s=3600, duplicate_window_s=60)).prepare()
    assert again == first
    config = await _config(bench)
    assert (config["max_age"], config["duplicate_window"]) == (3600 * 10**9, 60 * 10**9)


async def test_an_update_keeps_what_an_operator_added(bench: Bench) -> None:
    await bench.stream().prepare()
    changed = {**await _config(bench), "metadata": {"team": "integration"}, "max_msg_size": 500_000}
    assert "error" not in await _request(bench, "STREAM.UPDATE.ERP_STATUS", changed)
    await bench.stream(StreamSettings(max_age_s=3600)).prepare()
    config = await _config(bench)
    assert config["max_msg_size"] == 500_000
    assert isinstance(config["metadata"], dict)
    assert config["metadata"]["team"] == "integration"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"storage": "memory", "max_bytes": 1_000_000}, "storage is 'memory', not 'file'"),
        ({"retention": "workqueue"}, "retention is 'workqueue', not 'limits'"),
        ({"discard": "new"}, "discard is 'new', not 'old'"),
        ({"max_msgs_per_subject": 1}, "max_msgs_per_subject is 1, not -1"),
        ({"subjects": ["erp.>"]}, "it also takes erp.>"),
    ],
)
async def test_a_stream_that_contradicts_is_left_alone(bench: Bench, change: dict[str, object], words: str) -> None:
    theirs = {**wanted(StreamSettings(), batches=True), **change}
    assert "error" not in await _request(bench, "STREAM.CREATE.ERP_STATUS", theirs)
    before = await _config(bench)
    with pytest.raises(StreamContradicts, match=words):
        await bench.stream().prepare()
    assert await _config(bench) == before


async def test_subjects_that_another_stream_takes(bench: Bench) -> None:
    theirs = {**wanted(StreamSettings(), batches=True), "name": "OTHER", "subjects": ["erp.status.orders.>"]}
    await _request(bench, "STREAM.CREATE.OTHER", theirs)
    with pytest.raises(StreamContradicts, match="subjects overlap"):
        await bench.stream().prepare()


async def test_the_last_sequence_fences(bench: Bench) -> None:
    stream = bench.stream()
    assert (await stream.prepare()).last_sequence == 0
    assert await stream.publish(event("a", 1), after=0) == 1
    for after in (0, 2):
        with pytest.raises(StreamMoved, match="wrong last sequence"):
            await stream.publish(event("a", 2), after=after)
        with pytest.raises(StreamMoved, match="wrong last sequence"):
            await stream.publish_batch([event("a", 2), event("a", 3)], after=after)
    assert await stream.publish_batch([event("a", number) for number in (2, 3, 4)], after=1) == 4
    assert await stream.publish_batch([event("a", 5)], after=4) == 5
    assert await stream.stored_after(2, 10) == [Published(f"ev_a_{number}", number) for number in (3, 4, 5)]
    assert await stream.stored_after(2, 2) == [Published(f"ev_a_{number}", number) for number in (3, 4)]
    assert await stream.stored_after(5, 10) == []


async def test_a_known_id_is_acknowledged_with_its_old_sequence(bench: Bench) -> None:
    stream = bench.stream()
    await stream.prepare()
    await stream.publish(event("a", 1), after=0)
    assert await stream.publish(event("a", 1), after=1) == 1
    with pytest.raises(BatchRefused, match="duplicate"):
        await stream.publish_batch([event("a", 2), event("a", 1), event("a", 3)], after=1)
    assert (await stream.end()).last_sequence == 1


async def test_an_event_above_the_servers_limit(bench: Bench) -> None:
    stream = bench.stream()
    await stream.prepare()
    large = replace(event("a", 1), body=b"x" * 1_048_500)
    for send in (stream.publish(large, after=0), stream.publish_batch([event("b", 1), large], after=0)):
        with pytest.raises(EventRefused, match="ev_a_1"):
            await send
    assert (await stream.end()).last_sequence == 0


async def test_a_stream_that_is_gone(bench: Bench) -> None:
    stream = bench.stream()
    for attempt in (stream.publish(event("a", 1), after=0), stream.end(), stream.read_after(0)):
        with pytest.raises(StreamMoved):
            await attempt


@pytest.mark.parametrize("wrong", [{"password": "guess"}, {"user": None, "password": None}])
async def test_nobody_gets_in_without_the_credentials(bench: Bench, wrong: dict[str, object]) -> None:
    with pytest.raises(NatsUnavailable, match=r"(?i)authorization|reset by peer"):
        await NatsStream(bench.connection(**wrong, connect_timeout_s=4.0)).prepare()


async def test_a_client_that_swallows_a_cancellation_does_not_connect_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the library does when the cancellation meets the end of a wait of its own."""
    cancelled = 0

    async def connect(*_: object, **__: object) -> None:
        nonlocal cancelled
        while True:
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                cancelled += 1
                if cancelled > 1:
                    raise

    monkeypatch.setattr(Client, "connect", lambda _self, *_args, **_named: connect())
    connection = NatsConnection(NatsSettings(("nats://127.0.0.1:1",), connect_timeout_s=0.05))
    async with asyncio.timeout(20):
        with pytest.raises(NatsUnavailable, match="timeout"):
            await NatsStream(connection).prepare()
    assert cancelled == 2


async def test_nobody_at_the_address() -> None:
    connection = NatsConnection(NatsSettings(("nats://127.0.0.1:1",), connect_timeout_s=0.5))
    started = time.monotonic()
    with pytest.raises(NatsUnavailable, match=r"nats://127.0.0.1:1"):
        await NatsStream(connection).prepare()
    assert time.monotonic() - started < 20
    assert not connection.connected


async def test_a_password_in_an_address_is_not_shown() -> None:
    servers = ("nats://gateway:geheim@127.0.0.1:1", "nats://token@127.0.0.1:1")
    connection = NatsConnection(NatsSettings(servers, connect_timeout_s=0.5))
    with pytest.raises(NatsUnavailable) as refused:
        await NatsStream(connection).prepare()
    assert "nats://127.0.0.1:1, nats://127.0.0.1:1" in str(refused.value)
    assert not any(secret in str(refused.value) for secret in ("geheim", "gateway:", "token"))


async def test_a_wait_ends_when_the_connection_is_lost(bench: Bench) -> None:
    """The client library's own request would wait out its time."""
    connection = bench.connection(answer_timeout_s=60.0)
    async with _deaf_subject(connection) as ask:
        waiting = asyncio.create_task(ask())
        await bench.kill_server()
        started = time.monotonic()
        with pytest.raises(NatsUnavailable):
            await waiting
        assert time.monotonic() - started < 30


def stands_still(pid: int) -> bool:
    """Every thread has stopped: the signal takes its time (proc(5), state T)."""
    stats = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at threads in /proc")
async def test_a_server_that_stands_still_is_a_bounded_wait(bench: Bench) -> None:
    await bench.stream().prepare()
    stream = NatsStream(bench.connection(answer_timeout_s=0.5))
    while True:  # connected, whatever the machine does meanwhile
        with contextlib.suppress(NatsUnavailable):
            await stream.prepare()
            break
    pid = bench.server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: stands_still(pid))
    try:
        started = time.monotonic()
        with pytest.raises(NatsUnavailable):
            await stream.publish(event("a", 1), after=0)
        with pytest.raises(NatsUnavailable):
            await stream.publish_batch([event("a", 1), event("a", 2)], after=0)
        with pytest.raises(NatsUnavailable):
            await stream.prepare()
        assert time.monotonic() - started < 30
    finally:
        os.kill(pid, signal.SIGCONT)
    # The frozen server had the first of them in its buffer: it is there, and is found.
    end = await bench.stream().prepare()
    assert end.last_sequence in (0, 1)


async def test_what_was_not_sent_is_not_sent_later(bench: Bench) -> None:
    """A publication over a lost connection fails; it must not reach the stream minutes later by itself."""
    stream = NatsStream(bench.connection())
    await bench.stream().prepare()
    await stream.prepare()
    await bench.server.stop()
    with pytest.raises(NatsUnavailable):
        await stream.publish(event("a", 1), after=0)
    await bench.server.start()
    assert (await stream.prepare()).last_sequence == 0


@contextlib.asynccontextmanager
async def _deaf_subject(connection: NatsConnection) -> AsyncIterator[Callable[[], Coroutine[None, None, None]]]:
    """A subject with a listener that never answers."""
    async with connection.exchange() as exchange:
        inbox = await exchange.inbox()

    async def ask() -> None:
        async with connection.exchange() as exchange:
            await exchange.request(inbox.address)

    yield ask
    await inbox.close()
