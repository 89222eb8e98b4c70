"""Questions to the record: filters, pages, and what is not visible is not there."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.domain.queries import DocumentFilter, QueueDepth, QueueState, TransactionFilter, Visible
from gateway.domain.records import TransactionRecord
from gateway.domain.transaction import Status
from gateway.store.errors import StatementFailed, StatementRefused, StoreUnavailable
from gateway.store.index_conditions import OPEN_STATUS
from gateway.store.reader import open_reader
from gateway.store.statement import Query
from gateway.store.store import Store, StoreUnit, open_store
from gateway.store.url import parse_url
from tests.store.made import (
    NOW,
    a_cross_reference,
    a_document,
    a_lineage,
    a_pin,
    a_step,
    a_transaction,
    an_entry,
    an_event,
    insert_transaction_with_job,
)
from tests.store.postgres import RunningServer

EVERYTHING = Visible()
GERMANY = Visible(geographies=frozenset({"DE"}))
NOTHING = Visible(business_units=frozenset())


async def _three(store: Store) -> list[TransactionRecord]:
    records = [
        a_transaction(external_id="SO-1", status=Status.POSTED, erp_document_number="4711", system_id="legacy-main"),
        a_transaction(external_id="SO-2", status=Status.IN_DOUBT, geography="FR", accepted_at=NOW + 10),
        a_transaction(domain="invoices", status=Status.WAITING, business_unit="wholesale", accepted_at=NOW + 20),
    ]

    async def write(unit: StoreUnit) -> None:
        for record in records:
            await unit.insert_transaction(record)

    await store.write(write)
    return records


async def test_statuses_of_several(store: Store) -> None:
    first, _, third = await _three(store)
    asked = [first.transaction_id, third.transaction_id, "txn_none"]
    assert await store.reads.statuses(asked) == {
        first.transaction_id: Status.POSTED,
        third.transaction_id: Status.WAITING,
    }
    assert await store.reads.statuses([]) == {}


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (TransactionFilter(), [2, 1, 0]),
        (TransactionFilter(external_id="SO-2"), [1]),
        (TransactionFilter(external_id="SO-2", source="billing"), []),
        (TransactionFilter(erp_document_number="4711", system_id="legacy-main"), [0]),
        (TransactionFilter(erp_document_number="4711", system_id="cloud-eu"), []),
        (TransactionFilter(status="posted"), [0]),
        (TransactionFilter(status="in_doubt"), [1]),
        (TransactionFilter(domain="orders"), [1, 0]),
        (TransactionFilter(lineage_id="lin_1", domain="invoices"), [2]),
        (TransactionFilter(business_units=frozenset({"wholesale", "x"})), [2]),
        (TransactionFilter(geographies=frozenset()), []),
        (TransactionFilter(accepted_from=NOW + 10, accepted_until=NOW + 20), [1]),
        (TransactionFilter(operation="create"), [2, 1, 0]),
        (TransactionFilter(operation="cancel"), []),
        (TransactionFilter(client="billing"), []),
        (TransactionFilter(document_id="doc_1", client="salesforce", domain="invoices"), [2]),
        (TransactionFilter(document_id="doc_2"), []),
    ],
)
async def test_transactions_are_filtered(store: Store, where: TransactionFilter, found: list[int]) -> None:
    records = await _three(store)
    assert await store.reads.transactions(where, EVERYTHING, 10, None) == [records[n] for n in found]


async def test_transactions_come_in_pages(store: Store) -> None:
    records = await _three(store)
    first = await store.reads.transactions(TransactionFilter(), EVERYTHING, 2, None)
    assert first == records[:0:-1]
    rest = await store.reads.transactions(TransactionFilter(), EVERYTHING, 2, first[-1].transaction_id)
    assert rest == records[:1]


async def test_what_is_not_visible_is_not_there(store: Store) -> None:
    german, french, _ = await _three(store)
    assert await store.reads.transaction(german.transaction_id, GERMANY) == german
    assert await store.reads.transaction(french.transaction_id, GERMANY) is None
    assert await store.reads.transaction(german.transaction_id, NOTHING) is None
    assert french not in await store.reads.transactions(TransactionFilter(), GERMANY, 10, None)
    assert await store.reads.transactions(TransactionFilter(), NOTHING, 10, None) == []


async def test_a_lineage_shows_what_is_visible_of_it(store: Store) -> None:
    lineage = a_lineage()
    order = a_document(lineage_id=lineage.lineage_id)
    invoice = a_document(lineage_id=lineage.lineage_id, domain="invoices", geography="FR")
    first = a_transaction(lineage_id=lineage.lineage_id, document_id=order.document_id)
    second = a_transaction(lineage_id=lineage.lineage_id, document_id=invoice.document_id, geography="FR")
    numbers = [a_cross_reference(order.document_id), a_cross_reference(invoice.document_id, document_number="2")]

    async def write(unit: StoreUnit) -> None:
        await unit.insert_lineage(lineage)
        await unit.insert_pin(a_pin(lineage.lineage_id))
        for document, transaction in ((order, first), (invoice, second)):
            await unit.insert_document(document)
            await unit.insert_transaction(transaction)
        for number in numbers:
            await unit.insert_cross_reference(number)

    await store.write(write)
    whole = await store.reads.lineage(lineage.lineage_id, EVERYTHING)
    assert whole is not None
    assert whole.lineage == lineage
    assert whole.pin == a_pin(lineage.lineage_id)
    assert whole.documents == [invoice, order]
    assert whole.transactions == [second, first]
    assert whole.cross_references == numbers
    part = await store.reads.lineage(lineage.lineage_id, GERMANY)
    assert part is not None
    assert (part.documents, part.transactions, part.cross_references) == ([order], [first], numbers[:1])
    assert await store.reads.lineage(lineage.lineage_id, NOTHING) is None
    assert await store.reads.lineage("lin_none", EVERYTHING) is None


async def test_documents_are_filtered_and_paged(store: Store) -> None:
    documents = [a_document(external_id=f"SO-{n}", geography="DE" if n else "FR") for n in range(3)]

    async def write(unit: StoreUnit) -> None:
        for document in [*documents, a_document(domain="invoices", external_id="SO-1")]:
            await unit.insert_document(document)

    await store.write(write)
    orders = DocumentFilter("orders")
    assert await store.reads.documents(orders, EVERYTHING, 10, None) == documents[::-1]
    assert await store.reads.documents(orders, EVERYTHING, 1, documents[2].document_id) == [documents[1]]
    assert await store.reads.documents(orders, GERMANY, 10, None) == documents[:0:-1]
    assert await store.reads.documents(replace(orders, external_id="SO-1"), EVERYTHING, 9, None) == [documents[1]]
    assert await store.reads.documents(replace(orders, source="billing"), EVERYTHING, 9, None) == []
    assert await store.reads.document(documents[0].document_id, EVERYTHING) == documents[0]
    assert await store.reads.document(documents[0].document_id, GERMANY) is None


async def test_entries_come_by_trace_and_by_lineage(store: Store) -> None:
    one, two = a_transaction(), a_transaction()
    entries = [
        an_entry(trace=two.transaction_id, seq=1, at=NOW + 1),
        an_entry(trace=one.transaction_id, seq=2, at=NOW + 2),
        an_entry(trace=one.transaction_id, seq=1, at=NOW),
        an_entry(trace="another", seq=1, at=NOW),
    ]

    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(one)
        await unit.insert_transaction(two)
        await unit.insert_entries(entries)
        await unit.insert_step(a_step(one.transaction_id))

    await store.write(write)
    assert await store.reads.entries(one.transaction_id) == [entries[2], entries[1]]
    assert await store.reads.lineage_entries("lin_1") == [entries[2], entries[0], entries[1]]
    (step,) = await store.reads.steps(one.transaction_id)
    assert step.transaction_id == one.transaction_id


async def test_the_queues_say_how_much_waits_and_how_long(store: Store) -> None:
    assert await store.reads.queue_state(NOW) == QueueState(0, 0.0, 0, 0.0)

    async def write(unit: StoreUnit) -> None:
        for accepted_at, due_at, job in (
            (NOW - 2_500_000, NOW - 1_500_000, {"system_id": "legacy-main"}),
            (NOW - 2_400_000, NOW - 500_000, {"system_id": "legacy-main", "lease_owner": "prc_1", "lease_until": NOW}),
            (NOW - 2_300_000, NOW - 500_000, {"system_id": "legacy-main", "waiting_for": "txn_1"}),
            (NOW - 9_000_000, NOW - 1, {"lane": "bulk", "lease_owner": "prc_1", "lease_until": NOW + 1}),
            (NOW - 4_000_000, NOW + 60_000_000, {"lane": "bulk"}),
            (NOW - 3_000_000, NOW + 60_000_000, {"lane": "bulk", "waiting_for": "txn_1"}),
        ):
            waiting = a_transaction(accepted_at=accepted_at)
            await insert_transaction_with_job(unit, waiting, due_at=due_at, **job)
        await unit.insert_events([an_event("lin_1", 1, created_at=NOW - 1_000_000), an_event("lin_1", 2)])
        await unit.insert_transaction(a_transaction(status=Status.IN_DOUBT))

    await store.write(write)
    depths = (
        QueueDepth("bulk", "", under_way=1, waiting=1, put_off=1, due=0, oldest_s=4.0, oldest_due_s=0.0),
        QueueDepth("interactive", "legacy-main", 0, 0, 0, due=3, oldest_s=2.5, oldest_due_s=1.5),
    )
    assert await store.reads.queue_state(NOW) == QueueState(5, 4.0, 2, 1.0, in_doubt=1, depths=depths)


async def test_reading_connections_cannot_write(url: str) -> None:
    opened = open_reader(parse_url(url))
    with pytest.raises((StatementFailed, StoreUnavailable), match=r"read-?only"):
        await opened.all(Query(text("INSERT INTO streams VALUES ('a', 1, 1) RETURNING stream"), str))
    await opened.close()


@pytest.mark.postgres
async def test_what_postgresql_does_not_take_whatever_the_rows_say(postgres_url: str) -> None:
    opened = open_reader(parse_url(postgres_url))
    for wrong in ("SELECT nothing FROM pg_class", "SELECT 1 FROM nowhere"):
        with pytest.raises(StatementRefused, match="does not exist"):
            await opened.all(Query(text(wrong), str))
    await opened.close()


async def test_a_read_that_takes_too_long_is_ended(url: str) -> None:
    opened = open_reader(parse_url(url), read_s=0.2)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(StoreUnavailable):
        await opened.all(Query(text(endless), int))
    assert await opened.is_alive()
    await opened.close()


async def test_one_moment_is_one_moment(store: Store) -> None:
    count = Query(text("SELECT count(*) FROM lineages"), int)
    async with store.reads._reader.moment() as moment:
        assert await moment.all(count) == [0]
        await store.write(lambda unit: unit.insert_lineage(a_lineage()))
        assert await moment.all(count) == [0]
    assert await store.reads._reader.all(count) == [1]


async def test_reads_run_beside_writes(store: Store) -> None:
    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(a_transaction())

    async def read() -> None:
        await store.reads.transactions(TransactionFilter(), EVERYTHING, 10, None)

    await asyncio.gather(*(store.write(write) for _ in range(20)), *(read() for _ in range(20)))
    assert len(await store.reads.transactions(TransactionFilter(), EVERYTHING, 100, None)) == 20


@pytest.mark.postgres
async def test_a_database_that_is_gone_is_not_alive(postgres_server: RunningServer, postgres_template: str) -> None:
    name = postgres_server.create_database(postgres_template)
    store = await open_store(postgres_server.url(name))
    assert await store.reads.is_alive()
    postgres_server.drop_database(name)
    assert not await store.reads.is_alive()
    with pytest.raises(StoreUnavailable):
        await store.write(lambda unit: unit.insert_lineage(a_lineage()))
    with pytest.raises(StoreUnavailable):
        await store.reads.entries("txn_1")
    await store.close()


PLANS = {
    "SELECT * FROM transactions WHERE external_id = ? ORDER BY transaction_id DESC LIMIT 50": "by_external_id",
    "SELECT * FROM transactions WHERE erp_document_number = ? ORDER BY transaction_id DESC": "erp_document_number",
    f"SELECT * FROM transactions WHERE status = ? AND {OPEN_STATUS} ORDER BY transaction_id DESC": "open_by",  # noqa: S608
    "SELECT * FROM transactions WHERE lineage_id = ? ORDER BY transaction_id DESC LIMIT 5": "by_lineage_id",
    "SELECT * FROM ledger_entries WHERE trace = ? ORDER BY seq": "ledger_entries",
    "SELECT * FROM outbox WHERE published_at IS NULL ORDER BY position LIMIT 100": "unpublished_by_position",
    "SELECT * FROM documents WHERE domain = ? AND document_id < ? ORDER BY document_id DESC": "by_domain",
    "SELECT * FROM jobs WHERE lease_owner IS NULL AND waiting_for IS NULL AND lane = ? AND system_id = ?"
    " AND due_at <= ? ORDER BY priority, due_at LIMIT 10": "jobs_free",
    "SELECT * FROM jobs WHERE lease_owner IS NOT NULL AND lease_until <= ? ORDER BY lease_until": "jobs_leased",
    "SELECT * FROM jobs WHERE waiting_for IS NOT NULL AND due_at <= ? ORDER BY due_at": "jobs_waiting_by_due_at",
    "SELECT * FROM jobs WHERE waiting_for = ?": "jobs_by_waiting_for",
}


@pytest.mark.parametrize("sql", PLANS)
async def test_every_business_key_has_its_index(sqlite_url: str, sql: str) -> None:
    connection = sqlite3.connect(Path(sqlite_url.removeprefix("sqlite:///")))
    plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", ["x"] * sql.count("?")))
    connection.close()
    assert PLANS[sql] in plan
    assert "jobs" not in sql or "TEMP B-TREE" not in plan
    assert "SCAN" not in plan.replace("SCAN outbox USING INDEX", "")
