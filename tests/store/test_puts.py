"""Rows that are put down are written in order, all of them, before anybody looks."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from gateway.store import postgres_puts, schema
from gateway.store.entries import ENTRIES
from gateway.store.errors import ConstraintViolated, UniqueViolated
from gateway.store.jobs import JOBS
from gateway.store.postgres_puts import is_plain_insert, merged
from gateway.store.statement import Command, Query
from gateway.store.store import Store, StoreUnit
from gateway.store.transactions import TRANSACTIONS
from tests.store.made import a_job, a_payload, a_step, a_transaction, an_entry, an_event, new_id

POSITIONS = Query(select(schema.outbox.c.sequence).order_by(schema.outbox.c.position), int)


@pytest.mark.parametrize("count", [1, 7, 250, 1_000])
async def test_rows_keep_their_order_however_many(store: Store, count: int) -> None:
    async def write(unit: StoreUnit) -> list[int]:
        await unit.insert_events([an_event("lin_1", n) for n in range(1, count + 1)])
        await unit.insert_payload(a_payload())
        await unit.insert_events([an_event("lin_1", count + 1)])
        return await unit._unit.all(POSITIONS)

    assert await store.write(write) == list(range(1, count + 2))


async def test_more_rows_than_one_statement_takes_are_all_written(store: Store) -> None:
    records = [a_transaction() for _ in range(3 * postgres_puts.ROWS + 1)]

    async def write(unit: StoreUnit) -> None:
        for record in records:
            await unit.insert_transaction(record)
            await unit.insert_job(a_job(record.transaction_id))

    await store.write(write)
    found = await store.write(lambda unit: unit.transactions([record.transaction_id for record in records]))
    assert list(found.values()) == records


async def test_what_was_put_down_is_there_for_the_next_question(store: Store) -> None:
    record = a_transaction()

    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(record)
        assert await unit.transaction(record.transaction_id) == record
        await unit.insert_step(a_step(record.transaction_id))
        assert len(await unit.steps(record.transaction_id)) == 1
        await unit.insert_job(a_job(record.transaction_id))
        await unit.delete_job(record.transaction_id)
        assert await unit.job(record.transaction_id) is None

    await store.write(write)


async def test_a_row_that_is_refused_fails_the_unit_wherever_it_is_written(store: Store) -> None:
    async def twice(unit: StoreUnit) -> None:
        await unit.insert_entries([an_entry(), an_entry()])

    async def orphan(unit: StoreUnit) -> None:
        await unit.insert_payload(a_payload(payload_id="pay_lost"))
        await unit.insert_job(a_job(new_id("txn")))

    with pytest.raises(UniqueViolated):
        await store.write(twice)
    with pytest.raises(ConstraintViolated):
        await store.write(orphan)
    assert await store.reads.payload("pay_lost") is None


def test_several_tables_are_one_statement() -> None:
    sql = merged(((TRANSACTIONS.insert, 1), (ENTRIES.insert, 2), (JOBS.insert, 1)))
    assert sql.count("INSERT INTO") == 3
    width = len(TRANSACTIONS.names) + 2 * len(ENTRIES.names) + len(JOBS.names)
    assert f"${width}::" in sql
    assert f"${width + 1}:" not in sql


def test_only_plain_inserts_are_put_down() -> None:
    assert is_plain_insert(JOBS.insert)
    assert not is_plain_insert(JOBS.insert_unless_there())
    with pytest.raises(ValueError, match="not a plain insert"):
        merged(((Command(text("DELETE FROM jobs")), 1),))
