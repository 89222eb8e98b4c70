"""What cannot be done to a document is refused by name, and leaves it as it was and free."""

import asyncio
import json
from dataclasses import replace

import pytest

from gateway.domain.caller import DataScope
from gateway.domain.queries import Visible
from gateway.domain.transaction import Status
from tests.line.asking import posted, refused
from tests.line.documents import TO_CLOUD, priced
from tests.line.rig import SALESFORCE, Rig, order


async def test_each_needs_a_key(rig: Rig):
    document_id = await posted(rig)
    for call in (
        rig.change(document_id, priced(2), idempotency_key=None),
        rig.cancel(document_id, idempotency_key=None),
    ):
        assert (await refused(call)).slug == "missing-idempotency-key"
    assert rig.legacy.calls == 1


async def test_a_caller_that_knows_another_version_is_told(rig: Rig):
    document_id = await posted(rig)
    await rig.change(document_id, priced(20), if_match="v1")
    for call in (rig.change(document_id, priced(21), if_match="v1"), rig.cancel(document_id, if_match="v1")):
        problem = await refused(call)
        assert (problem.slug, problem.extra["etag"]) == ("stale", "v2")
    await rig.cancel(document_id, if_match="v2")
    assert (await rig.document(document_id)).state == "cancelled"


@pytest.mark.parametrize(
    ("patch", "slug", "field"),
    [
        ({"currencyCode": "EUR"}, "invalid-document", "currencyCode"),
        ({"businessUnit": "Western"}, "invalid-document", "businessUnit"),
        ({"customer": {"externalId": "HANAR"}}, "invalid-document", "customer"),
        ({"externalId": None}, "invalid-document", "externalId"),
        ({"customerSegment": "retail"}, "invalid-document", "customerSegment"),
        ({"totals": {"grossAmount": "1.00"}}, "totals-disagree", "totals.grossAmount"),
        ({"lines": []}, "invalid-document", "lines"),
        ({"lines": None}, "invalid-document", "lines"),
        ({"colour": "red"}, "invalid-document", "colour"),
        ({"shipTo": {"city": "Lyon"}}, "invalid-document", "shipTo.countryCode"),
        ({"quoteReference": "Q-1"}, "operation-not-served", "quoteReference"),
        ({"requestedDeliveryDate": "1996-02-30"}, "invalid-document", "requestedDeliveryDate"),
    ],
)
async def test_a_change_that_cannot_be_is_refused_by_its_field(rig: Rig, patch: dict, slug: str, field: str):
    document_id = await posted(rig)
    problem = await refused(rig.change(document_id, patch))
    assert (problem.slug, problem.errors[0].field) == (slug, field)
    assert rig.legacy.calls == 1
    assert (await rig.document(document_id)).busy_with is None


@pytest.mark.parametrize("patch", [{}, {"customer": {"externalId": "VINET"}}, {"totals": {"netAmount": "168.0"}}])
async def test_a_change_of_nothing_is_told_so(rig: Rig, patch: dict):
    document_id = await posted(rig)
    problem = await refused(rig.change(document_id, patch))
    assert (problem.slug, problem.errors) == ("invalid-document", ())
    assert "already" in problem.detail


async def test_a_changed_reference_must_lead_somewhere_in_the_system_of_the_document(rig: Rig):
    document_id = await posted(rig)
    patch = priced(12)
    patch["lines"][0]["product"] = {"externalId": "nobody"}
    problem = await refused(rig.change(document_id, patch))
    assert (problem.slug, problem.errors[0].field) == ("unknown-reference", "lines[0].product")


@pytest.mark.parametrize(
    ("domain", "operation"),
    [
        ("customers", "cancel"),
        ("orders", "reverse"),
        ("products", "cancel"),
        ("invoices", "change"),
        ("contracts", "reverse"),
    ],
)
async def test_what_no_document_of_a_domain_can_be_asked(rig: Rig, domain: str, operation: str):
    call = {
        "change": lambda: rig.change("doc_" + "0" * 26, {"x": 1}, domain),
        "cancel": lambda: rig.cancel("doc_" + "0" * 26, domain),
        "reverse": lambda: rig.reverse("doc_" + "0" * 26, domain),
    }[operation]()
    assert (await refused(call)).slug == "operation-not-served"


async def test_what_the_owning_system_cannot_do_is_told_with_its_reason(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    document_id = await posted(rig)
    monkeypatch.setattr(type(rig.legacy), "capabilities", lambda _: {})
    problem = await refused(rig.cancel(document_id))
    assert (problem.slug, problem.extra["systemId"]) == ("operation-not-served", "legacy-main")
    assert "its driver does not support it" in problem.detail


async def test_a_document_that_is_undone_takes_nothing_more(rig: Rig):
    document_id = await posted(rig)
    await rig.cancel(document_id)
    for call in (rig.cancel(document_id), rig.change(document_id, priced(2))):
        problem = await refused(call)
        assert (problem.slug, problem.extra["state"]) == ("document-closed", "cancelled")
    rig.legacy.script = ["reject"]
    never = (await rig.send(order("never"), wait_s=5.0)).transaction
    assert (await refused(rig.cancel(never.document_id))).slug == "document-closed"


async def test_a_document_that_the_caller_may_not_see_is_not_there(rig: Rig):
    document_id = await posted(rig)
    narrow = replace(SALESFORCE, data_scope=DataScope(frozenset({"Western"}), None))
    for call in (
        rig.change(document_id, priced(2), caller=narrow),
        rig.cancel(document_id, caller=narrow),
        rig.cancel(document_id, "contracts"),
        rig.cancel("doc_" + "0" * 26),
    ):
        assert (await refused(call)).slug == "not-found"
    wide = replace(SALESFORCE, data_scope=DataScope(frozenset({"Northern"}), frozenset({"FR"})))
    assert (await rig.change(document_id, priced(2), caller=wide)).transaction.status is Status.POSTED


async def test_a_refused_change_leaves_the_document_as_it_was_and_free(rig: Rig):
    document_id = await posted(rig)
    rig.legacy.script = ["reject"]
    record = (await rig.change(document_id, priced(20))).transaction
    problem = json.loads(record.problem or "{}")
    assert (record.status, problem["code"]) == (Status.REJECTED, "rejected-by-erp")
    assert "replaces" not in problem["remedy"]
    document = await rig.document(document_id)
    assert (document.version, document.amount, document.busy_with) == (1, "168.00", None)
    view = await rig.store.reads.lineage(document.lineage_id, Visible())
    assert view.pin is not None
    assert (await rig.change(document_id, priced(21))).transaction.status is Status.POSTED


async def test_a_change_whose_master_is_refused_is_refused_and_the_document_is_free(rig: Rig):
    document_id = await posted(rig, order(**TO_CLOUD))
    rig.cloud.gate, rig.cloud.script = asyncio.Event(), ["reject"]
    await rig.send({"externalId": "77", "name": "New product"}, "products")
    patch = priced(20)
    patch["lines"][0]["product"] = {"externalId": "77"}
    waiting = (await rig.change(document_id, patch, wait_s=0.0)).transaction
    rig.cloud.gate.set()
    await rig.settle()
    record = await rig.record(waiting.transaction_id)
    assert (record.status, json.loads(record.problem or "{}")["code"]) == (Status.REJECTED, "unknown-reference")
    document = await rig.document(document_id)
    assert (document.busy_with, document.version) == (None, 1)
