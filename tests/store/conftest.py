"""Every test of the store that asks for `url` or `store` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.store.store import Store, open_store
from tests.migrated import migrated_file
from tests.simulation.memory_store import memory_store


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A migrated file of this test's own."""
    return migrated_file(tmp_path / "store.db")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own, once of each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"
    found: str = request.getfixturevalue(name)
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres), "memory"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """The store on either database, and the one in memory that the simulation lives on."""
    if request.param == "memory":
        opened = memory_store()
    else:
        name = "sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"
        opened = await open_store(request.getfixturevalue(name))
    yield opened
    await opened.close()
