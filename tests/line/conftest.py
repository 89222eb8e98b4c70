"""The rig on either database."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.store.migrate import migrate
from gateway.store.store import Store, open_store
from tests.line.rig import Rig


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

    def run(scenario: Callable[[Rig], Awaitable[None]]) -> None:
        async def whole() -> None:
            with tempfile.TemporaryDirectory() as directory:
                url = f"sqlite:///{Path(directory) / 'gateway.db'}"
                await migrate(url)
                store = await open_store(url)
                try:
                    await scenario(await Rig.on(store))
                finally:
                    await store.close()

        asyncio.run(whole())

    return run
