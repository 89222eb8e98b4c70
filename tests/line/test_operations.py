"""A change, cancellation or reversal is a transaction of its own on the same document, and goes where that is."""

import asyncio
import json
from dataclasses import replace
from datetime import date

import pytest

from adapters.port import Cancellation, Change, Reversal
from gateway.api.wire import erp_number
from gateway.domain.identity import external_reference
from gateway.domain.queries import DocumentName, TransactionFilter, Visible
from gateway.domain.transaction import Status
from tests.line.asking import posted, refused
from tests.line.documents import TO_CLOUD, customer, journal_entry, priced
from tests.line.rig import BILLING, SALESFORCE, Rig, invoice, order, payment

CUSTOMERS_TO_LEGACY = {
    "customers.csv": ("live,,cloud-main", "legacy,legacy-main,"),
    "rulebook.yaml": ("domains: [orders, contracts", "domains: [customers, orders, contracts"),
}
BOTH_SIDES = pytest.mark.parametrize("where", [{}, TO_CLOUD], ids=["legacy", "cloud"])


@BOTH_SIDES
async def test_an_order_is_changed_where_it_is(rig: Rig, where: dict):
    created = (await rig.send(order(**where), wait_s=5.0)).transaction
    erp, other = (rig.cloud, rig.legacy) if where else (rig.legacy, rig.cloud)
    answer = await rig.change(created.document_id, priced(20))
    record = answer.transaction
    assert (record.status, record.operation, record.system_id) == (Status.POSTED, "change", erp.system_id)
    assert (record.document_id, record.lineage_id) == (created.document_id, created.lineage_id)
    assert (record.amount, record.erp_document_number) == ("280.00", created.erp_document_number)
    assert record.pinned
    assert (len(erp.book), erp.book[0].total, other.calls) == (1, 280, 0)
    assert await rig.kinds(record.transaction_id) == ["accepted", "routed", "dispatched", "posted"]
    document = await rig.document(created.document_id)
    assert (document.version, document.etag, document.amount, document.state) == (2, "v2", "280.00", "active")
    assert (document.busy_with, document.payload_id) == (None, record.payload_id)
    assert (await rig.content(created.document_id))["totals"]["grossAmount"] == "280.00"
    assert (await rig.statuses())[record.transaction_id] == "posted"


async def test_the_driver_is_told_what_stands_and_what_shall_stand(rig: Rig):
    created = (await rig.send(order(), wait_s=5.0)).transaction
    await rig.change(created.document_id, priced(20))
    await rig.change(created.document_id, priced(21))
    first, second = rig.legacy.seen[1:]
    assert isinstance(first, Change)
    assert isinstance(second, Change)
    for change in (first, second):
        assert change.number == rig.legacy.book[0].number
        assert change.original.external_reference == external_reference(created.transaction_id, 1, "do")
        assert change.numbers["lines[0].product"].document_number == "000911"
        assert change.original.numbers["customer"].document_number == "000900"
    assert second.original.document == first.document
    assert first.external_reference != second.external_reference


async def test_a_patch_goes_into_what_is_inside_and_null_takes_away(rig: Rig):
    document_id = await posted(rig, order(shipTo={"street": "Quai 1", "city": "Reims", "countryCode": "FR"}))
    await rig.change(document_id, {"shipTo": {"city": "Lyon"}, "requestedDeliveryDate": "1996-08-01"})
    content = await rig.content(document_id)
    assert content["shipTo"] | {"region": "", "postalCode": ""} == content["shipTo"]
    assert (content["shipTo"]["street"], content["shipTo"]["city"]) == ("Quai 1", "Lyon")
    await rig.change(document_id, {"shipTo": None})
    assert "shipTo" not in await rig.content(document_id)
    assert (await rig.document(document_id)).etag == "v3"


@BOTH_SIDES
async def test_an_order_is_cancelled_where_it_is(rig: Rig, where: dict):
    document_id = await posted(rig, order(**where))
    erp = rig.cloud if where else rig.legacy
    record = (await rig.cancel(document_id, reason="ordered twice")).transaction
    assert (record.status, record.operation, record.system_id) == (Status.POSTED, "cancel", erp.system_id)
    assert (len(erp.book), erp.book[0].cancelled) == (1, True)
    assert isinstance(erp.seen[-1], Cancellation)
    assert erp.seen[-1].reason == "ordered twice"
    document = await rig.document(document_id)
    assert (document.state, document.version, document.busy_with) == ("cancelled", 2, None)
    entries = await rig.entries(record.transaction_id)
    assert all(b"ordered twice" not in entry.body for entry in entries)


