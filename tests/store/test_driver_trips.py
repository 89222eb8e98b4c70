"""A driver that trips over the end of its connection says nothing else than that the connection ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from gateway.store.errors import CommitUnknown, StoreUnavailable
from gateway.store.postgres_faults import translate
from gateway.store.postgres_unit import PostgresUnit
from gateway.store.postgres_writer import DEFAULT_LIMITS, PostgresWriter

Tripping = Callable[[], Awaitable[Any]]


def _tripping(error: Exception) -> Tripping:
    """A coroutine function of the driver that raises this."""
    place: dict[str, Any] = {"__name__": "asyncpg.protocol.protocol", "error": error}
    exec("async def trip(): raise error", place)  # noqa: S102 (so that its frame is of the driver's module)
    trip: Tripping = place["trip"]
    return trip


class _Connection:
    """Trips over the statement that begins so."""

    def __init__(self, word: str, trip: Tripping) -> None:
        self._word = word
        self._trip = trip
        self.is_terminated = False

    async def execute(self, sql: str, *_values: Any) -> str:
        if sql.startswith(self._word):
            await self._trip()
        return sql

    fetch = execute

    def is_closed(self) -> bool:
        return self.is_terminated

    def is_in_transaction(self) -> bool:
        return True

    def terminate(self) -> None:
        self.is_terminated = True


def _writer(connection: _Connection, released: Tripping | None = None) -> PostgresWriter:
    async def acquire(**_: Any) -> Any:
        return connection

    async def release(_connection: Any) -> None:
        if released is not None:
            await released()

    return PostgresWriter(SimpleNamespace(acquire=acquire, release=release), DEFAULT_LIMITS)


async def _locking(unit: PostgresUnit) -> int:
    await unit.lock(1, shared=False)
    return 7


TRIPS = (TypeError("'NoneType' object is not subscriptable"), asyncpg.InternalClientError("got result for state 3"))


@pytest.mark.parametrize("error", TRIPS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    ("word", "told"), [("BEGIN", StoreUnavailable), ("SELECT", StoreUnavailable), ("COMMIT", CommitUnknown)]
)
async def test_it_is_the_end_of_the_connection(error: Exception, word: str, told: type[Exception]):
    connection = _Connection(word, _tripping(error))
    with pytest.raises(told) as raised:
        await _writer(connection).write(_locking)
    assert isinstance(raised.value, CommitUnknown) == (word == "COMMIT")
    assert connection.is_terminated


@pytest.mark.parametrize("error", TRIPS, ids=lambda one: type(one).__name__)
async def test_what_is_on_disk_stays_said_when_its_connection_cannot_be_given_back(error: Exception):
    connection = _Connection("nothing", _tripping(error))
    connection.is_in_transaction = lambda: False  # type: ignore[method-assign]
    assert await _writer(connection, _tripping(error)).write(_locking) == 7


async def test_a_defect_of_ours_is_none():
    async def ours() -> None:
        raise TypeError("ours")

    with pytest.raises(TypeError, match="ours"):
        await _writer(_Connection("SELECT", ours)).write(_locking)


async def test_a_connection_that_trips_before_it_is_there():
    writer = _writer(_Connection("", _tripping(TypeError("x"))))
    trip = _tripping(TypeError("x"))

    async def acquire(**_: Any) -> Any:
        await trip()

    writer._pool.acquire = acquire
    with pytest.raises(StoreUnavailable):
        await writer.write(_locking)


async def test_only_what_the_driver_trips_over_is_translated_so():
    with pytest.raises(TypeError) as raised:
        await _tripping(TypeError("x"))()
    assert type(translate(raised.value)) is StoreUnavailable
    assert not isinstance(translate(TypeError("ours")), StoreUnavailable)
