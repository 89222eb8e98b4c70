"""The relay against a real nats-server: order, nothing lost, nothing twice in the stream."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from gateway.domain.records import OutboxRecord
from gateway.errors import StoreUnavailable
from gateway.messaging import relay as relay_module
from gateway.messaging.errors import NatsUnavailable
from gateway.messaging.jetstream import NatsStream, StoredMessage
from gateway.messaging.relay import Relay
from gateway.messaging.relay_settings import RelaySettings
from gateway.messaging.stream import StreamSettings
from tests.messaging.conftest import QUICK, Bench, Counted, lineages_in_order, until
from tests.messaging.outbox import RealClock, event, now


async def test_an_event_arrives_with_its_id_subject_and_body(bench: Bench) -> None:
    stream = bench.stream()
    relay = await bench.relay(stream)
    bench.outbox.commit([event("a", 1)])
    await until(lambda: bench.outbox.unpublished() == 0)
    (message,) = await bench.stored(stream)
    record = bench.outbox.rows["ev_a_1"]
    assert message == StoredMessage(record.subject, record.body, "ev_a_1", 1)
    assert record.stream_sequence == 1
    await until(lambda: relay.connected and relay.lag == 0)
    assert relay.fault == ""


async def test_order_per_lineage_over_kills(bench: Bench) -> None:
    """50 lineages of 12 events each, committed in pieces while the server is killed -9 six times."""
    stream = bench.stream()
    await bench.relay(stream)
    kill: asyncio.Task[None] | None = None
    for sequence in range(1, 13):
        for first in range(0, 50, 7):
            bench.outbox.commit([event(f"l{number}", sequence) for number in range(first, min(first + 7, 50))])
            if sequence % 2 == 0 and first == 21:
                # Some of what was committed just now is on its way; commits go on while the server comes back.
                kill = asyncio.create_task(bench.kill_server())
            await asyncio.sleep(0.005 * (first % 3))  # other places in the relay's work each time
        if kill is not None:
            await kill
    await until(lambda: bench.outbox.unpublished() == 0)
    messages = await bench.stored(stream)
    assert lineages_in_order(messages) == {f"l{number}": list(range(1, 13)) for number in range(50)}
    assert {message.event_id: message.stream_sequence for message in messages} == {
        record.event_id: record.stream_sequence for record in bench.outbox.rows.values()
    }


async def test_300_events_at_once_go_as_batches(bench: Bench) -> None:
    stream = bench.stream()
    counted = Counted()
    bench.outbox.commit([event(f"l{number % 100}", number // 100 + 1) for number in range(300)])
    relay = Relay(bench.outbox, stream, RealClock(), settings=QUICK, metrics=counted)
    task = asyncio.create_task(relay.run())
    await until(lambda: bench.outbox.unpublished() == 0)
    task.cancel()
    await asyncio.wait([task])
    assert counted.batches == 1
    assert counted.events == 300
    messages = await bench.stored(stream)
    assert lineages_in_order(messages) == {f"l{number}": [1, 2, 3] for number in range(100)}
    assert [message.event_id for message in messages] == list(bench.outbox.rows)


async def test_a_batch_is_cut_at_its_limits(bench: Bench) -> None:
    stream = bench.stream()
    settings = RelaySettings(batch_from=2, batch_limit=40, batch_bytes=20_000)
    bench.outbox.commit([event("a", number) for number in range(1, 101)])
    await bench.relay(stream, settings)
    await until(lambda: bench.outbox.unpublished() == 0)
    assert lineages_in_order(await bench.stored(stream)) == {"a": list(range(1, 101))}


async def test_a_duplicate_in_an_atomic_batch(bench: Bench) -> None:
    """One event of a batch is in the stream already, and nobody remembers that."""
    stream = bench.stream()
    await stream.prepare()
    await stream.publish(event("l7", 1), after=0)
    counted = Counted()
    bench.outbox.commit([event(f"l{number}", 1) for number in range(40)])
    relay = Relay(bench.outbox, stream, RealClock(), settings=QUICK, metrics=counted)
    task = asyncio.create_task(relay.run())
    await until(lambda: bench.outbox.unpublished() == 0)
    task.cancel()
    await asyncio.wait([task])
    assert counted.failures == ["BatchRefused"]
    assert bench.outbox.rows["ev_l7_1"].stream_sequence == 1
    assert sorted(message.event_id for message in await bench.stored(stream)) == sorted(bench.outbox.rows)


class Forgetful:
    """A stream whose acknowledgements get lost: it stores, and says that NATS did not answer."""

    def __init__(self, inner: NatsStream, lose: int) -> None:
        self._inner = inner
        self._lose = lose
        self.stream = inner.stream
        self.prepare = inner.prepare
        self.stored_after = inner.stored_after
        self.lost = 0

    @property
    def session(self) -> int:
        return self._inner.session

    async def publish(self, event: OutboxRecord, after: int) -> int:
        return self._heard(await self._inner.publish(event, after))

    async def publish_batch(self, events: Sequence[OutboxRecord], after: int) -> int:
        return self._heard(await self._inner.publish_batch(events, after))

    def _heard(self, sequence: int) -> int:
        if self.lost < self._lose:
            self.lost += 1
            raise NatsUnavailable("no answer")
        return sequence


async def test_a_publication_that_timed_out_but_was_stored(bench: Bench) -> None:
    """Singly and in a batch, with a duplicate window too short to help."""
    stream = bench.stream(StreamSettings(duplicate_window_s=1))
    forgetful = Forgetful(stream, lose=4)
    relay = Relay(
        bench.outbox, forgetful, RealClock(), settings=RelaySettings(backoff_s=1.5, poll_s=0.05), jitter=lambda: 1
    )
    bench.outbox.relay_wake = relay.wake
    task = asyncio.create_task(relay.run())
    for sequence in (1, 2):
        bench.outbox.commit([event("a", sequence)])
        await until(lambda: bench.outbox.unpublished() == 0)
        bench.outbox.commit([event(f"b{number}", sequence) for number in range(20)])
        await until(lambda: bench.outbox.unpublished() == 0)
    task.cancel()
    await asyncio.wait([task])
    assert forgetful.lost == 4
    numbers = lineages_in_order(await bench.stored(stream))
    assert numbers == {"a": [1, 2], **{f"b{number}": [1, 2] for number in range(20)}}


async def test_two_relays_of_one_outbox_add_nothing_twice(bench: Bench) -> None:
    """A paused process wakes up beside its successor: the stream's last sequence fences it."""
    stream, other = bench.stream(), bench.stream()
    await bench.relay(stream)
    await bench.relay(other)
    for sequence in range(1, 6):
        bench.outbox.commit([event(f"l{number}", sequence) for number in range(20)])
        await until(lambda: bench.outbox.unpublished() == 0)
    assert lineages_in_order(await bench.stored(stream)) == {f"l{number}": [1, 2, 3, 4, 5] for number in range(20)}


