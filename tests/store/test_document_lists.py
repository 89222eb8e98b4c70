"""Lists of documents: every filter, pages that stay where they are while documents are added, and their indexes."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from gateway.domain.queries import DocumentFilter, TransactionFilter, Visible
from gateway.domain.records import DocumentRecord
from gateway.domain.transaction import Status
from gateway.store import schema
from gateway.store.documents import DOCUMENTS
from gateway.store.filters import newest_first, of_documents, of_transactions
from gateway.store.store import Store, StoreUnit
from gateway.store.transactions import TRANSACTIONS
from tests.store.made import NOW, a_cross_reference, a_document, a_transaction

EVERYTHING = Visible()
ORDERS = DocumentFilter("orders")


async def _three(store: Store) -> list[DocumentRecord]:
    made = [a_transaction(status=Status.POSTED), a_transaction(status=Status.IN_DOUBT)]
    documents = [
        a_document(
            external_id="SO-0",
            company_code="NW01",
            document_type="standard_order",
            currency_code="USD",
            posting_date="1996-07-04",
            customer_id="doc_C",
            transaction_id=made[0].transaction_id,
        ),
        a_document(
            company_code="NW02",
            currency_code="EUR",
            posting_date="1996-07-31",
            customer_id="doc_D",
            state="cancelled",
            transaction_id=made[1].transaction_id,
            created_at=NOW + 10,
        ),
        a_document(posting_date="1996-08-01", customer_id="doc_C", source="billing", created_at=NOW + 20),
    ]

    async def write(unit: StoreUnit) -> None:
        for transaction in made:
            await unit.insert_transaction(transaction)
        for document in [*documents, a_document(domain="invoices", customer_id="doc_C", posting_date="1996-07-04")]:
            await unit.insert_document(document)
        await unit.insert_cross_reference(a_cross_reference(documents[0].document_id))
        await unit.insert_cross_reference(
            a_cross_reference(documents[1].document_id, system_id="cloud-eu", valid_until=NOW)
        )

    await store.write(write)
    return documents


async def test_what_was_never_created_is_not_active(store: Store) -> None:
    statuses = [Status.WAITING, Status.REJECTED, Status.COMPENSATED, Status.CANCELLED, Status.CANCELLED]
    made = [a_transaction(status=status) for status in statuses]
    documents = [a_document(transaction_id=one.transaction_id) for one in made]
    # the last one was called off by its caller, and stands so
    documents[-1] = replace(documents[-1], state="cancelled")

    async def write(unit: StoreUnit) -> None:
        for one in made:
            await unit.insert_transaction(one)
        for document in [*documents, a_document()]:
            await unit.insert_document(document)

    await store.write(write)
    for state, found in (("active", [0]), ("not_created", [3, 2, 1]), ("cancelled", [4])):
        asked = replace(ORDERS, state=state)
        listed = await store.reads.documents(asked, EVERYTHING, 10, None)
        known = [one for one in listed if one.transaction_id is not None]
        assert known == [documents[n] for n in found]
        assert (len(listed) > len(known)) == (state == "active"), "what was imported stands"


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({}, [2, 1, 0]),
        ({"external_id": "SO-0"}, [0]),
        ({"source": "billing"}, [2]),
        ({"company_code": "NW01"}, [0]),
        ({"document_type": "standard_order"}, [0]),
        ({"currency_code": "EUR"}, [1]),
        ({"posting_date_from": "1996-07-31"}, [2, 1]),
        ({"posting_date_until": "1996-07-31"}, [0]),
        ({"posting_date_from": "1996-07-05", "posting_date_until": "1996-08-01"}, [1]),
        ({"customer_id": "doc_C"}, [2, 0]),
        ({"customer_id": "doc_C", "posting_date_until": "1996-08-01"}, [0]),
        ({"state": "active"}, [2, 0]),
        ({"state": "cancelled"}, [1]),
        ({"state": "reversed"}, []),
        ({"status": "posted"}, [0]),
        ({"status": "in_doubt"}, [1]),
        ({"status": "rejected"}, []),
        ({"system_id": "legacy-main"}, [0]),
        ({"erp_document_number": "0000004711"}, [1, 0]),
        ({"erp_document_number": "0000004711", "system_id": "cloud-eu"}, [1]),
        ({"erp_document_number": "4711"}, []),
        ({"created_from": NOW + 10}, [2, 1]),
        ({"created_from": NOW, "created_until": NOW + 20}, [1, 0]),
        ({"geographies": frozenset({"FR"})}, []),
    ],
)
async def test_documents_are_filtered(store: Store, where: dict[str, object], found: list[int]) -> None:
    documents = await _three(store)
    asked = replace(ORDERS, **where)  # type: ignore[arg-type]
    assert await store.reads.documents(asked, EVERYTHING, 10, None) == [documents[n] for n in found]


async def test_pages_stay_where_they_are_while_documents_are_added(store: Store) -> None:
    old = [a_document(customer_id="doc_C") for _ in range(5)]

    async def write(unit: StoreUnit, documents: list[DocumentRecord]) -> None:
        for document in documents:
            await unit.insert_document(document)

    await store.write(lambda unit: write(unit, old))
    where, seen, after = replace(ORDERS, customer_id="doc_C"), [], None
    while page := await store.reads.documents(where, EVERYTHING, 2, after):
        seen += page
        after = page[-1].document_id
        await store.write(lambda unit: write(unit, [a_document(customer_id="doc_C")]))
    assert seen == old[::-1]


@pytest.mark.parametrize(
    ("where", "index", "sorts"),
    [
        ({}, "documents_by_domain_document_id", False),
        ({"customer_id": "doc_C"}, "documents_by_customer_id", False),
        ({"customer_id": "doc_C", "state": "active"}, "documents_by_customer_id", False),
        ({"state": "cancelled"}, "documents_undone", False),
        ({"posting_date_from": "1996-07-01", "posting_date_until": "1996-08-01"}, "documents_by_posting_date", True),
        (
            {"posting_date_from": "1996-07-01", "posting_date_until": "1997-07-01"},
            "documents_by_domain_document_id",
            False,
        ),
        (
            {"customer_id": "doc_C", "posting_date_from": "1996-07-01", "posting_date_until": "1996-08-01"},
            "documents_by_customer_id",
            False,
        ),
    ],
)
async def test_a_page_is_a_range_of_an_index(
    sqlite_url: str, where: dict[str, object], index: str, sorts: bool
) -> None:
    asked = replace(ORDERS, **where)  # type: ignore[arg-type]
    key = schema.documents.c.document_id
    core = DOCUMENTS.selecting().where(*of_documents(asked), key < "doc_9").order_by(newest_first(asked)).limit(10)
    steps = _plan(sqlite_url, core)
    assert any(f"USING INDEX {index} " in step for step in steps), steps
    assert any("TEMP B-TREE" in step for step in steps) == sorts, steps


async def test_what_was_done_to_a_document_is_a_range_of_an_index(sqlite_url: str) -> None:
    key = schema.transactions.c.transaction_id
    core = TRANSACTIONS.selecting().where(*of_transactions(TransactionFilter(document_id="doc_1")), key < "txn_9")
    steps = _plan(sqlite_url, core.order_by(key.desc()).limit(10))
    assert any("transactions_by_document_id_transaction_id" in step for step in steps), steps
    assert not any("TEMP B-TREE" in step for step in steps), steps


def _plan(url: str, core: object) -> list[str]:
    text = str(core.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined]
    connection = sqlite3.connect(Path(url.removeprefix("sqlite:///")))
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}")]
    connection.close()
    return steps
