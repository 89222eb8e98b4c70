"""The stream of a world: what a server of NATS keeps of its publications, and a process's connection to it.

As JetStream does: a known message id is acknowledged again within its window and not stored; a publication that names
another last sequence than the stream's is refused. It may be away, lose an acknowledgement or a publication, be wiped,
and come back without its end, as one does whose disk was put back.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.domain.records import OutboxRecord
from gateway.messaging.errors import BatchRefused, NatsUnavailable, StreamMoved
from gateway.messaging.ports import Published
from gateway.messaging.publisher import StreamEnd
from tests.simulation.lives import Life

WINDOW_S: Final = 120.0
"""How long the server knows message ids, as `gateway.messaging.stream` asks for."""
ANSWER_S: Final = 5.0
"""After so long without an answer a publisher gives up."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message that the stream holds. `at`: seconds of the loop."""

    event: OutboxRecord
    sequence: int
    at: float


@dataclass
class Stream:
    """One life of the stream, from its creation (µs) until it is wiped. `cut_off`: whether it once lost its end."""

    created_at: int
    messages: list[Message] = field(default_factory=list)
    cut_off: bool = False

    @property
    def last(self) -> int:
        return len(self.messages)

    def known(self, event_id: str) -> int | None:
        """The number of a message with that id, as long as the server remembers ids."""
        since = asyncio.get_running_loop().time() - WINDOW_S
        for one in reversed(self.messages):
            if one.at < since:
                return None
            if one.event.event_id == event_id:
                return one.sequence
        return None

    def store(self, event: OutboxRecord) -> int:
        self.messages.append(Message(event, self.last + 1, asyncio.get_running_loop().time()))
        return self.last


class StreamServer:
    """`trouble`: the share of publications that are lost, or whose acknowledgement is. `streams`: all lives of the
    stream, the last is the present one unless it was `wiped`."""

    def __init__(self, chance: random.Random, now: Any, trouble: float) -> None:
        self.chance, self.trouble = chance, trouble
        self.streams: list[Stream] = []
        self.session = self.wipes = self.cuts = self.lost = 0
        self._now = now
        self._away_until = 0.0
        self._there = False

    @property
    def away(self) -> bool:
        return asyncio.get_running_loop().time() < self._away_until

    def leave(self, seconds: float) -> None:
        """It is away for so long; every connection is lost."""
        self.session += 1
        self._away_until = asyncio.get_running_loop().time() + seconds

    def come_back(self) -> None:
        """It is there, and stays."""
        self._away_until, self.trouble = 0.0, 0.0

    def wipe(self) -> None:
        """Nothing of the stream is left."""
        self._there = False
        self.wipes += 1

    def cut_off(self) -> None:
        """It comes back as it was a few messages ago."""
        if self._there and self.streams[-1].messages:
            stream = self.streams[-1]
            del stream.messages[-self.chance.randint(1, 10) :]
            stream.cut_off = True
            self.cuts += 1
        self.session += 1

    def present(self) -> Stream | None:
        """The stream, if there is one."""
        return self.streams[-1] if self._there else None

    def prepared(self) -> Stream:
        """The stream; it is made where there is none."""
        if not self._there:
            self._there = True
            self.streams.append(Stream(self._now()))
        return self.streams[-1]


class SimPublisher:
    """A process's connection: `gateway.messaging.publisher.Publisher`. The process may die or stand still on it."""

    stream = "ERP_STATUS"

    def __init__(self, server: StreamServer, life: Life, chance: random.Random, world: Any) -> None:
        self._server, self._life, self._chance, self._world = server, life, chance, world

    @property
    def session(self) -> int:
        return self._server.session

    async def prepare(self) -> StreamEnd:
        await self._reach()
        stream = self._server.prepared()
        return StreamEnd(stream.created_at, stream.last)

    async def publish(self, event: OutboxRecord, after: int) -> int:
        await self._reach()
        stream = self._present()
        known = stream.known(event.event_id)
        if known is not None:
            return known
        self._expected(stream, after)
        return await self._stored(stream, [event])

    async def publish_batch(self, events: Sequence[OutboxRecord], after: int) -> int:
        await self._reach()
        stream = self._present()
        if any(stream.known(event.event_id) is not None for event in events):
            raise BatchRefused("it holds a duplicate")
        self._expected(stream, after)
        return await self._stored(stream, events)

    async def stored_after(self, sequence: int, limit: int) -> Sequence[Published]:
        await self._reach()
        stream = self._server.present()
        if stream is None:
            raise NatsUnavailable("the stream changed while it was read")
        return [Published(one.event.event_id, one.sequence) for one in stream.messages[sequence : sequence + limit]]

    async def _reach(self) -> None:
        """A request comes to the server, or does not."""
        await self._life.outlast()
        session = self._server.session
        await asyncio.sleep(self._chance.uniform(0, 0.01))
        self._world.strike_leader(self._life, self._chance)
        await self._life.outlast()
        if self._server.away or session != self._server.session:
            raise NatsUnavailable("the connection is lost")

    def _present(self) -> Stream:
        stream = self._server.present()
        if stream is None:
            raise StreamMoved("nobody listens on the subject")
        return stream

    def _expected(self, stream: Stream, after: int) -> None:
        if stream.last != after:
            raise StreamMoved(f"the stream ends at {stream.last}, not at {after}")

    async def _stored(self, stream: Stream, events: Sequence[OutboxRecord]) -> int:
        """Store them and acknowledge; one of both may be lost."""
        fault = self._chance.random()
        if fault < self._server.trouble / 2:
            self._server.lost += 1
            await asyncio.sleep(ANSWER_S)
            raise NatsUnavailable("no answer in time")
        for event in events:
            stream.store(event)
        last = stream.last
        if fault < self._server.trouble:
            self._server.lost += 1
            await asyncio.sleep(ANSWER_S)
            raise NatsUnavailable("no answer in time")
        session = self._server.session
        await asyncio.sleep(self._chance.uniform(0, 0.01))
        self._world.strike_leader(self._life, self._chance)
        await self._life.outlast()
        if session != self._server.session:
            raise NatsUnavailable("the connection is lost")
        return last


async def disturb(server: StreamServer, chance: random.Random) -> None:
    """What happens to the server until this is cancelled."""
    every_s = chance.choice([20.0, 100.0, 200.0])
    while True:
        await asyncio.sleep(chance.expovariate(1 / every_s))
        match chance.choice(["leave", "leave", "wipe", "wiped while it stands", "cut off"]):
            case "leave":
                server.leave(chance.choice([1.0, 10.0, 60.0]))
            case "wipe":
                server.wipe()
                server.leave(chance.choice([0.0, 5.0]))
            case "wiped while it stands":
                server.wipe()
            case _:
                server.cut_off()
