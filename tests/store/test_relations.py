"""Which document refers to which, and who may be changed while somebody follows it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.domain.queries import Visible
from gateway.domain.records import RelationRecord
from gateway.domain.transaction import Status
from gateway.store.errors import ConstraintViolated
from gateway.store.store import Store, StoreUnit, open_store
from tests.store.made import a_document, a_lineage, a_transaction
from tests.store.postgres import RunningServer


async def test_followers_are_those_that_stand_or_may_yet(store: Store) -> None:
    order = a_document()
    made = {
        status: (a_document(domain="invoices", transaction_id=f"txn_{status}"), status)
        for status in (Status.POSTED, Status.WAITING, Status.IN_DOUBT, Status.REJECTED, Status.CANCELLED)
    }
    imported = a_document(domain="invoices")
    undone = a_document(domain="invoices", state="reversed")
    related = a_document(domain="invoices")

    async def write(unit: StoreUnit) -> None:
        documents = [order, imported, undone, related, *(document for document, _ in made.values())]
        for document in documents:
            await unit.insert_document(document)
        for document, status in made.values():
            await unit.insert_transaction(a_transaction(transaction_id=document.transaction_id, status=status))
        for document in documents[1:]:
            kind = "relates" if document is related else "follows"
            fields = ("orderReference", "otherReference") if document is imported else ("orderReference",)
            await unit.insert_relations(
                [RelationRecord(document.document_id, field, order.document_id, kind) for field in fields]
            )

    await store.write(write)
    found = await store.write(lambda unit: unit.followers(order.document_id))
    stand = [made[Status.POSTED][0], made[Status.WAITING][0], made[Status.IN_DOUBT][0], imported]
    assert found == sorted(stand, key=lambda one: one.document_id)


async def test_what_a_document_refers_to_can_be_forgotten(store: Store) -> None:
    order, invoice = a_document(), a_document(domain="invoices")

    async def write(unit: StoreUnit) -> None:
        await unit.insert_document(order)
        await unit.insert_document(invoice)
        await unit.insert_relations(
            [RelationRecord(invoice.document_id, "orderReference", order.document_id, "follows")]
        )
        await unit.delete_relations(invoice.document_id)

    await store.write(write)
    assert await store.write(lambda unit: unit.followers(order.document_id)) == []


async def test_a_relation_needs_its_document(store: Store) -> None:
    with pytest.raises(ConstraintViolated):
        await store.write(lambda unit: unit.insert_relations([RelationRecord("doc_none", "f", "doc_none")]))


async def test_a_lineage_shows_relations_both_ways_and_none_to_what_is_hidden(store: Store) -> None:
    lineages = [a_lineage(), a_lineage()]
    contract = a_document(domain="contracts", lineage_id=lineages[0].lineage_id)
    invoice = a_document(domain="invoices", lineage_id=lineages[1].lineage_id)
    hidden = a_document(domain="invoices", lineage_id=lineages[1].lineage_id, geography="FR")
    relations = [
        RelationRecord(invoice.document_id, "contractReference", contract.document_id),
        RelationRecord(invoice.document_id, "orderReference", contract.document_id, "follows"),
        RelationRecord(hidden.document_id, "contractReference", contract.document_id),
    ]

    async def write(unit: StoreUnit) -> None:
        for lineage in lineages:
            await unit.insert_lineage(lineage)
        for document in (contract, invoice, hidden):
            await unit.insert_document(document)
        await unit.insert_relations(relations)

    await store.write(write)
    for lineage in lineages:
        everything = await store.reads.lineage(lineage.lineage_id, Visible())
        assert everything is not None
        assert everything.relations == relations
        germany = await store.reads.lineage(lineage.lineage_id, Visible(geographies=frozenset({"DE"})))
        assert germany is not None
        assert germany.relations == relations[:2]


@pytest.mark.postgres
async def test_those_who_follow_a_document_hold_it_together(migrated_postgres_url: str) -> None:
    store = await open_store(migrated_postgres_url)
    document = a_document()
    await store.write(lambda unit: unit.insert_document(document))
    both = asyncio.Barrier(2)

    async def follow(unit: StoreUnit) -> None:
        assert await unit.document(document.document_id, alone=False) == document
        await both.wait()

    await asyncio.wait_for(asyncio.gather(store.write(follow), store.write(follow)), 60)
    await store.close()


@pytest.mark.postgres
async def test_who_changes_a_document_holds_it_alone(
    postgres_server: RunningServer, migrated_postgres_url: str
) -> None:
    store = await open_store(migrated_postgres_url)
    document = a_document()
    await store.write(lambda unit: unit.insert_document(document))
    inside, go_on, order = asyncio.Event(), asyncio.Event(), []

    async def follow(unit: StoreUnit) -> None:
        await unit.document(document.document_id, alone=False)
        inside.set()
        await go_on.wait()
        order.append("followed")

    async def change(unit: StoreUnit) -> None:
        await unit.document(document.document_id, alone=True)
        order.append("changed")

    following = asyncio.create_task(store.write(follow))
    await inside.wait()
    changing = asyncio.create_task(store.write(change))
    async with asyncio.timeout(10):
        while not postgres_server.execute("SELECT 1 FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    go_on.set()
    await asyncio.gather(following, changing)
    assert order == ["followed", "changed"]
    await store.close()


async def test_an_update_changes_what_a_document_says(store: Store) -> None:
    before = a_document()
    after = replace(
        before, company_code="NW01", amount="1.00", customer_id="doc_C", state="cancelled", version=2, busy_with="txn_1"
    )

    async def write(unit: StoreUnit) -> None:
        await unit.insert_document(before)
        await unit.update_document(after)

    await store.write(write)
    found = await store.reads.document(before.document_id, Visible())
    assert found == after
    assert (before.etag, after.etag) == ("v1", "v2")
