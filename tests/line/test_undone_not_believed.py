"""Numbers that did not undo what a refused undo was to undo: each is refused, says why, and changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.domain.identity import external_reference
from gateway.domain.transaction import Status
from gateway.store.store import open_store
from tests.line.asking import posted, refused
from tests.line.by_hand import audited, in_two_currencies, reverse, show, stuck
from tests.line.dead_ends import ask, both, exceptions, named, the_one
from tests.line.documents import TO_CLOUD
from tests.line.newcomers import bring
from tests.line.rig import Rig, invoice, order, payment
from tests.line.split import charge, split_rig
from tests.migrated import migrated_file


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """On SQLite alone: nothing here is written."""
    store = await open_store(migrated_file(tmp_path / "gateway.db"))
    yield await split_rig(store)
    await store.close()


async def not_believed(rig: Rig, number: dict[str, str], says: str, slug: str = "policy-check-failed") -> None:
    calls = rig.cloud.calls + rig.legacy.calls
    before = await the_one(rig)
    problem = await refused(both(rig, "mark_posted", of=before, **number))
    assert (problem.slug, says in problem.detail) == (slug, True), problem.detail
    assert problem.remedy
    assert problem.errors[0].field in {"erpDocumentNumber", "erpDocumentType"}
    after = await the_one(rig)
    assert (after.reason_code, after.move_id) == ("undo-refused", None)
    assert (await rig.record(before.transaction_id)).status is Status.IN_DOUBT
    assert rig.cloud.calls + rig.legacy.calls == calls
    assert await audited(rig) == []


async def test_what_is_not_the_reversal_of_this_document(rig: Rig) -> None:
    await rig.send(charge("IC-0"), "journal_entries")
    await rig.settle()
    await stuck(rig)
    other, leg = rig.cloud.book
    unknown = {"document_type": leg.number.document_type, "document_number": "4711"}
    await not_believed(rig, unknown, "cloud-main has no journal_entrie 4711", "unknown-reference")
    await not_believed(rig, {"document_type": "order", "document_number": "1"}, "is a journal_entrie too")
    await not_believed(rig, named(leg), "is the document that is to be undone")
    looks_like_it = reverse(rig.cloud, leg, linked=False)
    await not_believed(rig, named(looks_like_it), "does not show journal_entrie 000002 as reversed")
    of_other = reverse(rig.cloud, other)
    await not_believed(rig, named(of_other), "does not show journal_entrie 000002 as reversed")
    mirror = reverse(rig.cloud, leg)
    await not_believed(rig, named(of_other), f"as reversed by {mirror.number.document_number}")
    # the ERP says so, and the gateway knows better
    show(rig.cloud, leg, reversed_by=other.number.document_number)
    show(rig.cloud, other, reversed_by=None)
    await not_believed(rig, named(other), "is another document of the gateway's")


@pytest.mark.parametrize(("changes", "name"), [({"currency_code": "EUR"}, "currencyCode"), ({"total": None}, "total")])
async def test_a_reversal_of_something_else_than_all_of_it(rig: Rig, changes: dict[str, object], name: str) -> None:
    await stuck(rig)
    mirror = reverse(rig.cloud, rig.cloud.book[0], **changes)
    await not_believed(rig, named(mirror), f"differs from what is to be undone in {name}")


async def test_a_reversal_of_somebody_elses_payment(rig: Rig) -> None:
    for name, where in (("1", {}), ("2", TO_CLOUD)):
        await posted(rig, order(name, **where))
        await posted(rig, invoice(f"I-{name}", name, **where), "invoices")
    rig.cloud.script = ["post", "reject", "reject"]
    await rig.send(payment("P-1", ("I-1", "I-2")), "payments")
    await rig.settle()
    paid = rig.cloud.book[-1]
    mirror = reverse(rig.cloud, paid, party="000901")
    await not_believed(rig, named(mirror), "differs from what is to be undone in party")


async def test_a_reversal_that_does_not_stand_alone(rig: Rig) -> None:
    transaction_id = await stuck(rig)
    leg = rig.cloud.book[0]
    mirror = reverse(rig.cloud, leg)
    show(rig.cloud, mirror, reversed_by="H00009")
    await not_believed(rig, named(mirror), "was undone itself")
    show(rig.cloud, mirror, reversed_by=None, external_reference=external_reference(transaction_id, 1, "undo"))
    beside = reverse(rig.cloud, leg)
    await not_believed(rig, named(beside), "under the reference of this undo")


async def test_each_refusal_leads_on(rig: Rig) -> None:
    await stuck(rig)
    leg = rig.cloud.book[0]
    undone = reverse(rig.cloud, leg, linked=False)
    show(rig.cloud, undone, reversed_by="H00009")
    await not_believed(rig, named(undone), "was undone itself: journal_entrie 000001 stands again")
    whole = reverse(rig.cloud, leg)
    name, other = whole.number.document_number, undone.number.document_number
    await not_believed(rig, named(undone), f"was undone itself, and journal_entrie 000001 is reversed by {name}")
    show(rig.cloud, undone, reversed_by=None)
    show(rig.cloud, leg, reversed_by=other, also_reversed_by=(name,))
    await not_believed(rig, named(undone), f"{other} and journal_entrie {name} both stand")
    await not_believed(rig, named(whole), f"{name} and journal_entrie {other} both stand")
    show(rig.cloud, undone, total=None, currency_code="EUR")
    problem = await refused(both(rig, "mark_posted", **named(undone)))
    assert problem.remedy == f"undo journal_entrie {other} in the ERP, and name {name}"


async def test_another_part_of_the_same_document(rig: Rig) -> None:
    await stuck(rig, in_two_currencies(), cloud=2, legacy=1)
    first, newest = rig.cloud.book
    show(rig.cloud, newest, reversed_by=first.number.document_number)
    await not_believed(rig, named(first), "what another part of this transaction posted")


async def test_a_customer_that_is_not_blocked(rig: Rig) -> None:
    rig.cloud.script = ["post", "reject", "reject"]
    await bring(rig)
    made = rig.cloud.book[0]
    [of_order] = await exceptions(rig, state="open", domain="orders")
    await ask(rig, "cancel", of=of_order)
    await not_believed(rig, named(made), "stands in cloud-main: it reads as neither cancelled nor blocked")
    elsewhere = {"document_type": "customer", "document_number": "000900"}
    show(rig.cloud, made, cancelled=True)
    await not_believed(rig, elsewhere, "it is customer 000001 that is called off")