async def test_it_runs_again_after_another_relayed_meanwhile(bench: Bench) -> None:
    """The lead went to another process, which found a new stream, and came back: what the first one knew is old."""
    first, other = (Relay(bench.outbox, bench.stream(), RealClock(), settings=QUICK) for _ in range(2))
    for sequence, relay in enumerate((first, other, first, other), start=1):
        if sequence == 2:
            await bench.restart_wiped()
        task = asyncio.create_task(relay.run())
        bench.outbox.commit([event(f"l{number}", sequence) for number in range(20)])
        await until(lambda: bench.outbox.unpublished() == 0)
        task.cancel()
        await asyncio.wait([task])
    messages = await bench.stored(bench.stream())
    assert lineages_in_order(messages) == {f"l{number}": [1, 2, 3, 4] for number in range(20)}


async def test_an_event_that_is_refused_for_ever_holds_only_its_lineage(bench: Bench) -> None:
    stream = bench.stream()
    relay = await bench.relay(stream, RelaySettings(poll_s=0.05))
    bench.outbox.commit([monster("bad"), event("bad", 2), *(event(f"l{number}", 1) for number in range(20))])
    await until(lambda: bench.outbox.unpublished() == 2)
    assert "ev_bad_1" in relay.fault
    assert relay.connected
    assert relay.lag > 0
    assert "bad" not in lineages_in_order(await bench.stored(stream))


def monster(lineage: str) -> OutboxRecord:
    """An event that no stream takes."""
    return replace(event(lineage, 1), body=b"x" * 1_048_576)


