"""Lists: each filter reaches the store, and pages hold together while the data grow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.api.document_list import filters_of
from gateway.api.domains import RESOURCES
from gateway.domain.ids import TimeOrderedIds
from gateway.domain.queries import DocumentFilter
from gateway.domain.transaction import Status
from gateway.store.store import Store, StoreUnit, open_store
from routing_rules import Governance
from routing_rules.rulebook import CompanyCode
from tests.api.conftest import HttpClient, World, in_this_loop
from tests.api.fakes import T0, an_id, transaction
from tests.api.rules import rulebook
from tests.migrated import migrated_file
from tests.store.made import a_document, a_lineage, a_transaction

CUSTOMER = an_id("doc", 77)
QUERY = (
    "externalId=SO-1&source=salesforce&businessUnit=Western&geography=EMEA&companyCode=1000&state=cancelled"
    "&status=posted&systemId=legacy-main&documentNumber=45&createdFrom=2026-11-23T00:00:00Z"
    "&createdUntil=2026-11-24T00:00:00Z&documentType=standard_order&currencyCode=EUR&postingDateFrom=2026-11-01"
    f"&postingDateUntil=2026-12-01&customerId={CUSTOMER}"
)
WANTED = DocumentFilter(
    domain="orders",
    external_id="SO-1",
    source="salesforce",
    business_units=frozenset({"Western"}),
    geographies=frozenset({"EMEA", "DE", "FR"}),
    company_code="1000",
    document_type="standard_order",
    currency_code="EUR",
    posting_date_from="2026-11-01",
    posting_date_until="2026-12-01",
    customer_id=CUSTOMER,
    state="cancelled",
    status="posted",
    system_id="legacy-main",
    erp_document_number="45",
    created_from=1_795_392_000_000_000,
    created_until=1_795_478_400_000_000,
)


async def test_every_filter_reaches_the_store(client: HttpClient, world: World) -> None:
    answer = await client.get(f"/v1/orders?{QUERY}", headers=world.token())
    assert answer.status_code == 200, answer.text
    assert world.reads.filters == [WANTED]


async def test_without_filters_nothing_is_narrowed(client: HttpClient, world: World) -> None:
    await client.get("/v1/journal_entries", headers=world.token())
    assert world.reads.filters == [DocumentFilter(domain="journal_entries")]


def test_a_list_has_the_filters_that_its_documents_have_members_for() -> None:
    of_documents = {"documentType", "currencyCode", "postingDateFrom", "postingDateUntil", "customerId"}
    for resource in RESOURCES:
        names = {one.name for one in filters_of(resource)}
        missing = of_documents - names
        assert missing == (
            of_documents
            if resource.domain in {"customers", "products"}
            else {"customerId"}
            if resource.domain == "journal_entries"
            else set()
        )


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("orders?documentNumber=45", "systemId"),
        ("orders?state=gone", "state"),
        ("orders?status=done", "status"),
        ("orders?postingDateFrom=2026-02-30", "postingDateFrom"),
        ("orders?postingDateUntil=yesterday", "postingDateUntil"),
        ("orders?customerId=ACC-1", "customerId"),
        ("orders?createdFrom=2026-11-23", "createdFrom"),
        ("products?currencyCode=EUR", "currencyCode"),
        ("journal_entries?customerId=" + CUSTOMER, "customerId"),
        ("transactions?operation=delete", "operation"),
        ("transactions?documentId=x", "documentId"),
    ],
)
async def test_filters_out_of_form(client: HttpClient, world: World, path: str, field: str) -> None:
    answer = await client.get(f"/v1/{path}", headers=world.token())
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert world.reads.filters == []


async def test_transactions_of_one_document(client: HttpClient, world: World) -> None:
    query = f"operation=change&documentId={an_id('doc', 1)}"
    assert (await client.get(f"/v1/transactions?{query}", headers=world.token())).status_code == 200
    where: Any = world.reads.filters[0]
    assert (where.operation, where.document_id) == ("change", an_id("doc", 1))


async def test_what_was_refused_is_told_from_what_stands(client: HttpClient, world: World) -> None:
    world.reads.hold(transaction(1))
    world.reads.hold(transaction(2, status=Status.REJECTED, erp_document_number=None))
    for path, member in (("/v1/orders", "items"), (f"/v1/lineages/{an_id('lin', 2)}", "documents")):
        shown = (await client.get(path, headers=world.token())).json()[member]
        assert (shown[0]["state"], shown[0]["status"]) == ("not_created", "rejected")
        assert [(one["state"], one["status"]) for one in shown[1:]] == (
            [("active", "posted")] if member == "items" else []
        )
    imported = replace(world.reads.documents_held[0], transaction_id=None)
    world.reads.documents_held[:] = [imported]
    (shown,) = (await client.get("/v1/orders", headers=world.token())).json()["items"]
    assert shown["status"] is None


async def test_a_summary_shows_what_can_be_asked_for(client: HttpClient, world: World) -> None:
    world.reads.hold(transaction(1))
    item = (await client.get("/v1/orders", headers=world.token())).json()["items"][0]
    assert (item["companyCode"], item["documentType"], item["amount"], item["currencyCode"]) == (
        "1000", "standard_order", "30.94", "EUR",
    )  # fmt: skip
    assert (item["postingDate"], item["customerId"], item["state"], item["version"]) == (
        "2026-11-23",
        None,
        "active",
        1,
    )
    assert item["documentUrl"] == f"/v1/orders/{item['documentId']}"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = migrated_file(tmp_path / "gateway.db")
    opened = await open_store(url)
    yield opened
    await opened.close()


class Growth:
    """Writes orders with their transactions, in the order of their ids as the line does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._micros = T0
        self._ids = TimeOrderedIds(lambda: self._micros, lambda bits: 1 << (bits - 2))

    async def add(self, count: int) -> tuple[list[str], list[str]]:
        """Ids of the documents and of the transactions that came."""
        documents, transactions = [], []
        for _ in range(count):
            self._micros += 700
            lineage = a_lineage(lineage_id=self._ids.new("lin"))
            document = a_document(document_id=self._ids.new("doc"), lineage_id=lineage.lineage_id)
            record = a_transaction(
                transaction_id=self._ids.new("txn"), lineage_id=lineage.lineage_id, document_id=document.document_id
            )

            async def write(unit: StoreUnit, rows: Any = (lineage, document, record)) -> None:
                await unit.insert_lineage(rows[0])
                await unit.insert_document(rows[1])
                await unit.insert_transaction(rows[2])

            await self._store.write(write)
            documents.append(document.document_id)
            transactions.append(record.transaction_id)
        return documents, transactions


