"""The record of a data directory, for commands that read or write it themselves."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from gateway.cli.console import settings_of
from gateway.cli.running import run
from gateway.store.store import Store, open_store
from gateway.store.url import SqliteDatabase, parse_url
from gateway.telemetry import configure_logs
from gateway.wiring.database_url import store_url
from gateway.wiring.only_writer import only_writer

T = TypeVar("T")


@asynccontextmanager
async def opened_store(data: Path) -> AsyncIterator[Store]:
    """The record of a data directory, whether its gateway runs or not. What goes wrong behind it is told on stderr,
    as a process tells it: an answer on stdout is for programs."""
    configure_logs(logging.WARNING)
    store = await open_store(store_url(data, settings_of(data)))
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def store_taken(data: Path) -> AsyncIterator[Store]:
    """The record for a command that writes it. On SQLite nobody else writes meanwhile: raises AlreadyRunning where a
    gateway does."""
    sqlite = isinstance(parse_url(store_url(data, settings_of(data))), SqliteDatabase)
    release = only_writer(data) if sqlite else None
    try:
        async with opened_store(data) as store:
            yield store
    finally:
        if release is not None:
            await release()


def reading(data: Path, ask: Callable[[Store], Awaitable[T]]) -> T:
    """Ask the record one question."""

    async def whole() -> T:
        async with opened_store(data) as store:
            return await ask(store)

    return run(whole())


def writing(data: Path, do: Callable[[Store], Awaitable[T]]) -> T:
    """Do one thing to the record, as `store_taken` gives it."""

    async def whole() -> T:
        async with store_taken(data) as store:
            return await do(store)

    return run(whole())
