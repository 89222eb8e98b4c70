"""Fixtures for all tests: a real PostgreSQL server, and the store on either database."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from gateway.spared import spare_what_stays
from gateway.store.store import Store, open_store
from tests.migrated import migrate_in_a_thread, migrated_file
from tests.store.postgres import RunningServer, postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

BOTH = ("sqlite", "postgres")

# How long an example takes tells of the machine, which is shared, and of nothing that a test is about.
settings.register_profile("gateway", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("gateway")

# Left to itself, structlog shows each local variable of a traceback: of a whole rulebook that takes seconds, in which
# the event loop of a test stands still and a read of PostgreSQL meets its time limit.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_configure() -> None:
    """The tests are imported without the collector: nothing of that goes again."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was imported stays. The collector looked through it again and again, in a sixth of the tests' time."""
    gc.enable()
    spare_what_stays()


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
