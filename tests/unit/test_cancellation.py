"""A task that is told to end ends, whoever swallows that on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.cancellation import cancellable, end
from gateway.transactions.completions import Completions
from gateway.worker import Worker

LIMIT_S = 10.0


async def test_what_swallows_its_cancellation_is_cancelled_again() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while swallowed < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    async with asyncio.timeout(LIMIT_S):
        await end([task], 0.01)
    assert task.done()
    assert swallowed == 3


async def test_how_a_task_ended_before_is_nobodys_alarm() -> None:
    async def broken() -> None:
        raise RuntimeError

    task = asyncio.create_task(broken())
    await asyncio.wait({task})
    await end([task])
    assert isinstance(task.exception(), RuntimeError)


async def test_an_error_that_hides_a_cancellation_is_one() -> None:
    async def hides() -> None:
        with cancellable():
            try:
                await asyncio.Event().wait()
            finally:
                raise RuntimeError("on the way out")

    task = asyncio.create_task(hides())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=LIMIT_S)
    assert task.cancelled()


class _Idle:
    """A line with nothing to do."""

    def when_place_is_free(self, _call: Callable[[], None]) -> None:
        """Never."""

    async def work(self, *, everywhere: bool) -> int:
        return 0


def _worker() -> tuple[Callable[[], Awaitable[Any]], Callable[[], None]]:
    worker = Worker(_Idle(), poll_s=LIMIT_S)  # type: ignore[arg-type]
    return worker.run, worker.wake


def _caller() -> tuple[Callable[[], Awaitable[Any]], Callable[[], None]]:
    completions = Completions()

    async def waits_again_and_again() -> None:
        while True:
            await completions.wait("txn_1", LIMIT_S)

    def at_rest() -> None:
        for future in completions._waiting["txn_1"]:
            future.set_result(None)  # type: ignore[arg-type]

    return waits_again_and_again, at_rest


@pytest.mark.parametrize("made", [_worker, _caller])
@pytest.mark.parametrize("steps", range(8))
async def test_one_that_is_woken_and_cancelled_at_nearly_the_same_moment_ends(
    made: Callable[[], tuple[Callable[[], Awaitable[Any]], Callable[[], None]]], steps: int
) -> None:
    run, wake = made()
    task = asyncio.ensure_future(run())
    for _ in range(10):
        await asyncio.sleep(0)
    wake()
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=LIMIT_S / 2)
    assert task.cancelled(), "it goes on as if nobody had asked"
