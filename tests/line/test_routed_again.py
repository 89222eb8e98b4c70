"""What is routed again, or in parts, is asked all of it again: is it there, is it late, does anything lie over it?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.canonical import DOMAINS
from adapters.port import Submission
from gateway.cutover.activation import put_in_force
from gateway.domain.lanes import RESPOND_ASYNC
from gateway.domain.transaction import Status
from gateway.intake.cross_references import CrossReferenceRow, import_cross_references
from gateway.store.store import Store
from tests.line.acts import lay, lift
from tests.line.asking import posted, refused
from tests.line.documents import customer, journal_entry
from tests.line.rig import BILLING, Rig, invoice, order, payment, sample_rulebook
from tests.line.split import NW02_IN_THE_CLOUD, SPLIT, charge, split_rig, standing
from tests.line.test_late import BASE, CLOSED, after_the_cutover
from tests.line.test_operations import CUSTOMERS_TO_LEGACY
from tests.line.test_payment_legs import billed

WESTERN = "west,*,Western,*,*,*,*,*,,,{},"


async def imported(rig: Rig, domain: str, name: str, system_id: str, number: str) -> None:
    row = CrossReferenceRow(domain, "salesforce", name, system_id, domain.rstrip("s"), number)
    await import_cross_references(rig.store, rig.parts.tools, rig.rules.current, [row])


@pytest.fixture
async def split(store: Store) -> Rig:
    return await split_rig(store)


async def test_what_is_there_already_is_not_posted_after_a_hold(rig: Rig) -> None:
    await imported(rig, "orders", "OLD-1", "legacy-main", "777777")
    assert (await refused(rig.send(order("OLD-1"), wait_s=5.0))).slug == "natural-key-conflict"
    hold = await lay(rig, "hold")
    held = (await rig.send(order("OLD-1"))).transaction
    assert held.status is Status.HELD
    await lift(rig, hold)
    await rig.settle()
    record = await rig.record(held.transaction_id)
    assert record.status is Status.REJECTED
    assert "natural-key-conflict" in (record.problem or "")
    assert rig.legacy.book == []


async def test_what_is_there_already_is_not_posted_after_other_rules_came_into_force(store: Store) -> None:
    rig = await Rig.on(store, edits=CUSTOMERS_TO_LEGACY)
    await imported(rig, "customers", "NEW", "cloud-main", "000955")
    accepted = (await rig.send(customer("NEW"), "customers", queueing=RESPOND_ASYNC)).transaction
    assert accepted.status is Status.ACCEPTED
    await put_in_force(rig.store, rig.parts.tools, sample_rulebook({}), "test")
    await rig.until(60)
    await rig.until(60)
    record = await rig.record(accepted.transaction_id)
    assert (record.status, "duplicate-master" in (record.problem or "")) == (Status.REJECTED, True)
    assert rig.cloud.book == []


async def test_a_change_is_asked_again_whether_the_system_can_change_that(store: Store) -> None:
    rig = await Rig.on(store, edits=CUSTOMERS_TO_LEGACY)
    document_id = await posted(rig, customer("NEW"), "customers")
    replica = rig.cloud.post(Submission(DOMAINS["customers"].model_validate(customer("NEW")), "NEW", {})).number
    await imported(rig, "customers", "NEW", "cloud-main", replica.document_number)
    rig.cloud.fixed = frozenset({"name"})
    hold = await lay(rig, "hold", "customers")
    held = (await rig.change(document_id, {"name": "Other name"}, "customers")).transaction
    assert held.status is Status.HELD
    await put_in_force(rig.store, rig.parts.tools, sample_rulebook({}), "test")
    await lift(rig, hold)
    await rig.until(60)
    record = await rig.record(held.transaction_id)
    assert (record.status, "operation-not-served" in (record.problem or "")) == (Status.REJECTED, True)
    assert rig.cloud.calls == 0


async def test_a_reversal_in_legs_of_a_closed_slice_is_refused_like_any_other(split: Rig) -> None:
    plain = await posted(split, journal_entry("JE-1"), "journal_entries")
    whole = await posted(split, charge("IC-1"), "journal_entries")
    closed = {**SPLIT, "journal_entries.csv": (BASE, CLOSED.format("read_only") + "\n" + NW02_IN_THE_CLOUD.strip())}
    later = await after_the_cutover(split, edits=closed)
    for document_id in (plain, whole):
        problem = await refused(later.reverse(document_id, "journal_entries", caller=BILLING))
        assert problem.slug == "lineage-closed"
        assert problem.extra["systemId"] == "legacy-main"
    assert later.legacy.calls == later.cloud.calls == 0


async def test_a_chargeback_in_legs_of_a_closed_slice_is_held_like_any_other(split: Rig) -> None:
    await billed(split)
    whole = await posted(split, payment("P-1", ("I-1", "I-2")), "payments")
    later = await after_the_cutover(split, edits=SPLIT)
    reversal = (await later.reverse(whole, "payments", caller=BILLING)).transaction
    await later.settle()
    record = await later.record(reversal.transaction_id)
    assert record.status is Status.HELD
    assert later.legacy.calls == later.cloud.calls == 0


NW02 = "j-nw02,*,*,*,NW02,*,*,*,,,{},legacy-main,cloud-main,,,,The second company\n"


def second_company(stage: str) -> dict[str, tuple[str, str]]:
    """Its slice stands at a stage of its own, that of the first at `legacy`."""
    return {**SPLIT, "journal_entries.csv": ("j-west,", NW02.format(stage) + "j-west,")}


async def test_a_leg_of_a_slice_that_is_not_closed_is_reversed_whose_entry_is_headed_by_a_company_that_moved(
    store: Store,
) -> None:
    rig = await Rig.on(store, edits=second_company("read_only"))
    body = charge("IC-1", companyCode="NW02")
    body["lines"][1]["companyCode"] = "NW01"
    document_id = await posted(rig, body, "journal_entries")
    assert len(rig.legacy.book) == len(rig.cloud.book) == 1
    reversal = (await rig.reverse(document_id, "journal_entries", caller=BILLING)).transaction
    await rig.settle()
    assert (await rig.record(reversal.transaction_id)).status is Status.POSTED
    assert standing(rig.legacy) == standing(rig.cloud) == 0


async def test_a_leg_is_late_by_its_own_slice(store: Store) -> None:
    rig = await Rig.on(store, edits=second_company("legacy"))
    document_id = await posted(rig, charge("IC-1"), "journal_entries")
    assert len(rig.legacy.book) == 2
    later = await after_the_cutover(rig, edits=second_company("read_only"))
    problem = await refused(later.reverse(document_id, "journal_entries", caller=BILLING))
    assert (problem.slug, later.legacy.calls) == ("lineage-closed", 0)


@pytest.mark.parametrize("paid", [("I-1", "I-2"), ("I-2", "I-1")])
async def test_a_leg_of_a_payment_is_late_by_the_invoices_that_it_pays(split: Rig, paid: tuple[str, str]) -> None:
    await billed(split)
    whole = await posted(split, payment("P-1", paid), "payments")
    moved = {f"{one}.csv": (WESTERN.format("live"), WESTERN.format("read_only")) for one in ("orders", "invoices")}
    # what is paid in the cloud is of a slice that takes nothing more in the legacy ERP; what is paid there is not
    later = await Rig.on(split.store, process_id="prc_later", seed=1_000, edits={**SPLIT, **moved})
    for erp, before in ((later.legacy, split.legacy), (later.cloud, split.cloud)):
        erp.book, erp.contents = before.book, before.contents
    reversal = (await later.reverse(whole, "payments", caller=BILLING)).transaction
    await later.settle()
    assert (await later.record(reversal.transaction_id)).status is Status.POSTED


def in_southern(external_id: str) -> dict[str, Any]:
    """Its second company code is of another business unit."""
    body = charge(external_id)
    for line in body["lines"]:
        if line.get("companyCode") == "NW02":
            line["businessUnit"] = "Southern"
    return body


async def test_a_hold_over_a_leg_keeps_back_what_is_tried_again(split: Rig) -> None:
    split.cloud.script = ["busy"]
    sent = (await split.send(in_southern("IC-1"), "journal_entries")).transaction
    await split.line.drain(5)
    assert (await split.record(sent.transaction_id)).status is Status.DISPATCHED
    hold = await lay(split, "hold", "journal_entries", business_unit="Southern")
    await split.until(60)
    assert (await split.record(sent.transaction_id)).status is Status.HELD
    assert split.cloud.book == split.legacy.book == []
    await lift(split, hold)
    await split.until(60)
    assert (await split.record(sent.transaction_id)).status is Status.POSTED


@pytest.mark.parametrize("overlay", ["hold", "freeze"])
async def test_what_lies_over_a_leg_keeps_back_a_reversal(split: Rig, overlay: str) -> None:
    document_id = await posted(split, in_southern("IC-1"), "journal_entries")
    lying = await lay(split, overlay, "journal_entries", business_unit="Southern")
    if overlay == "freeze":
        assert (await refused(split.reverse(document_id, "journal_entries", caller=BILLING))).slug == "frozen"
        return
    reversal = (await split.reverse(document_id, "journal_entries", caller=BILLING)).transaction
    assert reversal.status is Status.HELD
    await lift(split, lying)
    await split.settle()
    assert (await split.record(reversal.transaction_id)).status is Status.POSTED


@pytest.mark.parametrize("overlay", ["hold", "freeze"])
async def test_what_lies_over_the_entries_of_a_payment_keeps_it_back(split: Rig, overlay: str) -> None:
    await billed(split)
    lying = await lay(split, overlay, "journal_entries")
    if overlay == "freeze":
        assert (await refused(split.send(payment("P-1", ("I-1", "I-2")), "payments"))).slug == "frozen"
        return
    sent = (await split.send(payment("P-1", ("I-1", "I-2")), "payments")).transaction
    assert sent.status is Status.HELD
    assert split.cloud.book == split.legacy.book == []
    await lift(split, lying)
    await split.settle()
    record = await split.record(sent.transaction_id)
    assert record.status is Status.POSTED
    assert {one["domain"] for one in json.loads(record.legs or "[]")} == {"payments", "journal_entries"}


async def test_a_payment_in_one_erp_minds_no_hold_over_entries(split: Rig) -> None:
    await posted(split, order("1"))
    await posted(split, invoice("I-1", "1"), "invoices")
    await lay(split, "hold", "journal_entries")
    await posted(split, payment("P-1", ("I-1",)), "payments")