@BOTH_SIDES
@pytest.mark.parametrize(
    ("domain", "body"), [("invoices", invoice()), ("payments", payment()), ("journal_entries", journal_entry())]
)
async def test_what_is_in_the_books_is_reversed_by_its_mirror(rig: Rig, domain: str, body: dict, where: dict):
    for follows in ("orderReference", "allocations"):
        body = {name: value for name, value in body.items() if name != follows}
    created = (await rig.send(body | where, domain, wait_s=5.0)).transaction
    erp = rig.cloud if where else rig.legacy
    record = (await rig.reverse(created.document_id, domain)).transaction
    assert (record.status, record.operation, record.system_id) == (Status.POSTED, "reverse", erp.system_id)
    assert len(erp.book) == 2
    assert erp.book[0].reversed_by == erp.book[1].number.document_number == record.erp_document_number
    assert isinstance(erp.seen[-1], Reversal)
    assert erp.seen[-1].posting_date == date(1996, 7, 4)
    assert (await rig.document(created.document_id)).state == "reversed"
    assert await rig.kinds(record.transaction_id) == ["accepted", "routed", "dispatched", "posted", "linked"]


async def test_the_mirror_may_have_a_posting_date_of_its_own(rig: Rig):
    created = (await rig.send(journal_entry(), "journal_entries", wait_s=5.0)).transaction
    answer = await rig.reverse(created.document_id, "journal_entries", posting_date=date(1996, 8, 1))
    assert rig.legacy.seen[-1].posting_date == date(1996, 8, 1)
    assert answer.transaction.posting_date == "1996-08-01"
    assert (await rig.document(created.document_id)).posting_date == "1996-07-04"


async def test_the_mirror_s_number_names_the_document_and_never_replaces_its_own(rig: Rig):
    created = (await rig.send(journal_entry(), "journal_entries", wait_s=5.0)).transaction
    await rig.reverse(created.document_id, "journal_entries")
    original, mirror = (found.number for found in rig.legacy.book)
    ids = [created.document_id]
    assert await rig.store.write(lambda unit: unit.numbers_in(ids, "legacy-main")) == {created.document_id: original}
    name = DocumentName("journal_entries", erp_number=mirror)
    found = await rig.store.write(lambda unit: unit.documents_named([name]))
    assert found[name].document_id == created.document_id
    numbers = await rig.store.reads.cross_references(ids)
    assert {one.document_number: (one.valid_until is None, one.is_mirror) for one in numbers} == {
        original.document_number: (True, False),
        mirror.document_number: (False, True),
    }
    assert [erp_number(one)["mirror"] for one in numbers] == [one.is_mirror for one in numbers]


async def test_a_master_is_changed_in_its_system_of_record(rig: Rig):
    created = (await rig.send(customer(), "customers", wait_s=5.0)).transaction
    record = (await rig.change(created.document_id, {"name": "Other name"}, "customers")).transaction
    assert (record.status, record.system_id, record.pinned) == (Status.POSTED, "cloud-main", False)
    assert (await rig.content(created.document_id))["name"] == "Other name"
    assert "pinned" not in await rig.kinds(record.transaction_id)
    assert rig.legacy.calls == 0


async def test_a_master_that_its_system_of_record_does_not_hold_is_not_changed_elsewhere(store):
    rig = await Rig.on(store)
    created = (await rig.send(customer(), "customers", wait_s=5.0)).transaction
    moved = await Rig.on(store, process_id="prc_2", seed=1_000, edits=CUSTOMERS_TO_LEGACY)
    problem = await refused(moved.change(created.document_id, {"name": "Other"}, "customers"))
    assert (problem.slug, problem.errors[0].field) == ("unknown-reference", "documentId")
    assert (moved.legacy.calls, moved.cloud.calls) == (0, 0)


async def test_a_master_that_was_imported_by_its_number_alone_cannot_be_changed(rig: Rig):
    name = DocumentName("customers", source="salesforce", external_id="VINET")
    imported = (await rig.store.write(lambda unit: unit.documents_named([name])))[name]
    problem = await refused(rig.change(imported.document_id, {"name": "Other"}, "customers"))
    assert problem.slug == "operation-not-served"
    assert rig.cloud.calls == 0