@pytest.mark.parametrize(("path", "member"), [("/v1/orders", "documentId"), ("/v1/transactions", "transactionId")])
async def test_pages_hold_together_while_data_grow(world: World, store: Store, path: str, member: str) -> None:
    """Between any two pages more comes in: every old row is seen exactly once, in order."""
    growth = Growth(store)
    index = 0 if member == "documentId" else 1
    old = (await growth.add(10))[index]
    seen: list[str] = []
    query: str | None = "?pageSize=3"
    async with in_this_loop(replace(world.parts(), reads=store.reads)) as client:
        while query is not None:
            body = (await client.get(path + query, headers=world.token())).json()
            seen += [one[member] for one in body["items"]]
            query = body["nextCursor"] and f"?pageSize=3&cursor={body['nextCursor']}"
            await growth.add(2)
            assert len(seen) <= len(old), "new rows come in before the first page, never between"
    assert seen == sorted(old, reverse=True)


KNOWN = {
    "systemId=erp-9": ("'erp-9' is not a system of the rulebook", "Known: gateway, legacy-main."),
    "companyCode=1001": ("'1001' is not a company code of the rulebook", "Known: 1000, 2000."),
    "currencyCode=ZZZ": ("is not a currency", "Use a code of ISO 4217; company codes keep their books in EUR."),
    "currencyCode=XXX": ("is not a currency", "Use a code of ISO 4217; company codes keep their books in EUR."),
}


@pytest.mark.parametrize("query", KNOWN)
async def test_what_nobody_knows_is_refused_with_what_is_known(world: World, query: str) -> None:
    """An empty list would say that there is nothing, where the question was wrong."""
    codes = {"1000": CompanyCode("1000", "One", "EUR", None), "2000": CompanyCode("2000", "Two", None, None)}
    book = replace(rulebook(), governance=Governance(company_codes=codes))
    async with world.client(rulebook=lambda: book) as client:
        for domain in ("orders", "transactions") if query.startswith("systemId") else ("orders",):
            answer = await client.get(f"/v1/{domain}?{query}", headers=world.token())
            (error,) = answer.json()["errors"]
            assert (answer.status_code, error["field"]) == (400, query.partition("=")[0])
            assert (error["message"], error["remedy"]) == KNOWN[query]
        assert (await client.get("/v1/orders?companyCode=2000&systemId=gateway", headers=world.token())).is_success


async def test_a_rulebook_without_company_codes_knows_nothing_about_them(client: HttpClient, world: World) -> None:
    assert (await client.get("/v1/orders?companyCode=1001", headers=world.token())).status_code == 200
