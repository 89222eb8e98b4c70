"""Fixtures for all tests: a real PostgreSQL server, and the store on either database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.store.migrate import migrate
from gateway.store.store import Store, open_store
from tests.store.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

BOTH = ("sqlite", "postgres")


@pytest.fixture(params=BOTH)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of this test alone."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An open store at the newest schema, on either database."""
    await migrate(store_url)
    opened = await open_store(store_url)
    yield opened
    await opened.close()
