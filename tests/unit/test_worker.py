"""The worker claims for as long as its process lives, whatever a claim meets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from gateway.errors import StoreUnavailable
from gateway.worker import Worker

POLL_S = 0.05
LIMIT_S = 60.0


class Failing:
    """A line whose first claims fail."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked: list[bool] = []
        self.worker: Worker | None = None

    def when_place_is_free(self, tell: Callable[[], None]) -> None:
        pass

    async def work(self, *, everywhere: bool) -> int:
        self.asked.append(everywhere)
        if self.errors:
            assert self.worker is not None
            self.worker._woken.set()
            raise self.errors.pop(0)
        return 0


@pytest.mark.parametrize("error", [RuntimeError("a defect"), KeyError("x"), StoreUnavailable("away")])
async def test_a_claim_that_fails_is_made_again(error: Exception) -> None:
    line = Failing(error)
    line.worker = worker = Worker(line, poll_s=POLL_S)  # type: ignore[arg-type]
    with capture_logs() as logs:
        task = asyncio.create_task(worker.run())
        async with asyncio.timeout(LIMIT_S):
            while len(line.asked) < 3:  # noqa: ASYNC110 - the worker tells nobody
                await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    told = [one for one in logs if one["event"] == "jobs_not_claimed"]
    assert [one["log_level"] for one in told] == ["warning" if isinstance(error, StoreUnavailable) else "error"]


async def test_what_fails_again_and_again_is_not_tried_without_a_pause() -> None:
    """Though it is woken all the time; and the look that failed is made up for, everywhere."""
    line = Failing(*(RuntimeError("a defect") for _ in range(1_000)))
    line.worker = worker = Worker(line, poll_s=POLL_S)  # type: ignore[arg-type]
    loop = asyncio.get_running_loop()
    begun = loop.time()
    task = asyncio.create_task(worker.run())
    async with asyncio.timeout(LIMIT_S):
        while (asked := len(line.asked)) < 4:  # noqa: ASYNC110 - the worker tells nobody
            await asyncio.sleep(0.01)
    took_s = loop.time() - begun
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    # a busy machine makes the pauses longer, and nothing makes them shorter
    assert took_s > (asked - 1) * POLL_S * 0.9
    assert all(line.asked)


async def test_a_wake_during_a_claim_that_fails_is_not_forgotten() -> None:
    class Woken(Failing):
        async def work(self, *, everywhere: bool) -> int:
            if len(self.asked) == 1:
                assert self.worker is not None
                self.worker.wake()
                self.asked.append(everywhere)
                raise RuntimeError("a defect")
            return await super().work(everywhere=everywhere) or int(not self.asked[1:])

    line = Woken()
    line.worker = worker = Worker(line, poll_s=POLL_S)  # type: ignore[arg-type]
    task = asyncio.create_task(worker.run())
    async with asyncio.timeout(LIMIT_S):
        while len(line.asked) < 3:  # noqa: ASYNC110 - the worker tells nobody
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert line.asked[:3] == [True, False, True]
