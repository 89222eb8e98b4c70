"""The outbox: order, acknowledgement, what the stream lost."""

from __future__ import annotations

import asyncio

import pytest

from gateway.domain.queries import Published, StreamMemory
from gateway.store.errors import UniqueViolated
from gateway.store.outbox import StoreOutbox
from gateway.store.store import Store, StoreUnit
from tests.store.made import NOW, a_lineage, an_event


async def test_events_come_in_the_order_of_their_commits_until_acknowledged(store: Store) -> None:
    # ids of another process may be older than their commit: the order is that of the commits
    first, second = an_event("lin_1", 1, event_id="evt_b"), an_event("lin_1", 2, event_id="evt_a")
    await store.write(lambda unit: unit.insert_events([first]))
    await store.write(lambda unit: unit.insert_events([second]))
    assert await store.outbox.pending(10) == [first, second]
    assert await store.outbox.pending(1) == [first]
    await store.outbox.mark_published([Published(first.event_id, 41)], NOW)
    assert await store.outbox.pending(10) == [second]


@pytest.mark.parametrize("held", [1, 3, 4_096])
async def test_lineages_are_passed_over(store: Store, held: int) -> None:
    wanted = [an_event("lin_a", 1), an_event("lin_b", 1)]
    others = [an_event("lin_held_0", number) for number in range(1, 30)]
    await store.write(lambda unit: unit.insert_events([wanted[0], *others, wanted[1]]))
    without = [f"lin_held_{number}" for number in range(held)]
    assert await store.outbox.pending(2, without) == wanted
    assert await store.outbox.pending(1, without) == wanted[:1]
    assert len(await store.outbox.pending(100, without[1:])) == 31


async def test_many_lineages_at_once_keep_their_order(store: Store) -> None:
    lineages = [a_lineage() for _ in range(4)]

    async def begin(unit: StoreUnit) -> None:
        for lineage in lineages:
            await unit.insert_lineage(lineage)

    await store.write(begin)

    async def announce(lineage_id: str) -> None:
        async def write(unit: StoreUnit) -> None:
            first = await unit.take_event_sequences(lineage_id, 2)
            await unit.insert_events([an_event(lineage_id, first), an_event(lineage_id, first + 1)])

        await store.write(write)

    await asyncio.gather(*(announce(lineage.lineage_id) for lineage in lineages for _ in range(10)))
    pending = await store.outbox.pending(1_000)
    for lineage in lineages:
        sequences = [event.sequence for event in pending if event.lineage_id == lineage.lineage_id]
        assert sequences == list(range(1, 21))


async def test_what_a_shortened_stream_lacks_is_pending_again(store: Store) -> None:
    in_small_chunks = StoreOutbox(store._writer, store._reader, chunk=2)
    events = [an_event("lin_1", n) for n in range(1, 6)]
    await store.write(lambda unit: unit.insert_events(events))
    await store.outbox.mark_published([Published(one.event_id, 10 + one.sequence) for one in events[:4]], NOW)
    assert await in_small_chunks.republish_after(12) == 2
    assert await store.outbox.pending(10) == events[2:]
    assert await in_small_chunks.republish_after(0) == 2
    assert await store.outbox.pending(10) == events


async def test_only_old_acknowledged_events_are_forgotten(store: Store) -> None:
    events = [an_event("lin_1", n) for n in range(1, 4)]
    await store.write(lambda unit: unit.insert_events(events))
    await store.outbox.mark_published([Published(events[0].event_id, 1)], NOW - 10)
    await store.outbox.mark_published([Published(events[1].event_id, 2)], NOW)
    assert await store.outbox.forget_published_before(NOW) == 1
    assert await store.outbox.republish_after(0) == 1
    assert await store.outbox.pending(10) == events[1:]


async def test_the_stream_is_remembered(store: Store) -> None:
    assert await store.outbox.stream_memory("ERP_STATUS") is None
    for memory in (StreamMemory("ERP_STATUS", NOW, 5), StreamMemory("ERP_STATUS", NOW + 1, 2)):
        await store.outbox.remember_stream(memory)
        assert await store.outbox.stream_memory("ERP_STATUS") == memory


async def test_a_sequence_is_used_once(store: Store) -> None:
    await store.write(lambda unit: unit.insert_events([an_event("lin_1", 1)]))
    with pytest.raises(UniqueViolated):
        await store.write(lambda unit: unit.insert_events([an_event("lin_1", 1)]))
