"""Documents, the names they go by, and their numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.canonical import ErpNumber
from gateway.domain.queries import DocumentName
from gateway.store.errors import ConstraintViolated, Fenced, UniqueViolated
from gateway.store.store import Store, StoreUnit
from tests.store.made import (
    NOW,
    a_cross_reference,
    a_document,
    a_natural_key,
    a_payload,
    an_idempotency_key,
)

NUMBER = ErpNumber(system_id="legacy-main", document_type="sales_order", document_number="0000004711")


async def test_a_document_is_found_by_each_of_its_names(store: Store) -> None:
    document = a_document(external_id="SO-1")

    async def write(unit: StoreUnit) -> None:
        await unit.insert_document(document)
        await unit.insert_natural_key(a_natural_key(document_id=document.document_id))
        await unit.insert_cross_reference(a_cross_reference(document.document_id))

    await store.write(write)
    names = [
        DocumentName("orders", document_id=document.document_id),
        DocumentName("orders", source="crm", external_id="SO-1"),
        DocumentName("orders", erp_number=NUMBER),
    ]
    strangers = [
        DocumentName("invoices", document_id=document.document_id),
        DocumentName("orders", source="billing", external_id="SO-1"),
        DocumentName("orders", erp_number=NUMBER.model_copy(update={"system_id": "cloud-eu"})),
    ]
    found = await store.write(lambda unit: unit.documents_named([*names, *strangers]))
    assert found == dict.fromkeys(names, document)


async def test_a_rebound_natural_key_names_the_new_document(store: Store) -> None:
    old, new = a_document(external_id="SO-1"), a_document(external_id="SO-1")
    key = a_natural_key(document_id=old.document_id)
    rebound = replace(key, document_id=new.document_id, transaction_id="txn_2", content_hash="00" * 32)

    async def write(unit: StoreUnit) -> None:
        await unit.insert_document(old)
        await unit.insert_document(new)
        await unit.insert_natural_key(key)
        await unit.rebind_natural_key(rebound)

    await store.write(write)
    name = DocumentName("orders", source="crm", external_id="SO-1")
    assert await store.write(lambda unit: unit.documents_named([name])) == {name: new}
    assert await store.write(lambda unit: unit.natural_key("crm", "orders", "SO-1")) == rebound
    with pytest.raises(Fenced):
        await store.write(lambda unit: unit.rebind_natural_key(replace(key, external_id="SO-2")))


async def test_an_update_keeps_what_a_document_is(store: Store) -> None:
    before = a_document(external_id="SO-1")
    after = replace(before, lineage_id="lin_2", transaction_id="txn_2", payload_id="pay_2", geography="FR")

    async def write(unit: StoreUnit) -> None:
        await unit.insert_document(before)
        await unit.update_document(replace(after, domain="invoices", source="x", external_id="y", created_at=1))

    await store.write(write)
    name = DocumentName("orders", document_id=before.document_id)
    assert await store.write(lambda unit: unit.documents_named([name])) == {name: after}


async def test_numbers_are_those_that_hold_now(store: Store) -> None:
    here, elsewhere = a_document(), a_document()

    async def write(unit: StoreUnit) -> None:
        await unit.insert_document(here)
        await unit.insert_document(elsewhere)
        await unit.insert_cross_reference(a_cross_reference(here.document_id, document_number="1", valid_until=NOW + 1))
        await unit.insert_cross_reference(a_cross_reference(here.document_id))
        await unit.insert_cross_reference(a_cross_reference(elsewhere.document_id, system_id="cloud-eu"))

    await store.write(write)
    ids = [here.document_id, elsewhere.document_id, "doc_none"]
    assert await store.write(lambda unit: unit.numbers_in(ids, "legacy-main")) == {here.document_id: NUMBER}


async def test_the_same_number_again_changes_nothing(store: Store) -> None:
    document = a_document()
    number = a_cross_reference(document.document_id)

    async def write(unit: StoreUnit) -> None:
        await unit.insert_document(document)
        await unit.insert_cross_reference(number)
        await unit.insert_cross_reference(replace(number, valid_from=NOW + 1))

    await store.write(write)
    assert await store.reads.cross_references([document.document_id]) == [number]


async def test_a_number_needs_its_document(store: Store) -> None:
    with pytest.raises(ConstraintViolated):
        await store.write(lambda unit: unit.insert_cross_reference(a_cross_reference("doc_none")))


async def test_keys_and_payloads_come_back(store: Store) -> None:
    key, payload = an_idempotency_key(), a_payload()

    async def write(unit: StoreUnit) -> None:
        await unit.insert_idempotency_key(key)
        await unit.insert_payload(payload)

    await store.write(write)
    assert await store.write(lambda unit: unit.idempotency_key("salesforce", "create", "orders", "key-1")) == key
    assert await store.write(lambda unit: unit.idempotency_key("other", "create", "orders", "key-1")) is None
    assert await store.write(lambda unit: unit.payload(payload.payload_id)) == payload
    assert await store.reads.payload(payload.payload_id) == payload
    with pytest.raises(UniqueViolated):
        await store.write(lambda unit: unit.insert_idempotency_key(replace(key, transaction_id="txn_2")))
