"""A PostgreSQL as an operator sets it up: the schema is the owner's, the gateway has a role of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.store.migrate import migrate
from tests.deploy.postgres_programs import run_program
from tests.store.postgres import RunningServer

DEPLOY = Path(__file__).parents[2] / "deploy" / "postgres"


@dataclass(frozen=True)
class Rights:
    """A migrated database, with the URL of its owner and of the gateway's own role."""

    owner: str
    gateway: str


def _psql(url: str, sql: str) -> None:
    run_program("psql", "--no-psqlrc", "--quiet", url, stdin=sql)


@pytest.fixture
def rights(postgres_server: RunningServer, tmp_path: Path) -> Iterator[Rights]:
    """As an operator does it: the role, the schema, the grants; and the grants once more."""
    password = tmp_path / "gateway_password"
    password.write_text('it\'s a "password"\n', encoding="utf-8")
    database = postgres_server.create_database()
    role = (DEPLOY / "role.sql").read_text(encoding="utf-8").replace("/run/secrets/gateway_password", str(password))
    grants = (DEPLOY / "grants.sql").read_text(encoding="utf-8")
    owner = postgres_server.url(database)
    _psql(owner, role)
    try:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, migrate(owner)).result()
        for _ in range(2):
            _psql(owner, grants)
        yield Rights(owner, owner.replace("postgres@", "gateway@"))
    finally:
        postgres_server.drop_database(database)
        postgres_server.execute("DROP ROLE gateway")
