"""Words of an ERP to which no row led any more are found again by what the entries commit to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.domain.identity import CROCKFORD, crockford
from gateway.store.migrate import migrate
from gateway.store.migrations.existing_words import Finds
from gateway.store.store import open_store
from tests.line.rig import Rig
from tests.privacy.said_again import TIMES, said_again
from tests.store.postgres import RunningServer

ROWS = text("SELECT exception_id, payload_id FROM earlier_words ORDER BY 1, 2")
VERSION = text("SELECT version_num FROM alembic_version")
WRITER_WAITS_MS = 500
"""The patience of a process that writes beside the migration: far below the store's."""
HOUR_MS = 3_600_000


@dataclass
class Before:
    """A database at v0025 with an exception of which the ERP said something else `TIMES` times."""

    url: str
    engine: AsyncEngine
    exception_id: str
    said: Sequence[str]

    async def run(self, sql: str, **values: Any) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(sql), values)

    async def redraw(self, payload_id: str) -> None:
        """What was said first has another id; the payload that it had is erased."""
        copied = "SELECT :new, salt, body FROM payloads WHERE payload_id = :of"
        await self.run(f"INSERT INTO payloads (payload_id, salt, body) {copied}", new=payload_id, of=self.said[0])
        gone = "UPDATE payloads SET body = NULL, salt = :none WHERE payload_id = :of"
        await self.run(gone, none=b"", of=self.said[0])

    async def rows(self) -> list[tuple[str, str]]:
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(ROWS)]

    def earlier(self, *numbers: int) -> list[tuple[str, str]]:
        """The rows that lead to these of what was said."""
        return [(self.exception_id, self.said[number]) for number in numbers]


def _later(payload_id: str, more_ms: int) -> str:
    """The id that this payload would have had so much later."""
    value = reduce(lambda above, char: above << 5 | CROCKFORD.index(char), payload_id.removeprefix("pay_"), 0)
    return f"pay_{crockford(value + (more_ms << 80), 26)}"


LATER = (
    "DROP INDEX steps_sent_again",
    "DROP INDEX steps_posted_twice",
    "ALTER TABLE steps DROP COLUMN once_unknown",
    "ALTER TABLE steps DROP COLUMN twice_at",
    "ALTER TABLE transactions DROP COLUMN customer_id",
    "CREATE INDEX steps_sent_again ON steps (system_id, dispatched_at) WHERE state = 'posted' AND attempt > 1",
)
"""What takes back the revisions after v0026."""


TRIGGERS = {"exceptions_keep_earlier_words": "exceptions", "documents_keep_earlier_customer": "documents"}


async def _to_v0025(connection: AsyncConnection) -> None:
    is_postgres = connection.dialect.name == "postgresql"
    for trigger, table in TRIGGERS.items():
        await connection.execute(text(f"DROP TRIGGER {trigger}{f' ON {table}' if is_postgres else ''}"))
    for statement in LATER:
        await connection.execute(text(statement))
    await connection.execute(text("DROP TABLE earlier_words"))
    for function in (*TRIGGERS, "earlier_words_only_grows") if is_postgres else ():
        await connection.execute(text(f"DROP FUNCTION {function}"))
    await connection.execute(text("UPDATE alembic_version SET version_num = 'v0025'"))


@pytest.fixture
async def before(migrated_url: str) -> AsyncIterator[Before]:
    store = await open_store(migrated_url)
    _, exception, said = await said_again(await Rig.on(store))
    await store.close()
    driver = "sqlite+aiosqlite://" if migrated_url.startswith("sqlite") else "postgresql+asyncpg://"
    engine = create_async_engine(migrated_url.replace(migrated_url.partition("://")[0] + "://", driver))
    made = Before(migrated_url, engine, exception.exception_id, [one.payload_id for one in said])
    assert await made.rows() == made.earlier(*range(TIMES - 1))
    async with engine.begin() as connection:
        await _to_v0025(connection)
    yield made
    await engine.dispose()


async def test_earlier_words_are_found_by_their_commitments(before: Before) -> None:
    await migrate(before.url)
    assert await before.rows() == before.earlier(*range(TIMES - 1))


async def test_erased_words_are_not_looked_for_in_the_whole_store(before: Before) -> None:
    """A body that is gone is found nowhere: the look ends with the time of its entry, not with the last payload."""
    await before.redraw(_later(before.said[0], 24 * HOUR_MS))
    await migrate(before.url)
    assert await before.rows() == before.earlier(*range(1, TIMES - 1))


async def test_words_are_found_though_a_clock_was_wrong(before: Before) -> None:
    drawn = _later(before.said[0], HOUR_MS // 2)
    await before.redraw(drawn)
    await migrate(before.url)
    assert set(await before.rows()) == {(before.exception_id, drawn), *before.earlier(*range(1, TIMES - 1))}


async def test_what_breaks_off_leaves_nothing_and_runs_again(before: Before, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Finds.write_down

    def breaks_off(finds: Finds, connection: Connection) -> None:
        whole(finds, connection)
        raise RuntimeError("the machine stops here")

    with monkeypatch.context() as broken:
        broken.setattr(Finds, "write_down", breaks_off)
        with pytest.raises(RuntimeError, match="stops here"):
            await migrate(before.url)
    async with before.engine.connect() as connection:
        assert (await connection.execute(VERSION)).scalar_one() == "v0025"
        assert not await connection.run_sync(lambda found: inspect(found).has_table("earlier_words"))
    await migrate(before.url)
    await migrate(before.url)
    assert await before.rows() == before.earlier(*range(TIMES - 1))


@pytest.mark.postgres
@pytest.mark.parametrize("migrated_url", ["postgres"], indirect=True)
async def test_a_process_of_the_version_before_writes_beside_the_look(
    before: Before, postgres_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for no look, and what it takes out of the row meanwhile is found."""
    name = urlsplit(before.url).path.removeprefix("/")
    postgres_server.execute(f"ALTER DATABASE {name} SET lock_timeout = {WRITER_WAITS_MS}")
    await before.run("UPDATE exceptions SET payload_id = :was", was=before.said[-2])
    whole, looks = Finds.look, []

    def beside(finds: Finds, connection: Connection) -> None:
        whole(finds, connection)
        looks.append(finds)
        if len(looks) == 1:
            newest = f"payload_id = '{before.said[-1]}'"
            postgres_server.execute(f"UPDATE exceptions SET {newest}, version = version + 1", name)  # noqa: S608

    monkeypatch.setattr(Finds, "look", beside)
    await migrate(before.url)
    assert await before.rows() == before.earlier(*range(TIMES - 1))


@pytest.mark.postgres
async def test_words_are_kept_in_a_schema_of_another_name(postgres_server: RunningServer) -> None:
    name = postgres_server.create_database()
    postgres_server.execute("CREATE SCHEMA erp", name)
    postgres_server.execute(f"ALTER DATABASE {name} SET search_path = erp")
    url = postgres_server.url(name)
    await migrate(url)
    store = await open_store(url)
    _, exception, said = await said_again(await Rig.on(store))
    await store.close()
    rows = postgres_server.execute("SELECT exception_id, payload_id FROM erp.earlier_words ORDER BY 2", name)
    assert [tuple(row) for row in rows] == [(exception.exception_id, one.payload_id) for one in said[:-1]]
    postgres_server.drop_database(name)
