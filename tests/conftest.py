"""Fixtures for all tests: a real PostgreSQL server, and the store on either database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.store.store import Store, open_store
from tests.migrated import migrate_in_a_thread, migrated_file
from tests.store.postgres import RunningServer, postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

BOTH = ("sqlite", "postgres")


@pytest.fixture(params=BOTH)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of this test alone, for tests that migrate it."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture(scope="session")
def postgres_template(postgres_server: RunningServer) -> str:
    """The name of a migrated database, to be copied."""
    name = postgres_server.create_database()
    migrate_in_a_thread(postgres_server.url(name))
    return name


@pytest.fixture
def migrated_postgres_url(postgres_server: RunningServer, postgres_template: str) -> Iterator[str]:
    """A migrated database of this test's own."""
    name = postgres_server.create_database(postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture(params=BOTH)
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of this test alone, at the newest schema."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("migrated_postgres_url")
        return url
    return migrated_file(tmp_path / "gateway.db")


@pytest.fixture
async def store(migrated_url: str) -> AsyncIterator[Store]:
    """An open store at the newest schema, on either database."""
    opened = await open_store(migrated_url)
    yield opened
    await opened.close()
