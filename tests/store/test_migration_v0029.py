"""Transactions of documents that were sent again for another customer get the one that their own payload names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.privacy.holds import WantedHold, set_hold
from gateway.store.migrate import migrate
from gateway.store.store import Store, open_store
from tests.line.rig import Rig, order
from tests.privacy.corrected import HANAR, corrected, named
from tests.privacy.desk import ADA, VINET, Desk
from tests.store.test_migration_v0002 import _engine

NEVER_AGAIN = "never-again"
"""The external id of an order that is sent once."""


@dataclass
class Before:
    """A database at v0028: of VINET, an order that was refused and sent again for HANAR, and one that was posted."""

    url: str
    engine: AsyncEngine
    desk: Desk
    first: str
    second: str
    once: str

    @property
    def store(self) -> Store:
        store: Store = self.desk.rig.store
        return store

    async def run(self, *statements: str) -> None:
        async with self.engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))

    async def to_v0028(self) -> None:
        is_postgres = self.engine.dialect.name == "postgresql"
        name = "documents_keep_earlier_customer"
        await self.run(
            f"DROP TRIGGER {name}{' ON documents' if is_postgres else ''}",
            *([f"DROP FUNCTION {name}"] if is_postgres else []),
            "ALTER TABLE transactions DROP COLUMN customer_id",
            "UPDATE alembic_version SET version_num = 'v0028'",
        )

    async def migrated(self) -> None:
        """To the newest schema."""
        await self.to_v0028()
        await migrate(self.url)

    async def customers(self) -> list[str | None]:
        """Of the first, the second, and the one that was sent once."""
        ids = await self.store.write(lambda unit: unit.documents_named([VINET, HANAR]))
        names = {ids[one].document_id: one.external_id for one in (VINET, HANAR)}
        records = [await self.desk.rig.record(one) for one in (self.first, self.second, self.once)]
        return [names.get(one.customer_id or "") for one in records]


@pytest.fixture
async def before(migrated_url: str) -> AsyncIterator[Before]:
    store = await open_store(migrated_url)
    desk = await Desk.on(store)
    first, second = await corrected(desk)
    once = (await desk.rig.send(order(NEVER_AGAIN))).transaction.transaction_id
    await desk.rig.settle()
    engine = _engine(migrated_url)
    yield Before(migrated_url, engine, desk, first, second, once)
    await engine.dispose()
    await store.close()


async def test_whom_the_payload_names(before: Before) -> None:
    """What was sent once and what was sent last have none: they are of their documents' customers."""
    await before.migrated()
    assert await before.customers() == ["VINET", None, None]
    assert await before.desk.audit() == []
    assert (await before.desk.erase()).erased == 2
    assert [await named(before.desk, one) for one in (before.first, before.second)] == [None, "HANAR"]
    assert (await before.desk.erase("key-2", HANAR)).erased == 1
    assert await before.desk.audit() == []


async def test_a_hold_keeps_what_was_there_before(before: Before) -> None:
    await before.migrated()
    await set_hold(before.desk.parts, ADA, WantedHold(reason="case", customer=VINET), "hold-1")
    assert (await before.desk.erase("key-2", HANAR)).erased == 0
    assert await named(before.desk, before.first) == "VINET"


async def test_what_was_erased_is_of_whose_erasure_it_went_with(before: Before) -> None:
    await before.run("UPDATE transactions SET customer_id = (SELECT max(customer_id) FROM documents)")
    buyer = (await before.desk.rig.record(before.first)).customer_id
    ids = await before.store.write(lambda unit: unit.documents_named([VINET, HANAR]))
    whose = next(one for one in (VINET, HANAR) if ids[one].document_id == buyer)
    assert (await before.desk.erase(name=whose)).erased == 3
    await before.migrated()
    assert await before.customers() == [whose.external_id, None, None]


async def test_what_nothing_tells_is_of_the_customer_of_its_document(before: Before) -> None:
    await before.run("DELETE FROM natural_keys WHERE domain = 'customers' AND external_id = 'VINET'")
    document = (await before.desk.rig.record(before.first)).document_id
    await before.migrated()
    assert (await before.desk.rig.record(before.first)).customer_id is None
    done = await before.desk.erase(name=HANAR)
    assert (await before.desk.rig.record(before.second)).document_id == document
    assert done.erased == 2


async def test_a_process_of_the_version_before_sends_one_again(before: Before) -> None:
    """It says nothing of customers of transactions: the database keeps whose the earlier one was."""
    rig: Rig = before.desk.rig
    rig.legacy.script = ["reject"]
    first = (await rig.send(order("10300"))).transaction.transaction_id
    await rig.settle()
    await before.migrated()
    again = await rig.send(order("10300", customer={"externalId": "HANAR"}), replaces=first)
    await rig.settle()
    made = [await rig.record(one) for one in (first, again.transaction.transaction_id)]
    ids = await before.store.write(lambda unit: unit.documents_named([VINET, HANAR]))
    assert [one.customer_id for one in made] == [ids[VINET].document_id, ids[HANAR].document_id]
    assert await before.desk.audit() == []
