"""The line's promises, one by one, on a real store."""

import asyncio
import json
from dataclasses import replace

import pytest

from gateway.domain.caller import DataScope
from gateway.domain.identity import external_reference
from gateway.domain.queries import Visible
from gateway.domain.transaction import Status
from gateway.errors import Problem
from tests.line.rig import SALESFORCE, Rig, invoice, order, payment

TO_CLOUD = {"businessUnit": "Western", "geography": "US"}


async def test_an_order_is_posted_once_where_the_table_says_and_leaves_its_whole_trace(rig: Rig):
    answer = await rig.send(order(), wait_s=5.0)
    record = answer.transaction
    assert (record.status, record.system_id, record.stage) == (Status.POSTED, "legacy-main", "legacy")
    assert [found.external_reference for found in rig.legacy.book] == [answer.external_reference]
    assert rig.cloud.book == []
    assert await rig.kinds(record.transaction_id) == [
        "accepted",
        "routed",
        "pinned",
        "dispatched",
        "posted",
        "linked",
    ]
    assert record.erp_document_number == rig.legacy.book[0].number.document_number
    assert (await rig.statuses())[record.transaction_id] == "posted"


async def test_what_is_dispatched_is_on_disk_before_the_first_byte(rig: Rig):
    rig.legacy.gate = asyncio.Event()
    answer = await rig.send(order())
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.DISPATCHED
    assert rig.legacy.book == []
    rig.legacy.gate.set()
    await rig.settle()
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.POSTED


async def test_the_deciding_facts_and_the_table_version_are_in_the_entry_and_no_external_id_is(rig: Rig):
    answer = await rig.send(order("SECRET-ID-1"), wait_s=5.0)
    entries = await rig.entries(answer.transaction.transaction_id)
    routed = json.loads(next(entry.body for entry in entries if entry.kind == "routed"))
    assert routed["facts"]["geography"] == "FR"
    assert routed["facts"]["amount"] == "168.00"
    assert routed["rule"]["tableVersion"] == rig.parts.rules.rulebook.table_version("orders")
    assert routed["rule"]["row"] == answer.transaction.rule_row
    assert all(b"SECRET" not in entry.body and b"VINET" not in entry.body for entry in entries)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))


async def test_the_same_request_again_changes_nothing(rig: Rig):
    first = await rig.send(order(), wait_s=5.0, idempotency_key="k1")
    again = await rig.send(order(), wait_s=5.0, idempotency_key="k1")
    other_key = await rig.send(order(), wait_s=5.0, idempotency_key="k2")
    no_key = await rig.send(order(), wait_s=5.0)
    same = {one.transaction.transaction_id for one in (first, again, other_key, no_key)}
    assert len(same) == 1
    assert [one.replayed for one in (first, again, other_key, no_key)] == [False, True, True, True]
    assert len(rig.legacy.book) == 1
    assert (await rig.kinds(first.transaction.transaction_id)).count("replayed") == 3


async def test_the_same_meaning_in_other_letters_is_the_same_document(rig: Rig):
    first = await rig.send(order(), wait_s=5.0)
    body = order()
    body["lines"][0]["unitPrice"] = "14"
    body["freight"] = None
    assert (await rig.send(body)).transaction.transaction_id == first.transaction.transaction_id


async def test_other_content_under_a_known_name_is_a_conflict(rig: Rig):
    await rig.send(order(), wait_s=5.0, idempotency_key="k1")
    for changes, slug in (({}, "natural-key-conflict"), ({"idempotency_key": "k1"}, "idempotency-key-reused")):
        with pytest.raises(Problem) as caught:
            await rig.send(order(geography="DE"), **changes)
        assert caught.value.slug == slug
    assert len(rig.legacy.book) == 1


async def test_a_document_without_a_name_needs_a_key(rig: Rig):
    body = order()
    del body["externalId"]
    with pytest.raises(Problem) as caught:
        await rig.send(body)
    assert caught.value.slug == "missing-idempotency-key"
    first = await rig.send(body, idempotency_key="k", wait_s=5.0)
    again = await rig.send(body, idempotency_key="k", wait_s=5.0)
    assert first.transaction.transaction_id == again.transaction.transaction_id
    assert len(rig.legacy.book) == 1


async def test_a_child_waits_for_its_parent_and_follows_its_pin(rig: Rig):
    rig.legacy.gate = asyncio.Event()
    root = await rig.send(order())
    # its own slice would be live in the cloud: the pin goes before the table
    child = await rig.send(invoice(**TO_CLOUD), "invoices")
    grandchild = await rig.send(payment(**TO_CLOUD), "payments")
    assert child.transaction.status is Status.WAITING
    assert grandchild.transaction.status is Status.WAITING
    rig.legacy.gate.set()
    await rig.settle()
    for answer in (root, child, grandchild):
        record = await rig.record(answer.transaction.transaction_id)
        assert (record.status, record.system_id) == (Status.POSTED, "legacy-main")
        assert record.lineage_id == root.transaction.lineage_id
    assert rig.cloud.book == []
    assert "jobs" in rig.woken


