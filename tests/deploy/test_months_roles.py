"""Months of the ledger are the owner's: the gateway's role writes into them and may do nothing to them."""

from __future__ import annotations

import asyncpg
import pytest

from gateway.errors import StoreUnavailable
from gateway.store.months import make_months
from gateway.store.owner import as_owner
from gateway.store.partitions import part_of
from gateway.store.store import open_store
from tests.deploy.conftest import Rights
from tests.ledger.month_world import JULY, JUNE, entry_of, trace_of

# ruff: noqa: S608  names of ours
pytestmark = pytest.mark.postgres


async def test_a_month_that_the_owner_makes_is_written_without_a_further_grant(rights: Rights):
    store = await open_store(rights.gateway)
    try:
        early = entry_of(trace_of(JUNE, 1), 1)
        await store.write(lambda unit: unit.insert_entries([early]))
        assert await as_owner(rights.owner, make_months) == [JUNE]
        later = entry_of(trace_of(JUNE, 2), 1)
        await store.write(lambda unit: unit.insert_entries([later]))
        assert await store.log.month_size(JUNE) == 2
        assert await store.log.archived_months() == []
        assert await store.log.month_missing(0) is None
    finally:
        await store.close()
    with pytest.raises(StoreUnavailable, match=r"permission denied|must be owner"):
        await as_owner(rights.gateway, lambda connection: make_months(connection, 9))
    gateway = await asyncpg.connect(rights.gateway)
    try:
        part = part_of(JUNE)
        for statement in (
            f"SELECT * FROM {part}",
            f"INSERT INTO {part} SELECT * FROM ledger_entries",
            f"DELETE FROM {part}",
            f"TRUNCATE {part}",
            f"DROP TABLE {part}",
            f"ALTER TABLE ledger_entries DETACH PARTITION {part}",
            f"CREATE TABLE {part_of(JULY)} PARTITION OF ledger_entries DEFAULT",
            f"ALTER TABLE {part} DISABLE TRIGGER ALL",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await gateway.execute(statement)
    finally:
        await gateway.close()
