"""A record in which rulebooks came into force at starts goes on with the newest of them under its number."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from gateway.domain.activations import RulesState
from gateway.store.migrate import migrate
from gateway.store.store import open_store
from tests.store.test_migration_v0002 import SCRIPTS, _engine

INSERT = (
    "INSERT INTO activations (activation_number, table_version, governance_version, activated_at, activated_by, rules, "
    "governance) VALUES (:number, 't', 'g', 1, 'gateway', '{}', '{}')"
)


def _before(connection: Connection, numbers: list[int]) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "v0002")
    for number in numbers:
        connection.execute(text(INSERT), {"number": number})


@pytest.mark.parametrize(("numbers", "in_force"), [([1, 2, 3], 3), ([], 0)])
async def test_the_newest_activation_stays_in_force(store_url: str, numbers: list[int], in_force: int) -> None:
    engine = _engine(store_url)
    async with engine.begin() as connection:
        await connection.run_sync(_before, numbers)
    await engine.dispose()
    await migrate(store_url)
    store = await open_store(store_url)
    assert await store.write(lambda unit: unit.rules_state()) == RulesState(in_force, 0)
    await store.close()
