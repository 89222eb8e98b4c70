"""Of steps that were sent again before it was noted why, each is looked at once more."""

from __future__ import annotations

from dataclasses import asdict

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from gateway.domain.transaction import Status
from gateway.store import schema
from gateway.store.migrate import migrate
from gateway.store.store import open_store
from tests.store.made import NOW, a_step, a_transaction
from tests.store.test_migration_v0002 import SCRIPTS, _engine

RECORD = a_transaction(status=Status.POSTED)
STEPS = (
    a_step(RECORD.transaction_id, state="posted", attempt=3),
    a_step(RECORD.transaction_id, step=2, state="posted", attempt=1),
)


def _before(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "v0026")
    values = {name: value for name, value in asdict(RECORD).items() if name != "customer_id"}
    connection.execute(schema.transactions.insert(), values | {"pinned": int(values["pinned"])})
    for step in STEPS:
        kept = {name: value for name, value in asdict(step).items() if name not in {"once_unknown", "twice_at"}}
        connection.execute(schema.steps.insert().values(kept))


async def test_what_was_sent_again_before_is_looked_at(store_url: str) -> None:
    engine = _engine(store_url)
    async with engine.begin() as connection:
        await connection.run_sync(_before)
    await engine.dispose()
    await migrate(store_url)
    store = await open_store(store_url)
    assert [one.once_unknown for one in await store.reads.steps(RECORD.transaction_id)] == [1, 1]
    [found] = await store.reads.sent_again("legacy-main", (0, ""), NOW, 9)
    assert (found.transaction_id, found.step) == (RECORD.transaction_id, 1)
    await store.close()
