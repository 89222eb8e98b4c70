"""Following the stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from gateway.messaging.tail import TailedEvent, tail
from tests.messaging.conftest import Bench, until
from tests.messaging.outbox import event


@contextlib.asynccontextmanager
async def following(
    bench: Bench, *, subjects: Sequence[str] = (), from_start: bool = False
) -> AsyncIterator[list[TailedEvent]]:
    """What a tail in the background has shown so far."""
    shown: list[TailedEvent] = []

    async def follow() -> None:
        async with contextlib.aclosing(tail(bench.stream(), subjects=subjects, from_start=from_start)) as events:
            async for one in events:
                shown.append(one)  # noqa: PERF401 - it is watched while it grows

    task = asyncio.create_task(follow())
    try:
        yield shown
    finally:
        task.cancel()
        await asyncio.wait([task])


def ids(shown: Sequence[TailedEvent]) -> list[str]:
    return [one.event["id"] for one in shown if one.event is not None]


async def _readers(bench: Bench) -> int:
    state = (await bench.api("STREAM.INFO.ERP_STATUS"))["state"]
    assert isinstance(state, dict)
    return int(state["consumer_count"])


async def _until_read_by(bench: Bench, count: int) -> None:
    """Until so many read. One that ends says so to the server, and waits for no answer."""
    async with asyncio.timeout(60):
        while await _readers(bench) != count:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


async def _reading(bench: Bench) -> None:
    """Until the tail has said from where it reads."""
    await _until_read_by(bench, 1)


async def test_from_the_start_and_on(bench: Bench) -> None:
    await bench.relay()
    bench.outbox.commit([event("a", number) for number in range(1, 601)])
    await until(lambda: bench.outbox.unpublished() == 0)
    async with following(bench, from_start=True) as shown:
        await until(lambda: len(shown) == 600)
        bench.outbox.commit([event("a", 601)])
        await until(lambda: len(shown) == 601)
    assert ids(shown) == [f"ev_a_{number}" for number in range(1, 602)]
    assert shown[0].subject == "erp.status.orders.BU-1.DE.posted"
    assert [one.stream_sequence for one in shown] == list(range(1, 602))
    await _until_read_by(bench, 0)  # nothing is left behind


async def test_from_now(bench: Bench) -> None:
    await bench.relay()
    bench.outbox.commit([event("a", 1)])
    await until(lambda: bench.outbox.unpublished() == 0)
    async with following(bench) as shown:
        await _reading(bench)
        bench.outbox.commit([event("a", 2)])
        await until(lambda: len(shown) == 1)
    assert ids(shown) == ["ev_a_2"]


async def test_by_subject(bench: Bench) -> None:
    await bench.relay()
    bench.outbox.commit([event("a", 1, "accepted"), event("a", 2, "posted"), event("b", 1, "rejected")])
    subjects = ["erp.status.*.*.*.posted", "erp.status.orders.BU-1.DE.rejected"]
    async with following(bench, subjects=subjects, from_start=True) as shown:
        await until(lambda: len(shown) == 2)
        bench.outbox.commit([event("c", 1, "accepted"), event("c", 2, "posted")])
        await until(lambda: len(shown) == 3)
    assert ids(shown) == ["ev_a_2", "ev_b_1", "ev_c_2"]


async def test_over_kills_and_a_new_stream(bench: Bench) -> None:
    """Every event once, in order, whatever happens to the server; not the past again when the stream is filled anew."""
    await bench.relay()
    bench.outbox.commit([event("before", 1)])
    await until(lambda: bench.outbox.unpublished() == 0)
    async with following(bench) as shown:
        await _reading(bench)
        expected: list[str] = []
        for number in range(1, 10):
            bench.outbox.commit([event("a", number)])
            expected.append(f"ev_a_{number}")
            if number in (3, 5):
                await bench.kill_server()
            if number == 7:
                await bench.restart_wiped()
            await until(lambda: len(shown) >= len(expected))
    assert ids(shown) == expected


async def test_before_there_is_a_stream(bench: Bench) -> None:
    async with following(bench) as shown:
        await asyncio.sleep(0.2)  # gives the tail time to fail at least once; longer changes nothing
        await bench.relay()
        bench.outbox.commit([event("a", 1)])
        await until(lambda: len(shown) == 1)
    assert ids(shown) == ["ev_a_1"]
