"""The rig on either database."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.store.store import Store, open_store
from tests.line.rig import Rig
from tests.line.split import split_rig
from tests.migrated import migrated_file


@pytest.fixture
async def rig(store: Store) -> Rig:
    return await Rig.on(store)


@pytest.fixture
async def unique_rig(store: Store) -> Rig:
    """Both ERPs refuse a second document with the same reference."""
    return await Rig.on(store, reference_unique=True)


@pytest.fixture
def run_rig() -> Callable[[Callable[[Rig], Awaitable[None]]], None]:
    """Run a scenario on a fresh rig of its own, for tests that hypothesis calls many times."""

    return lambda scenario: _run(scenario, Rig.on)


@pytest.fixture
def run_split() -> Callable[[Callable[[Rig], Awaitable[None]]], None]:
    """The same with a company code in each ERP."""
    return lambda scenario: _run(scenario, split_rig)


def _run(scenario: Callable[[Rig], Awaitable[None]], made: Callable[[Store], Awaitable[Rig]]) -> None:
    async def whole() -> None:
        with tempfile.TemporaryDirectory() as directory:
            url = migrated_file(Path(directory) / "gateway.db")
            store = await open_store(url)
            try:
                await scenario(await made(store))
            finally:
                await store.close()

    asyncio.run(whole())