async def test_however_much_waits_in_a_held_lineage_the_others_are_sent(bench: Bench) -> None:
    relay = await bench.relay(bench.stream(), RelaySettings(poll_s=0.05, batch_limit=20))
    bench.outbox.commit([monster("bad"), *(event("bad", number) for number in range(2, 2_001))])
    await until(lambda: "ev_bad_1" in relay.fault)
    bench.outbox.commit([event(f"l{number}", 1) for number in range(100)])
    await until(lambda: bench.outbox.unpublished() == 2_000)
    assert relay.connected
    assert relay.lag > 0


async def test_of_many_held_lineages_some_are_named(bench: Bench) -> None:
    relay = await bench.relay(bench.stream(), RelaySettings(poll_s=0.05))
    bench.outbox.commit([*(monster(f"bad-{number}") for number in range(7)), event("good", 1)])
    await until(lambda: relay.fault.endswith("; and of 2 more"))
    assert [f"lineage bad-{number}:" in relay.fault for number in range(7)] == [True] * 5 + [False] * 2
    await until(lambda: bench.outbox.unpublished() == 7)


async def test_more_held_lineages_than_can_be_passed_over_are_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that cannot, no more are known than are read at once, and nothing is sent again and again."""
    monkeypatch.setattr(relay_module, "PASSED_OVER", 3)
    settings = RelaySettings(poll_s=0.05, batch_limit=2)
    relay = await bench.relay(bench.stream(), settings)
    bench.outbox.commit([*(monster(f"bad-{number}") for number in range(9)), event("good", 1)])
    await until(lambda: "too many" in relay.fault)
    asked: list[int] = []
    pending = bench.outbox.pending

    async def counted(limit: int, without: Collection[str] = ()) -> Sequence[OutboxRecord]:
        asked.append(limit)
        return await pending(limit, without)

    monkeypatch.setattr(bench.outbox, "pending", counted)
    await asyncio.sleep(0.5)
    assert 0 < len(asked) < 50
    assert bench.outbox.unpublished() == 10


async def test_readiness_while_nats_is_away(bench: Bench) -> None:
    relay = await bench.relay()
    await until(lambda: relay.connected)
    await bench.server.stop()
    await until(lambda: not relay.connected)
    bench.outbox.commit([event("a", 1)])
    await until(lambda: relay.lag > 0.2 and "NatsUnavailable" in relay.fault)
    await bench.server.start()
    await until(lambda: relay.connected and relay.lag == 0)
    assert bench.outbox.unpublished() == 0


async def test_cancelled_at_any_moment_it_ends(bench: Bench) -> None:
    """Python 3.11 and the client library swallow cancellations here and there; the relay must not run on."""
    chance = random.Random(1)
    for attempt in range(20):
        relay = Relay(bench.outbox, NatsStream(bench.connection(connect_timeout_s=0.3)), RealClock(), settings=QUICK)
        bench.outbox.relay_wake = relay.wake
        task = asyncio.create_task(relay.run())
        for number in range(chance.randrange(8)):
            bench.outbox.commit([event(f"l{attempt}-{number}", 1)])
            await asyncio.sleep(chance.random() * 0.02)
        if attempt % 2:
            await bench.kill_server()
        await asyncio.sleep(chance.random() * 0.1)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=30)
        assert done, "it was cancelled and runs on"
        assert not relay.connected


async def test_a_store_that_fails_does_not_end_the_relay(bench: Bench) -> None:
    bench.outbox.failures = [StoreUnavailable("disk"), ValueError("a defect")]
    relay = await bench.relay()
    bench.outbox.commit([event("a", 1)])
    await until(lambda: bench.outbox.unpublished() == 0)
    await until(lambda: relay.fault == "")


async def test_acknowledged_events_are_kept_and_then_forgotten(bench: Bench) -> None:
    old = event("old", 1)
    bench.outbox.commit([old, event("new", 1)])
    relay = await bench.relay(settings=RelaySettings(poll_s=0.05))
    await until(lambda: bench.outbox.unpublished() == 0)
    assert set(bench.outbox.rows) == {"ev_old_1", "ev_new_1"}
    bench.outbox.rows["ev_old_1"] = replace(bench.outbox.rows["ev_old_1"], published_at=now() - 8 * 86_400_000_000)
    relay._forgot_at = 0
    relay.wake()
    await until(lambda: set(bench.outbox.rows) == {"ev_new_1"})