async def test_the_same_key_is_the_same_request(rig: Rig):
    document_id = await posted(rig)
    first = await rig.change(document_id, priced(20), idempotency_key="k", if_match="v1")
    again = await rig.change(document_id, priced(20), idempotency_key="k", if_match="v1")
    other_etag = await rig.change(document_id, priced(20), idempotency_key="k", if_match="v2")
    same = {one.transaction.transaction_id for one in (first, again, other_etag)}
    assert (len(same), first.replayed, again.replayed) == (1, False, True)
    assert rig.legacy.calls == 2
    assert (await rig.kinds(first.transaction.transaction_id)).count("replayed") == 2
    problem = await refused(rig.change(document_id, priced(21), idempotency_key="k"))
    assert (problem.slug, problem.extra["transactionId"]) == ("idempotency-key-reused", same.pop())
    # the same words of another client, of another operation, of another document are other keys
    elsewhere = replace(SALESFORCE, client="portal")
    assert not (await rig.change(document_id, priced(22), idempotency_key="k", caller=elsewhere)).replayed
    assert not (await rig.cancel(document_id, idempotency_key="k")).replayed


async def test_a_cancellation_is_repeated_without_doing_it_again(rig: Rig):
    document_id = await posted(rig)
    first = await rig.cancel(document_id, idempotency_key="k", reason="twice")
    again = await rig.cancel(document_id, idempotency_key="k", reason="twice")
    assert (again.replayed, again.transaction.transaction_id) == (True, first.transaction.transaction_id)
    assert rig.legacy.calls == 2


async def test_references_in_a_change_are_the_creator_s_whoever_changes_it(rig: Rig):
    document_id = await posted(rig)
    record = (await rig.change(document_id, priced(2), caller=BILLING)).transaction
    assert (record.status, record.source, record.client) == (Status.POSTED, "salesforce", "billing")


async def test_the_operations_of_a_document_can_be_listed(rig: Rig):
    document_id = await posted(rig)
    change = (await rig.change(document_id, priced(2))).transaction
    cancel = (await rig.cancel(document_id)).transaction
    await posted(rig, order("other"))

    async def ids(**where) -> list[str]:
        found = await rig.store.reads.transactions(TransactionFilter(**where), Visible(), 10, None)
        return [one.transaction_id for one in found]

    assert (await ids(document_id=document_id))[:2] == [cancel.transaction_id, change.transaction_id]
    assert await ids(operation="cancel") == [cancel.transaction_id]
    assert await ids(client="billing") == []


async def test_the_trace_says_which_version_was_changed_and_nothing_personal(rig: Rig):
    document_id = await posted(rig, order(shipTo={"street": "Secret street", "countryCode": "FR"}))
    record = (await rig.change(document_id, {"shipTo": {"street": "Other secret"}})).transaction
    entries = await rig.entries(record.transaction_id)
    accepted, routed = json.loads(entries[0].body), json.loads(entries[1].body)
    assert (accepted["operation"], accepted["documentVersion"]) == ("change", 1)
    assert routed["facts"]["operation"] == "change"
    assert all(b"ecret" not in entry.body for entry in entries)


async def test_a_change_waits_for_a_master_that_is_on_its_way_and_goes_then(rig: Rig):
    document_id = await posted(rig, order(**TO_CLOUD))
    rig.cloud.gate = asyncio.Event()
    await rig.send({"externalId": "77", "name": "New product"}, "products")
    patch = priced(20)
    patch["lines"][0]["product"] = {"externalId": "77"}
    waiting = (await rig.change(document_id, patch, wait_s=0.0)).transaction
    assert waiting.status is Status.WAITING
    assert (await rig.document(document_id)).busy_with == waiting.transaction_id
    rig.cloud.gate.set()
    await rig.settle()
    assert (await rig.record(waiting.transaction_id)).status is Status.POSTED
    assert rig.cloud.seen[-1].numbers["lines[0].product"].document_number == "000002"
    assert (await rig.document(document_id)).amount == "280.00"


async def test_a_hold_keeps_an_operation_back_and_a_freeze_refuses_it(store):
    rig = await Rig.on(store)
    document_id, other = await posted(rig), await posted(rig, order("2"))
    base = ",,,,,Everything that no phase has reached yet: orders"
    held = await Rig.on(
        store, process_id="prc_2", seed=1_000, edits={"orders.csv": (base, base.replace(",E", "hold,E", 1))}
    )
    record = (await held.change(document_id, priced(20), wait_s=0.0)).transaction
    assert record.status is Status.HELD
    frozen = await Rig.on(
        store, process_id="prc_3", seed=2_000, edits={"orders.csv": (base, base.replace(",E", "freeze,E", 1))}
    )
    assert (await refused(frozen.cancel(other))).slug == "frozen"
    assert (held.legacy.calls, frozen.legacy.calls) == (0, 0)
    # both are gone from the table in force: the ERP of the first process takes the change now
    await Rig.on(store, process_id="prc_4", seed=3_000)
    await rig.until(200.0)
    assert (await rig.record(record.transaction_id)).status is Status.POSTED
