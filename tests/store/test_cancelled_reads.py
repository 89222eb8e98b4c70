"""A read that is cancelled ends as cancelled, on either database: a task that reads again and again could not be ended
otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text

from gateway.store.reader import Reader, open_reader
from gateway.store.statement import Query
from gateway.store.url import parse_url

LONG = {
    True: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT max(i) FROM n",
    False: "SELECT 1 FROM pg_sleep(5)",
}
"""A statement that takes a second or more, longer than a busy machine keeps this process waiting; by whether it is for
SQLite."""
ONE: Query[int] = Query(text("SELECT 1"), int)


@pytest.fixture
async def reader(url: str) -> AsyncIterator[Reader]:
    opened = open_reader(parse_url(url))
    yield opened
    await opened.close()


async def _in_a_moment(reader: Reader, long: Query[int]) -> None:
    async with reader.moment() as moment:
        await moment.all(ONE)
        await moment.all(long)


async def _alone(reader: Reader, long: Query[int]) -> None:
    await reader.all(long)


@pytest.mark.parametrize("read", [_alone, _in_a_moment])
@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.003, 0.01, 0.05])
async def test_it_ends_as_cancelled_and_others_read_on(
    reader: Reader, read: Callable[[Reader, Query[int]], Awaitable[None]], after_s: float
) -> None:
    task = asyncio.ensure_future(read(reader, Query(text(LONG[reader.is_sqlite]), int)))
    await asyncio.wait({task}, timeout=after_s)
    assert not task.done(), "it was to be cancelled while it reads"
    task.cancel()
    await asyncio.wait({task}, timeout=30.0)
    assert task.cancelled(), task
    assert await reader.one(ONE) == 1
