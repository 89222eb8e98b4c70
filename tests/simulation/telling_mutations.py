"""Faults planted into how a fact and its announcement are kept and published, and into who does that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from unittest.mock import patch

from gateway.messaging.errors import NatsUnavailable
from gateway.messaging.ports import Published
from gateway.messaging.relay import Relay
from gateway.store.led import LedWriter
from gateway.store.outbox import StoreOutbox
from gateway.store.store import StoreUnit
from tests.simulation import process as simulated
from tests.simulation.stream import SimPublisher

Mutation = Callable[[], AbstractContextManager[object]]


@contextmanager
def _events_in_a_commit_of_their_own() -> Iterator[None]:
    """A process that dies between both commits announces nothing."""
    true_write, true_insert = simulated.FaultyStore.write, StoreUnit.insert_events
    waiting: list[Any] = []

    async def insert_events(_unit: Any, records: Any) -> None:
        waiting.extend(records)

    async def write(store: Any, fn: Any) -> Any:
        left: list[Any] = []

        async def fact(unit: Any) -> Any:
            waiting.clear()
            value = await fn(unit)
            left[:] = waiting
            return value

        value = await true_write(store, fact)
        if left:
            await true_write(store, lambda unit: true_insert(unit, left))
        return value

    with (
        patch.object(simulated.FaultyStore, "write", write),
        patch.object(StoreUnit, "insert_events", insert_events),
    ):
        yield


async def _without_the_epoch(led: Any, fn: Any) -> Any:
    return await led._writer.write(fn)


async def _nothing_again(_outbox: Any, _after: int) -> int:
    return 0


async def _marked_before_it_is_sent(relay: Any, events: Any) -> bool:
    """As if each were acknowledged at the place where it is expected."""
    places = enumerate(events, start=relay._end + 1)
    await relay._outbox.mark_published([Published(one.event_id, at) for at, one in places], relay._clock.now())
    return await _true_publish_singly(relay, events)


_true_publish_singly: Final = Relay._publish_singly


async def _wherever_it_ends(publisher: Any, event: Any, _after: int) -> int:
    await publisher._reach()
    stream = publisher._present()
    known: int = stream.known(event.event_id) or await publisher._stored(stream, [event])
    return known


async def _newest_first(outbox: Any, *asked: Any, **more: Any) -> Any:
    return list(reversed(await _true_pending(outbox, *asked, **more)))


_true_pending: Final = StoreOutbox.pending


async def _given_up_after_a_failure(publisher: Any, event: Any, after: int) -> int:
    """What was not acknowledged in time counts as published before."""
    try:
        return await _true_publish(publisher, event, after)
    except NatsUnavailable:
        return after


_true_publish: Final = SimPublisher.publish


async def _nothing_was_stored(_publisher: Any, _sequence: int, _limit: int) -> Any:
    return []


TELLING_MUTATIONS: Final[Mapping[str, Mutation]] = {
    "events are written in a commit of their own": _events_in_a_commit_of_their_own,
    "what a new stream lacks is not published again": lambda: patch.object(
        StoreOutbox, "republish_after", _nothing_again
    ),
    "an event is marked before it is sent": lambda: patch.object(Relay, "_publish_singly", _marked_before_it_is_sent),
    "an event without an acknowledgement counts as published": lambda: patch.object(
        SimPublisher, "publish", _given_up_after_a_failure
    ),
    "the newest event goes first": lambda: patch.object(StoreOutbox, "pending", _newest_first),
    "what was stored without an answer is not looked up": lambda: patch.object(
        SimPublisher, "stored_after", _nothing_was_stored
    ),
    "a leader's epoch is not looked at": lambda: patch.object(LedWriter, "write", _without_the_epoch),
}
"""By what is wrong."""

TELLING_SECOND_LINES: Final[Mapping[str, Mutation]] = {
    "events are published wherever the stream ends": lambda: patch.object(SimPublisher, "publish", _wherever_it_ends),
}
"""Who leads no more is cut off from the record, and the server knows the ids of what was published lately."""