async def test_without_a_parent_the_same_invoice_goes_where_its_own_slice_says(rig: Rig):
    body = invoice(**TO_CLOUD)
    del body["orderReference"]
    answer = await rig.send(body, "invoices", wait_s=5.0)
    assert answer.transaction.system_id == "cloud-main"


async def test_a_reference_to_nothing_is_refused_and_named(rig: Rig):
    body = invoice(of_order="99999")
    body["lines"][0]["product"] = {"externalId": "nobody", "source": "salesforce"}
    with pytest.raises(Problem) as caught:
        await rig.send(body, "invoices")
    assert caught.value.slug == "unknown-reference"
    assert [error.field for error in caught.value.errors] == ["lines[0].product", "orderReference"]


async def test_one_payment_cannot_settle_invoices_in_two_systems(rig: Rig):
    await rig.send(order("1"), wait_s=5.0)
    await rig.send(order("2", **TO_CLOUD), wait_s=5.0)
    await rig.send(invoice("I1", "1"), "invoices", wait_s=5.0)
    await rig.send(invoice("I2", "2"), "invoices", wait_s=5.0)
    with pytest.raises(Problem) as caught:
        await rig.send(payment("P", ("I1", "I2")), "payments")
    assert caught.value.slug == "lineage-spans-systems"
    assert [part["systemId"] for part in caught.value.extra["split"]] == ["legacy-main", "cloud-main"]


async def test_a_refused_root_gives_its_pin_back_and_can_be_corrected(rig: Rig):
    rig.legacy.script = ["reject"]
    refused = await rig.send(order(), wait_s=5.0)
    record = refused.transaction
    assert record.status is Status.REJECTED
    problem = json.loads(record.problem or "{}")
    assert (problem["code"], problem["erp"]["messageCode"], problem["erp"]["field"]) == (
        "rejected-by-erp",
        "V1/152",
        "customer",
    )
    assert "pin_released" in await rig.kinds(record.transaction_id)
    view = await rig.store.reads.lineage(record.lineage_id, Visible())
    assert view.pin is None

    with pytest.raises(Problem) as caught:
        await rig.send(order(**TO_CLOUD))
    assert caught.value.slug == "natural-key-conflict"
    corrected = await rig.send(order(**TO_CLOUD), replaces=record.transaction_id, wait_s=5.0)
    assert (corrected.transaction.status, corrected.transaction.system_id) == (Status.POSTED, "cloud-main")
    assert corrected.transaction.document_id == record.document_id
    assert corrected.transaction.lineage_id == record.lineage_id


async def test_a_correction_sent_again_is_the_same_correction(rig: Rig):
    rig.legacy.script = ["reject"]
    refused = (await rig.send(order(), wait_s=5.0)).transaction
    first = await rig.send(order(**TO_CLOUD), replaces=refused.transaction_id, wait_s=5.0)
    again = await rig.send(order(**TO_CLOUD), replaces=refused.transaction_id, wait_s=5.0)
    assert (again.replayed, again.transaction.transaction_id) == (True, first.transaction.transaction_id)
    with pytest.raises(Problem) as caught:
        await rig.send(order(geography="DE"), replaces=refused.transaction_id)
    assert caught.value.slug == "natural-key-conflict"
    assert len(rig.cloud.book) == 1


async def test_what_was_never_submitted_cannot_be_replaced(rig: Rig):
    other = (await rig.send(order("other"), wait_s=5.0)).transaction
    for replaces in (other.transaction_id, "txn_" + "0" * 26):
        with pytest.raises(Problem) as caught:
            await rig.send(order("new"), replaces=replaces)
        assert (caught.value.slug, caught.value.errors[0].field) == ("unknown-reference", "replaces")
    assert len(rig.legacy.book) == 1


async def test_only_what_ended_without_a_document_can_be_replaced(rig: Rig):
    posted = await rig.send(order(), wait_s=5.0)
    with pytest.raises(Problem) as caught:
        await rig.send(order(geography="DE"), replaces=posted.transaction.transaction_id)
    assert caught.value.slug == "natural-key-conflict"


async def test_the_children_of_a_refused_parent_are_refused(rig: Rig):
    rig.legacy.script, rig.legacy.gate = ["reject"], asyncio.Event()
    await rig.send(order())
    child = await rig.send(invoice(), "invoices")
    rig.legacy.gate.set()
    await rig.settle()
    record = await rig.record(child.transaction.transaction_id)
    assert record.status is Status.REJECTED
    assert json.loads(record.problem or "{}")["code"] == "parent-rejected"
    with pytest.raises(Problem) as caught:
        await rig.send(invoice("another"), "invoices")
    assert caught.value.slug == "parent-rejected"
    assert rig.legacy.book == []


