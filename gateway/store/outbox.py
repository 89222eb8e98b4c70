"""Events that wait for the stream: written with their facts, kept until the stream has acknowledged them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import bindparam, delete, null, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.identity import crockford
from gateway.domain.queries import Published, StreamMemory
from gateway.domain.records import OutboxRecord
from gateway.store import schema
from gateway.store.filters import padded
from gateway.store.kept import Kept
from gateway.store.reader import Reader
from gateway.store.statement import Command, Params
from gateway.store.unit import Unit

T = TypeVar("T")

OUTBOX: Final = Kept(schema.outbox, OutboxRecord)
_STREAMS: Final = Kept(schema.streams, StreamMemory)

CHUNK: Final = 5_000
"""Events that one unit takes back or forgets, so that the writer is not kept from others for long."""

_events: Final = schema.outbox.c

# By position: a lineage's events got theirs under its row's lock, so by position is by sequence, without a hole.
_WAITING: Final = OUTBOX.selecting().where(_events.published_at.is_(None)).order_by(_events.position)
_PENDING: Final = OUTBOX.query(_WAITING.limit(bindparam("most")))
_MARK: Final = Command(
    update(schema.outbox)
    .where(_events.event_id == bindparam("event"))
    .values(published_at=bindparam("at"), stream_sequence=bindparam("number"))
)
_REPUBLISH: Final = Command(
    update(schema.outbox)
    .where(
        _events.position.in_(
            select(_events.position)
            .where(_events.published_at.is_not(None), _events.stream_sequence > bindparam("number"))
            .order_by(_events.position)
            .limit(bindparam("most"))
        )
    )
    .values(published_at=null(), stream_sequence=null())
)
_FORGET: Final = Command(
    delete(schema.outbox).where(
        _events.position.in_(
            select(_events.position)
            .where(_events.published_at.is_not(None), _events.published_at < bindparam("at"))
            .limit(bindparam("most"))
        )
    )
)
_STREAM: Final = _STREAMS.by("stream")
_remember = insert(schema.streams).values({name: bindparam(name) for name in _STREAMS.names})
_REMEMBER: Final = Command(
    _remember.on_conflict_do_update(
        index_elements=["stream"],
        set_={name: _remember.excluded[name] for name in ("created_at", "last_sequence")},
    )
)


_DRAWN_EARLIER: Final = 600_000_000
"""Microseconds by which an event's id may be older or newer than its time: a unit may wait, clocks may differ."""


def _id_at(at: int) -> str:
    """The least id that is drawn at that time."""
    return f"evt_{crockford((max(at, 0) // 1_000) << 80, 26)}"


class OutboxWrites:
    """Events of a unit."""

    __slots__ = ()
    _unit: Unit

    async def insert_events(self, records: Sequence[OutboxRecord]) -> None:
        await self._unit.run_many(OUTBOX.insert, [OUTBOX.params(record) for record in records])


class Writer(Protocol):
    """Either database's writer."""

    async def write(self, fn: Callable[[Any], Coroutine[Any, Any, T]]) -> T: ...


class StoreOutbox:
    """Implements `gateway.messaging.ports.Outbox`."""

    def __init__(self, writer: Writer, reader: Reader, chunk: int = CHUNK) -> None:
        self._chunk = chunk
        self._writer = writer
        self._reader = reader

    async def pending(self, limit: int, without: Collection[str] = ()) -> Sequence[OutboxRecord]:
        if not without:
            return await self._reader.all(_PENDING, {"most": limit})
        others = _WAITING.where(_events.lineage_id.not_in(padded(sorted(without))))
        return await self._reader.find(_PENDING, others.limit(limit))

    async def kept(
        self, lineage_id: str | None, since: int | None, until: int | None, most: int
    ) -> Sequence[OutboxRecord]:
        """Those of a lineage, of a time (µs, `until` excluded), or of both, in the order of each lineage.

        There is no index by time, which every transaction would pay for: ids are time-ordered, and have one.
        """
        core = OUTBOX.selecting()
        if lineage_id is not None:
            core = core.where(_events.lineage_id == lineage_id)
        if since is not None:
            core = core.where(_events.event_id >= _id_at(since - _DRAWN_EARLIER), _events.created_at >= since)
        if until is not None:
            core = core.where(_events.event_id < _id_at(until + _DRAWN_EARLIER), _events.created_at < until)
        return await self._reader.find(_PENDING, core.order_by(_events.position).limit(most))

    async def mark_published(self, published: Sequence[Published], at: int) -> None:
        marks: list[Params] = [{"event": one.event_id, "at": at, "number": one.stream_sequence} for one in published]

        async def mark(unit: Unit) -> None:
            await unit.run_many(_MARK, marks)

        await self._writer.write(mark)

    async def stream_memory(self, stream: str) -> StreamMemory | None:
        return await self._reader.one(_STREAM, {"stream": stream})

    async def remember_stream(self, memory: StreamMemory) -> None:
        async def remember(unit: Unit) -> None:
            await unit.run(_REMEMBER, _STREAMS.params(memory))

        await self._writer.write(remember)

    async def republish_after(self, stream_sequence: int) -> int:
        return await self._in_chunks(_REPUBLISH, {"number": stream_sequence, "most": self._chunk})

    async def forget_published_before(self, at: int) -> int:
        return await self._in_chunks(_FORGET, {"at": at, "most": self._chunk})

    async def _in_chunks(self, command: Command, params: Params) -> int:
        async def chunk(unit: Unit) -> int:
            return await unit.run(command, params)

        total = 0
        while True:
            count = await self._writer.write(chunk)
            total += count
            if count < self._chunk:
                return total
