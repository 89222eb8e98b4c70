"""A real nats-server per test, and the parts that talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.messaging.jetstream import NatsStream, StoredMessage
from gateway.messaging.nats import NatsConnection, NatsSettings
from gateway.messaging.relay import Relay
from gateway.messaging.relay_settings import RelaySettings
from gateway.messaging.server import EmbeddedServer
from gateway.messaging.server_directory import ServerAddress, ServerDirectory
from gateway.messaging.stream import StreamSettings
from tests.messaging.outbox import MemoryOutbox, RealClock
from tests.ports import reserved_port

QUICK = RelaySettings(poll_s=0.05, look_s=0.3)


async def until(condition: Callable[[], bool], limit_s: float = 30.0) -> None:
    """Wait for a condition; fail when it does not come."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come in time"
        await asyncio.sleep(0.01)


def with_a_port(directory: Path) -> Path:
    """A server's directory, which says that it listened on a port that is the test's until its end: whenever a server
    of it starts, nobody else has taken that port meanwhile."""
    files = ServerDirectory(directory)
    files.prepare()
    files.write_address(reserved_port())
    return directory


def lineages_in_order(messages: Sequence[StoredMessage]) -> dict[str, list[int]]:
    """Each lineage's event numbers in the stream's order."""
    found: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        attributes = json.loads(message.body)
        found[attributes["lineageid"]].append(int(attributes["sequence"]))
    return found


class Counted:
    """Metrics that remember."""

    def __init__(self) -> None:
        self.events = 0
        self.batches = 0
        self.failures: list[str] = []

    def published(self, events: int, *, batches: int) -> None:
        self.events += events
        self.batches += batches

    def recovered(self, events: int) -> None: ...
    def republished(self, events: int) -> None: ...

    def failed(self, reason: str) -> None:
        self.failures.append(reason)


@dataclass
class Bench:
    """A server and everything that is connected to it; all of it is closed by the fixture."""

    directory: Path
    server: EmbeddedServer
    address: ServerAddress
    stack: contextlib.AsyncExitStack
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)

    def connection(self, **changes: object) -> NatsConnection:
        settings = {
            "servers": (self.address.url,),
            "user": self.address.user,
            "password": self.address.password,
            # long for a busy machine: a connection that is lost ends every wait at once
            "connect_timeout_s": 5.0,
            "answer_timeout_s": 10.0,
            "reconnect_wait_s": 0.05,
        }
        connection = NatsConnection(NatsSettings(**{**settings, **changes}))  # type: ignore[arg-type]
        self.stack.push_async_callback(connection.close)
        return connection

    def stream(self, settings: StreamSettings | None = None) -> NatsStream:
        return NatsStream(self.connection(), settings)

    async def relay(self, stream: NatsStream | None = None, settings: RelaySettings = QUICK) -> Relay:
        """A running relay over the bench's outbox."""
        relay = Relay(self.outbox, stream or self.stream(), RealClock(), settings=settings)
        self.outbox.relay_wake = relay.wake
        task = asyncio.create_task(relay.run())

        async def end() -> None:
            assert not task.done(), "run() ended by itself"
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        self.stack.push_async_callback(end)
        return relay

    async def stored(self, stream: NatsStream) -> list[StoredMessage]:
        """Everything in the stream, in its order."""
        end = await stream.end()
        reader = await stream.read_after(0)
        found: list[StoredMessage] = []
        while not found or found[-1].stream_sequence < end.last_sequence:
            messages = await reader.next(1_000, wait_s=0)
            if not messages:
                break
            found += messages
        await reader.close()
        return found

    async def api(self, operation: str) -> dict[str, object]:
        async with self.connection().exchange() as exchange:
            return await exchange.request(f"$JS.API.{operation}")

    async def kill_server(self) -> None:
        """kill -9; its keeper starts it again on the same port."""
        await until(lambda: self.server.pid is not None)
        pid = self.server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: self.server.pid != pid)

    async def restart_with(self, change: Callable[[Path], None]) -> None:
        """Stop the server, change its directory, start it on the same port."""
        await self.server.stop()
        change(self.directory)
        assert await self.server.start() == self.address

    async def restart_wiped(self) -> None:
        await self.restart_with(lambda directory: shutil.rmtree(directory / "jetstream"))


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    directory = with_a_port(tmp_path / "nats")
    server = EmbeddedServer(directory)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(server.stop)
        address = await server.start()
        yield Bench(directory, server, address, stack)
