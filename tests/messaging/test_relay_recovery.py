"""What the relay does about a stream, or a database, that is not what it was."""

from __future__ import annotations

import shutil
from pathlib import Path

from gateway.messaging.ports import Published, StreamMemory
from tests.messaging.conftest import Bench, lineages_in_order, until
from tests.messaging.outbox import event, now


async def test_published_again_after_the_stream_was_deleted(bench: Bench) -> None:
    stream = bench.stream()
    await bench.relay(stream)
    bench.outbox.commit([event(f"l{number}", 1) for number in range(30)])
    await until(lambda: bench.outbox.unpublished() == 0)
    before = bench.outbox.memory
    assert before is not None
    assert (await bench.api("STREAM.DELETE.ERP_STATUS"))["success"]
    # Nobody commits anything: the relay finds out by itself.
    await until(lambda: bench.outbox.memory is not None and bench.outbox.memory.created_at != before.created_at)
    await until(lambda: bench.outbox.unpublished() == 0)
    bench.outbox.commit([event("l0", 2)])
    await until(lambda: bench.outbox.unpublished() == 0)
    messages = await bench.stored(stream)
    assert len(messages) == 31
    assert lineages_in_order(messages)["l0"] == [1, 2]


async def test_published_again_to_a_new_stream_that_is_longer_than_the_old_one(bench: Bench) -> None:
    """Only its creation time tells that this is another stream; what it holds of ours is not stored again."""
    stream = bench.stream()
    created = (await stream.prepare()).created_at
    ours = [event(f"l{number}", 1) for number in range(20)]
    bench.outbox.commit(ours)
    await bench.outbox.mark_published([Published(one.event_id, index + 1) for index, one in enumerate(ours)], now())
    bench.outbox.memory = StreamMemory(stream.stream, created - 1, 20)
    await stream.publish_batch([*(event("foreign", number) for number in range(1, 40)), ours[0]], after=0)
    await bench.relay(stream)
    await until(lambda: bench.outbox.memory is not None and bench.outbox.memory.created_at == created)
    await until(lambda: bench.outbox.unpublished() == 0)
    numbers = lineages_in_order(await bench.stored(stream))
    assert numbers.pop("foreign") == list(range(1, 40))
    assert numbers == {f"l{number}": [1] for number in range(20)}


async def test_published_again_after_the_directory_was_wiped(bench: Bench) -> None:
    stream = bench.stream()
    await bench.relay(stream)
    bench.outbox.commit([event(f"l{number}", 1) for number in range(30)])
    await until(lambda: bench.outbox.unpublished() == 0)
    await bench.restart_wiped()
    bench.outbox.commit([event(f"l{number}", 2) for number in range(30)])
    await until(lambda: bench.outbox.unpublished() == 0 and bench.outbox.rows["ev_l29_2"].stream_sequence == 60)
    assert lineages_in_order(await bench.stored(stream)) == {f"l{number}": [1, 2] for number in range(30)}


async def test_published_again_after_an_older_backup_was_restored(bench: Bench) -> None:
    """The same stream, by its creation time, without its last twenty messages."""
    stream = bench.stream()
    await bench.relay(stream)
    bench.outbox.commit([event(f"l{number}", 1) for number in range(20)])
    await until(lambda: bench.outbox.unpublished() == 0)

    def save(directory: Path) -> None:
        shutil.copytree(directory / "jetstream", directory / "backup")

    def restore(directory: Path) -> None:
        shutil.rmtree(directory / "jetstream")
        shutil.copytree(directory / "backup", directory / "jetstream")

    await bench.restart_with(save)
    bench.outbox.commit([event(f"l{number}", 2) for number in range(20)])
    await until(lambda: bench.outbox.unpublished() == 0)
    await bench.restart_with(restore)
    bench.outbox.commit([event("l0", 3)])
    await until(lambda: bench.outbox.unpublished() == 0 and bench.outbox.rows["ev_l0_3"].stream_sequence == 41)
    numbers = lineages_in_order(await bench.stored(stream))
    assert numbers == {f"l{number}": [1, 2, 3] if number == 0 else [1, 2] for number in range(20)}


async def test_an_old_database_does_not_repeat_what_the_stream_holds(bench: Bench) -> None:
    """The outbox restored from an older back-up: its events are in the stream, and found there by their ids."""
    stream = bench.stream()
    created = (await stream.prepare()).created_at
    for number in range(1, 31):
        await stream.publish(event("a", number), after=number - 1)
    bench.outbox.memory = StreamMemory(stream.stream, created, 5)
    bench.outbox.commit([event("a", number) for number in range(6, 33)])
    await bench.relay(stream)
    await until(lambda: bench.outbox.unpublished() == 0)
    assert lineages_in_order(await bench.stored(stream)) == {"a": list(range(1, 33))}
