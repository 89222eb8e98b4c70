"""What an inquiry finds, and somebody has undone in the ERP meanwhile, is not posted: a person looks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.port import FoundDocument
from gateway.domain.transaction import Status
from tests.line.asking import refused
from tests.line.book_erp import BookErp
from tests.line.by_hand import audited, reverse, show, stuck
from tests.line.dead_ends import ask, both, exceptions, named, the_one, words_of
from tests.line.documents import customer, journal_entry
from tests.line.rig import Rig, order
from tests.line.split import split_rig


async def undone(rig: Rig, domain: str = "orders") -> tuple[str, FoundDocument]:
    """A document whose answer was lost, and which somebody undid before it was inquired; (transaction, document)."""
    rig.legacy.script = ["lost_answer"]
    body = order() if domain == "orders" else journal_entry()
    answer = await rig.send(body, domain)
    await rig.settle()
    [found] = rig.legacy.book
    if domain == "orders":
        show(rig.legacy, found, cancelled=True)
    else:
        # some ERPs copy the reference of what is reversed
        mirror = reverse(rig.legacy, found)
        show(rig.legacy, mirror, external_reference=found.external_reference)
    await rig.until(1.1)
    return answer.transaction.transaction_id, rig.legacy.book[0]


@pytest.mark.parametrize("domain", ["orders", "journal_entries"])
async def test_it_does_not_settle_as_posted(rig: Rig, domain: str) -> None:
    transaction_id, found = await undone(rig, domain)
    record = await rig.record(transaction_id)
    assert (record.status, record.erp_document_number) == (Status.IN_DOUBT, None)
    opened = await the_one(rig)
    assert (opened.reason_code, opened.cause, opened.system_id) == ("in-doubt", "found-undone", "legacy-main")
    number = found.number.document_number
    how = "cancelled" if domain == "orders" else f"reversed by {found.reversed_by}"
    assert f"{found.number.document_type} {number} in legacy-main, {how}" in (await words_of(rig, opened))["message"]
    told = {one.kind: json.loads(one.body) for one in await rig.entries(transaction_id)}
    assert told["in_doubt"]["reason"] == "found-undone"
    assert "wordsHash" in told["exception_opened"]
    assert await audited(rig) == []


async def test_neither_it_nor_what_undid_it_can_be_named(rig: Rig) -> None:
    transaction_id, found = await undone(rig, "journal_entries")
    original = await refused(both(rig, "mark_posted", **named(found)))
    mirror = await refused(both(rig, "mark_posted", **named(rig.legacy.book[1])))
    assert original.detail == f"journal_entrie {found.number.document_number} was undone in legacy-main"
    assert mirror.errors[0].message == "is a reversal"
    for one in (original, mirror):
        assert (one.slug, "cancel" in one.remedy) == ("policy-check-failed", True)
    assert (await rig.record(transaction_id)).status is Status.IN_DOUBT


PRODUCT: dict[str, Any] = {"externalId": "NEW", "name": "New product"}
MASTERS = pytest.mark.parametrize(("domain", "body"), [("customers", customer()), ("products", PRODUCT)])


async def blocked(rig: Rig, domain: str, body: dict[str, Any], how: str) -> tuple[str, BookErp]:
    """A new master that the ERP blocks as it enters it; the answer is lost. (transaction, where it stands)."""
    for erp in (rig.legacy, rig.cloud):
        erp.script = [how]
    transaction_id = (await rig.send(body, domain)).transaction.transaction_id
    await rig.settle()
    [where] = [erp for erp in (rig.legacy, rig.cloud) if erp.book]
    for one in list(where.book):
        show(where, one, cancelled=True)
    return transaction_id, where


@MASTERS
async def test_a_new_master_that_is_blocked_is_posted(rig: Rig, domain: str, body: dict[str, Any]) -> None:
    transaction_id, where = await blocked(rig, domain, body, "lost_answer")
    await rig.until(1.1)
    record = await rig.record(transaction_id)
    assert (record.status, record.erp_document_number) == (Status.POSTED, where.book[0].number.document_number)
    assert await exceptions(rig) == []
    assert await audited(rig) == []


@MASTERS
async def test_a_blocked_master_is_not_called_off_and_can_be_named(rig: Rig, domain: str, body: dict[str, Any]) -> None:
    transaction_id, where = await blocked(rig, domain, body, "twice")
    await rig.until(110.0)
    assert (await the_one(rig)).cause == "several-found"
    other, ours = where.book
    for one in (other, ours):
        assert (await refused(both(rig, "mark_posted", **named(one)))).slug == "policy-check-failed"
    assert "stands in" in (await refused(both(rig, "cancel"))).detail
    # of two, the one that is not blocked is the one that people want; and one alone is there, blocked or not
    show(where, ours, cancelled=False)
    assert (await refused(both(rig, "mark_posted", **named(other)))).slug == "policy-check-failed"
    where.book.pop(0)
    show(where, where.book[0], cancelled=True)
    await both(rig, "mark_posted", **named(ours))
    assert (await rig.record(transaction_id)).erp_document_number == ours.number.document_number
    assert await audited(rig) == []


@pytest.mark.parametrize("domain", ["orders", "journal_entries"])
async def test_it_is_called_off_after_the_quiet_time_and_may_be_sent_anew(rig: Rig, domain: str) -> None:
    transaction_id, _ = await undone(rig, domain)
    early = await refused(both(rig, "cancel"))
    assert early.slug == "in-flight"
    await rig.until(110.0)
    assert (await both(rig, "cancel")).exception.outcome == "cancelled"
    assert (await rig.record(transaction_id)).status is Status.CANCELLED
    body = order() if domain == "orders" else journal_entry()
    again = await rig.send(body, domain, replaces=transaction_id, wait_s=5.0)
    assert again.transaction.status is Status.POSTED
    assert await audited(rig) == []


async def test_it_is_never_sent_again_and_taken_over_once_it_stands_again(rig: Rig) -> None:
    transaction_id, found = await undone(rig)
    payload_id = (await the_one(rig)).payload_id
    for _ in range(2):
        await ask(rig, "retry")
        await rig.settle()
        await rig.until(500.0)
    looked = await the_one(rig)
    # what is said again is not kept again
    assert (looked.cause, looked.payload_id, rig.legacy.calls) == ("found-undone", payload_id, 1)
    rig.legacy.book.clear()
    await ask(rig, "retry")
    await rig.settle()
    await rig.until(500.0)
    assert ((await the_one(rig)).cause, rig.legacy.calls) == ("no-longer-found", 1)
    rig.legacy.book.append(replace(found, cancelled=False))
    await ask(rig, "retry")
    await rig.settle()
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert await audited(rig) == []


async def test_a_reversal_that_was_reversed_again_undid_nothing(rig: Rig) -> None:
    created = await rig.send(journal_entry(), "journal_entries", wait_s=5.0)
    rig.legacy.script = ["lost_answer"]
    answer = await rig.reverse(created.transaction.document_id, "journal_entries", wait_s=0.0)
    await rig.settle()
    original, mirror = rig.legacy.book
    reverse(rig.legacy, mirror)
    show(rig.legacy, original, reversed_by=None)
    await rig.until(1.1)
    assert (await the_one(rig)).cause == "found-undone"
    await rig.until(110.0)
    await both(rig, "cancel")
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.CANCELLED
    assert (await rig.document(created.transaction.document_id)).state == "active"
    assert await audited(rig) == []


@pytest.mark.parametrize("kind", ["cancel", "reverse"])
async def test_what_was_to_be_undone_is(rig: Rig, kind: str) -> None:
    domain = "orders" if kind == "cancel" else "journal_entries"
    body: dict[str, Any] = order() if kind == "cancel" else journal_entry()
    created = await rig.send(body, domain, wait_s=5.0)
    rig.legacy.script = ["lost_answer"]
    document_id = created.transaction.document_id
    if kind == "cancel":
        answer = await rig.cancel(document_id, wait_s=0.0)
    else:
        answer = await rig.reverse(document_id, domain, wait_s=0.0)
    await rig.settle()
    await rig.until(1.1)
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.POSTED
    assert await exceptions(rig) == []


async def test_the_undo_of_a_plan_is_found_as_ever(store: Any) -> None:
    rig = await split_rig(store)
    transaction_id = await stuck(rig)
    rig.cloud.script = ["lost_answer"]
    await both(rig, "retry")
    await rig.settle()
    await rig.until(1.1)
    assert (await rig.record(transaction_id)).status is Status.COMPENSATED
    # what it was refused for stands in another ERP than the undo did
    returned = await the_one(rig)
    assert (returned.reason_code, returned.system_id) == ("rejected-by-erp", "legacy-main")
    moved = [json.loads(one.body) for one in await rig.entries(transaction_id) if one.kind == "exception_moved"]
    assert [one["systemId"] for one in moved if one["state"] == "returned"] == ["legacy-main"]
    assert await audited(rig) == []
