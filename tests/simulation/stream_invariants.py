"""What must hold of the stream when a world has ended: every event is there, in order, and as the ledger tells."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, Final

from gateway.domain.transaction import Status

_STATUSES: Final = frozenset(status.value for status in Status)


def check_stream(world: Any) -> list[str]:
    """Every violation in a sentence."""
    if not world.relays:
        return []
    found = [f"a sweep found {one}" for one in sorted(world.swept)]
    if not world.sweeps:
        found.append("nobody swept")
    stream = world.stream.present()
    if stream is None:
        return [*found, "there is no stream"]
    for number, life in enumerate(world.stream.streams, start=1):
        found += _in_order(number, life)
    found += _all_there(world, stream)
    return [*found, *_marked_as_stored(world, stream), *_as_the_ledger_tells(world, stream)]


def _in_order(number: int, life: Any) -> Iterator[str]:
    """Each life of the stream holds each lineage from its first event on, without a hole; and one that did not lose its
    end holds nothing twice."""
    last: dict[str, int] = defaultdict(int)
    counts = Counter(one.event.event_id for one in life.messages)
    seen: set[str] = set()
    for one in life.messages:
        event = one.event
        if event.event_id in seen:
            continue
        seen.add(event.event_id)
        if event.sequence != last[event.lineage_id] + 1:
            yield f"stream {number} has event {event.sequence} of {event.lineage_id} after {last[event.lineage_id]}"
        last[event.lineage_id] = event.sequence
    if not life.cut_off:
        for event_id, count in counts.items():
            if count > 1:
                yield f"stream {number} holds event {event_id} {count} times"


def _all_there(world: Any, stream: Any) -> Iterator[str]:
    there = {one.event.event_id: bytes(one.event.body) for one in stream.messages}
    for event_id, body in world.rows("SELECT event_id, body FROM outbox ORDER BY position"):
        if there.get(event_id) != bytes(body):
            yield f"event {event_id} is not in the stream" if event_id not in there else f"event {event_id} is another"
    committed = {event_id for (event_id,) in world.rows("SELECT event_id FROM outbox")}
    yield from (f"event {one} was never committed" for one in sorted(there.keys() - committed))


def _marked_as_stored(world: Any, stream: Any) -> Iterator[str]:
    """What counts as published lies where the record says."""
    at = {one.sequence: one.event.event_id for one in stream.messages}
    for event_id, sequence in world.rows(
        "SELECT event_id, stream_sequence FROM outbox WHERE published_at IS NOT NULL ORDER BY position"
    ):
        if at.get(sequence) != event_id:
            yield f"event {event_id} is marked as message {sequence}, which is {at.get(sequence)}"
    for (count,) in world.rows("SELECT count(*) FROM outbox WHERE published_at IS NULL"):
        if count:
            yield f"{count} events are not published"


def _as_the_ledger_tells(world: Any, stream: Any) -> Iterator[str]:
    """Who only reads the stream sees each transaction go the way that its entries tell."""
    told: dict[str, list[str]] = defaultdict(list)
    seen: set[str] = set()
    for one in stream.messages:
        event = json.loads(one.event.body)
        if event["id"] not in seen and "status" in event.get("data", {}):
            told[event["subject"]].append(event["type"].split(".")[-2])
        seen.add(event["id"])
    entered: dict[str, list[str]] = defaultdict(list)
    for trace, kind in world.rows("SELECT trace, kind FROM ledger_entries ORDER BY trace, seq"):
        if kind in _STATUSES:
            entered[trace].append(kind)
    # a document in legs, and an undo, enter steps that change no status: then the events leave some out
    steps = {row[0] for row in world.rows("SELECT transaction_id FROM transactions WHERE legs IS NOT NULL")}
    steps |= {row[0] for row in world.rows("SELECT transaction_id FROM steps WHERE direction = 'undo'")}
    for (transaction,) in world.rows("SELECT transaction_id FROM transactions"):
        ways = entered[transaction], told[transaction]
        if ways[0] != ways[1] if transaction not in steps else not _left_out(*ways):
            yield f"{transaction} went {ways[0]}, its events say {ways[1]}"


def _left_out(entries: list[str], events: list[str]) -> bool:
    """Whether the events are the entries with some left out."""
    left = iter(entries)
    return bool(events) and all(event in left for event in events)
