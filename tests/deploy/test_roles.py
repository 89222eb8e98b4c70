"""The gateway works with the rights that deploy/postgres gives it, and with these the ledger can only grow."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from gateway.domain.queries import Published
from gateway.errors import StoreUnavailable
from gateway.store.migrate import migrate
from gateway.store.schema import METADATA
from gateway.store.store import Store, open_store
from tests.deploy.conftest import Rights
from tests.line.rig import Rig, invoice, order

pytestmark = pytest.mark.postgres

GROWING = {
    "activations",
    "approvals",
    "draft_edits",
    "earlier_words",
    "ledger_entries",
    "log_announcements",
    "log_entries",
    "log_tiles",
    "rulebook_files",
    "waivers",
}


@pytest.fixture
async def store(rights: Rights) -> AsyncIterator[Store]:
    """The store as the gateway's role opens it; a start migrates first, and has nothing to do."""
    await migrate(rights.gateway)
    opened = await open_store(rights.gateway)
    yield opened
    await opened.close()


@pytest.fixture
async def connection(rights: Rights, store: Store) -> AsyncIterator[asyncpg.Connection]:
    """What somebody has who got hold of the gateway's password, on a record with an order in it."""
    rig = await Rig.on(store)
    await rig.send(order())
    await rig.settle()
    opened = await asyncpg.connect(rights.gateway)
    yield opened
    await opened.close()


async def test_the_line_needs_no_more(store: Store):
    rig = await Rig.on(store)
    rig.legacy.script = ["lost_answer", "reject"]
    unknown = await rig.send(order())
    await rig.settle()
    await rig.until(2.0)
    assert (await rig.record(unknown.transaction.transaction_id)).status == "posted"
    refused = await rig.send(order("10249"))
    await rig.settle()
    assert (await rig.record(refused.transaction.transaction_id)).status == "rejected"
    await rig.send(invoice(), "invoices")
    await rig.settle()
    pending = await store.outbox.pending(100)
    assert len(pending) > 10
    await store.outbox.mark_published([Published(one.event_id, n) for n, one in enumerate(pending, 1)], 5)
    assert await store.outbox.pending(100) == []
    assert await store.outbox.republish_after(3) == len(pending) - 3
    await store.outbox.mark_published([Published(one.event_id, n) for n, one in enumerate(pending, 1)], 5)
    assert await store.outbox.forget_published_before(6) == len(pending)


@pytest.mark.parametrize(
    "sql",
    [
        *(
            statement.format(table=table)
            for table in sorted(GROWING)
            for statement in (
                "DELETE FROM {table}",
                "TRUNCATE {table} CASCADE",
                "DROP TRIGGER {table}_no_change ON {table}",
                "ALTER TABLE {table} DISABLE TRIGGER ALL",
                "DROP TABLE {table}",
                "CREATE TRIGGER quiet BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_only_grows()",
            )
        ),
        "UPDATE ledger_entries SET body = body",
        "UPDATE activations SET rules = rules",
        "DROP FUNCTION ledger_entries_only_grows CASCADE",
        "SET session_replication_role = replica",
        "CREATE TABLE mine (x int)",
        "UPDATE alembic_version SET version_num = '0'",
        "INSERT INTO outbox (position, event_id) OVERRIDING SYSTEM VALUE VALUES (1, 'evt_1')",
        "SET ROLE postgres",
    ],
)
async def test_what_it_must_not_do_is_refused_by_the_rights_alone(connection: asyncpg.Connection, sql: str):
    """Not by the triggers, which a mistake in a migration could lose."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(sql)


async def test_earlier_words_are_kept_before_the_grants_of_a_new_version(rights: Rights, store: Store):
    """Processes of the version before go on between the owner's migration and his grants."""
    rig = await Rig.on(store)
    rig.legacy.script = ["reject"]
    await rig.send(order())
    await rig.settle()
    owner, gateway = await asyncpg.connect(rights.owner), await asyncpg.connect(rights.gateway)
    try:
        await owner.execute("REVOKE ALL ON earlier_words FROM gateway")
        was = await gateway.fetchval("SELECT payload_id FROM exceptions")
        await gateway.execute("UPDATE exceptions SET payload_id = 'pay_other'")
        assert await owner.fetchval("SELECT payload_id FROM earlier_words") == was
    finally:
        await owner.close()
        await gateway.close()


async def test_its_start_on_an_older_schema_ends_and_says_why(rights: Rights):
    owner = await asyncpg.connect(rights.owner)
    try:
        await owner.execute("UPDATE alembic_version SET version_num = 'v0001'")
    finally:
        await owner.close()
    with pytest.raises(StoreUnavailable, match="cannot migrate"):
        await migrate(rights.gateway)


async def test_every_table_of_the_schema_is_granted_as_its_kind_asks(rights: Rights):
    owner = await asyncpg.connect(rights.owner)
    try:
        for name, table in METADATA.tables.items():
            may = {
                verb: await owner.fetchval("SELECT has_table_privilege('gateway', $1, $2)", name, verb)
                for verb in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
            }
            changes = name not in GROWING
            assert may == {
                "SELECT": True, "INSERT": False, "UPDATE": changes, "DELETE": changes,
                "TRUNCATE": False, "REFERENCES": False, "TRIGGER": False,
            }, name  # fmt: skip
            for column in table.columns:
                by_column = await owner.fetchval(
                    "SELECT has_column_privilege('gateway', $1, $2, 'INSERT')", name, column.name
                )
                assert by_column is (column.identity is None), f"{name}.{column.name}"
    finally:
        await owner.close()