async def test_nothing_happened_so_the_same_step_is_sent_again_later_under_the_same_reference(rig: Rig):
    rig.legacy.script = ["down", "busy", "wrong_password", "post"]
    answer = await rig.send(order())
    await rig.settle()
    waiting = await rig.record(answer.transaction.transaction_id)
    assert waiting.status is Status.DISPATCHED
    assert json.loads(waiting.problem or "{}")["code"] == "erp-unavailable"
    await rig.until(1.0)
    # the ERP asked for two seconds: one is not enough
    calls = rig.legacy.calls
    await rig.until(1.0)
    assert rig.legacy.calls == calls
    await rig.until(2.0)
    await rig.until(60.0)
    record = await rig.record(answer.transaction.transaction_id)
    assert record.status is Status.POSTED
    assert record.problem is None
    assert len(rig.legacy.book) == 1
    assert rig.legacy.book[0].external_reference == external_reference(record.transaction_id, 1, "do")
    assert (await rig.kinds(record.transaction_id)).count("dispatched") == 4


async def test_a_master_goes_to_its_system_of_record_and_has_no_pin(rig: Rig):
    body = {"externalId": "NEW", "name": "New customer", "geography": "DE", "address": {"countryCode": "DE"}}
    answer = await rig.send(body, "customers", wait_s=5.0)
    assert (answer.transaction.status, answer.transaction.system_id) == (Status.POSTED, "cloud-main")
    assert "pinned" not in await rig.kinds(answer.transaction.transaction_id)


async def test_a_master_that_is_there_already_is_not_created_again(rig: Rig):
    body = {"externalId": "VINET", "name": "Vins", "geography": "FR", "address": {"countryCode": "FR"}}
    with pytest.raises(Problem) as caught:
        await rig.send(body, "customers")
    assert caught.value.slug == "duplicate-master"
    assert rig.cloud.book == []


async def test_a_document_waits_for_a_master_that_is_on_its_way(rig: Rig):
    rig.cloud.gate = asyncio.Event()
    body = {"externalId": "NEW", "name": "New customer", "geography": "US", "address": {"countryCode": "US"}}
    await rig.send(body, "customers")
    answer = await rig.send(order(customer={"externalId": "NEW"}, **TO_CLOUD))
    assert answer.transaction.status is Status.WAITING
    rig.cloud.gate.set()
    await rig.settle()
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.POSTED
    with pytest.raises(Problem) as caught:
        await rig.send(order("2", customer={"externalId": "NEW"}))
    assert caught.value.slug == "unknown-reference"
    assert "legacy-main" in caught.value.detail


async def test_a_node_that_no_tree_has_is_named(rig: Rig):
    with pytest.raises(Problem) as caught:
        await rig.send(order(businessUnit="Moon"))
    assert caught.value.slug == "unknown-node"
    assert caught.value.errors[0].field == "businessUnit"


async def test_a_company_code_that_the_rulebook_does_not_list_is_named(rig: Rig):
    with pytest.raises(Problem) as caught:
        await rig.send(order(companyCode="9999"))
    assert (caught.value.slug, caught.value.errors[0].field) == ("unknown-node", "companyCode")


async def test_nobody_submits_outside_the_data_scope(rig: Rig):
    narrow = replace(SALESFORCE, data_scope=DataScope(frozenset({"Western"}), frozenset({"US"})))
    with pytest.raises(Problem) as caught:
        await rig.send(order(), caller=narrow)
    assert caught.value.slug == "out-of-scope"
    await rig.send(order(**TO_CLOUD), caller=narrow)
    # a parent outside the scope is not told of either
    await rig.send(order("2"), wait_s=5.0)
    body = invoice("I", "2", **TO_CLOUD)
    with pytest.raises(Problem) as caught:
        await rig.send(body, "invoices", caller=narrow)
    assert caught.value.slug == "unknown-reference"


async def test_a_caller_gets_what_there_is_when_its_time_is_over(rig: Rig):
    rig.legacy.gate = asyncio.Event()
    answer = await rig.send(order(), wait_s=0.05)
    assert answer.transaction.status is Status.DISPATCHED
    rig.legacy.gate.set()
    await rig.settle()
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.POSTED


async def test_a_caller_that_leaves_does_not_stop_its_transaction(rig: Rig):
    rig.legacy.gate = asyncio.Event()
    call = asyncio.create_task(rig.send(order(), wait_s=5.0))
    await asyncio.wait_for(rig.legacy.arrived.wait(), 30)
    call.cancel()
    rig.legacy.gate.set()
    await rig.settle()
    assert len(rig.legacy.book) == 1
    assert set((await rig.statuses()).values()) == {"posted"}
