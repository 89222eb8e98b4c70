"""Late follow-ups: what comes for a lineage of the legacy ERP after its root's slice was closed there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.domain.queries import Visible
from gateway.domain.transaction import Status
from gateway.transactions.late import policy_for
from tests.line.acts import lay, lift
from tests.line.asking import posted, refused
from tests.line.documents import credit_note, priced
from tests.line.rig import BILLING, Rig, invoice, order, payment, sample_rulebook

BASE = "legacy,legacy-main,,,,,Everything that no phase has reached yet"
CLOSED = "{},legacy-main,cloud-main,,,,Everything that no phase has reached yet"


async def after_the_cutover(
    rig: Rig, stage: str = "read_only", *, process_id: str = "prc_later", seed: int = 1_000, **how: Any
) -> Rig:
    """Another process on the same store and ERPs, under a rulebook in which every slice of these domains is closed."""
    closed = {f"{domain}.csv": (BASE, CLOSED.format(stage)) for domain in ("orders", "invoices", "payments")}
    later = await Rig.on(rig.store, process_id=process_id, seed=seed, edits=closed | how.pop("edits", {}))
    later.legacy.book, later.legacy.contents = rig.legacy.book, rig.legacy.contents
    return later


async def billed(rig: Rig) -> str:
    """An order and its invoice in the legacy ERP; the invoice's document."""
    await posted(rig)
    return await posted(rig, invoice(), "invoices")


@pytest.mark.parametrize("stage", ["read_only", "retired"])
async def test_a_late_credit_becomes_a_root_in_the_cloud_and_the_old_pin_stays(rig: Rig, stage: str):
    invoice_id = await billed(rig)
    later = await after_the_cutover(rig, stage)
    record = (await later.send(credit_note("CN-1", "INV-10248", 2), "invoices", wait_s=5.0)).transaction
    assert (record.status, record.system_id, record.pinned) == (Status.POSTED, "cloud-main", False)
    assert record.parent_transaction_id is None
    old = (await later.document(invoice_id)).lineage_id
    assert record.lineage_id != old
    for lineage_id, system_id in ((old, "legacy-main"), (record.lineage_id, "cloud-main")):
        view = await later.store.reads.lineage(lineage_id, Visible())
        assert view is not None
        assert view.pin is not None
        assert view.pin.system_id == system_id
    (relation,) = view.relations
    assert (relation.field, relation.target_document_id, relation.kind) == ("invoiceReference", invoice_id, "relates")
    assert later.legacy.calls == 0


async def test_late_credits_are_summed_up_with_the_earlier_ones(rig: Rig):
    await billed(rig)
    await posted(rig, credit_note("CN-0", "INV-10248", 4), "invoices")
    later = await after_the_cutover(rig)
    await posted(later, credit_note("CN-1", "INV-10248", 7), "invoices")
    assert (await refused(later.send(credit_note("CN-2", "INV-10248", 2), "invoices"))).slug == "invalid-document"
    await posted(later, credit_note("CN-3", "INV-10248", 1), "invoices")


async def test_a_late_payment_is_held_until_somebody_decides(rig: Rig):
    await billed(rig)
    later = await after_the_cutover(rig)
    record = (await later.send(payment(), "payments")).transaction
    assert record.status is Status.HELD
    held = json.loads((await later.entries(record.transaction_id))[-1].body)
    assert (held["kind"], held["overlay"], held["lateKind"]) == ("held", "hold", "payment")
    await later.until(120)
    assert (await later.record(record.transaction_id)).status is Status.HELD
    cloud = '{domain: payments, business_unit: "*", geography: "*", kind: payment, policy: '
    decided = await after_the_cutover(
        rig, process_id="prc_decided", seed=2_000, edits={"rulebook.yaml": (cloud + "hold", cloud + "cloud")}
    )
    await decided.until(300)
    ended = await decided.record(record.transaction_id)
    assert (ended.status, ended.system_id) == (Status.POSTED, "cloud-main")
    assert (later.legacy.calls, decided.legacy.calls) == (0, 0)


async def test_everything_else_that_is_late_is_refused(rig: Rig):
    invoice_id = await billed(rig)
    order_id = await posted(rig, order("2"))
    later = await after_the_cutover(rig)
    for call in (
        later.send(invoice("INV-2", "2"), "invoices"),
        later.change(order_id, priced(20)),
        later.cancel(order_id),
        later.reverse(invoice_id, caller=BILLING),
    ):
        problem = await refused(call)
        assert (problem.slug, problem.extra["systemId"]) == ("lineage-closed", "legacy-main")
    assert later.legacy.calls == 0


async def test_through_drain_the_legacy_erp_takes_them(rig: Rig):
    await billed(rig)
    later = await after_the_cutover(rig, "drain")
    record = (await later.send(credit_note("CN-1", "INV-10248"), "invoices", wait_s=5.0)).transaction
    assert (record.status, record.system_id) == (Status.POSTED, "legacy-main")


async def test_the_slice_of_the_root_closes_and_that_of_the_follow_up_only_lies_over(rig: Rig):
    await billed(rig)
    later = await after_the_cutover(rig, edits={"orders.csv": (BASE, BASE)})
    # invoices are closed, the order is not: its lineage goes on where it is
    note = credit_note("CN-1", "INV-10248")
    assert (await later.send(note, "invoices", wait_s=5.0)).transaction.system_id == "legacy-main"
    await lay(later, "hold", "invoices")
    assert (await later.send(credit_note("CN-2", "INV-10248"), "invoices")).transaction.status is Status.HELD


async def test_a_late_credit_is_refused_where_the_table_of_its_domain_lags_behind(rig: Rig):
    await billed(rig)
    later = await after_the_cutover(rig, edits={"invoices.csv": (BASE, BASE)})
    assert (await refused(later.send(credit_note("CN-1", "INV-10248"), "invoices"))).slug == "lineage-closed"


async def test_a_held_late_document_keeps_its_own_lineage(rig: Rig):
    invoice_id = await billed(rig)
    later = await after_the_cutover(rig)
    overlay = await lay(later, "hold", "invoices")
    record = (await later.send(credit_note("CN-1", "INV-10248"), "invoices")).transaction
    assert record.status is Status.HELD
    assert record.lineage_id != (await later.document(invoice_id)).lineage_id
    # meanwhile the slice goes back to drain: what has a lineage of its own does not join the old one
    back = await Rig.on(
        rig.store,
        process_id="prc_back",
        seed=3_000,
        edits={f"{domain}.csv": (BASE, CLOSED.format("drain")) for domain in ("orders", "invoices", "payments")},
    )
    await lift(back, overlay)
    await back.settle()
    ended = await back.record(record.transaction_id)
    assert (ended.status, ended.system_id, ended.lineage_id) == (Status.POSTED, "cloud-main", record.lineage_id)


def test_the_narrowest_policy_holds_and_of_equals_the_strictest():
    every = '  - {domain: payments, business_unit: "*", geography: "*", kind: payment, policy: hold}\n'
    more = every + (
        '  - {domain: payments, business_unit: Inland, geography: "*", kind: payment, policy: cloud}\n'
        '  - {domain: payments, business_unit: "*", geography: FR, kind: payment, policy: refuse}\n'
    )
    book = sample_rulebook({"rulebook.yaml": (every, more)})
    assert policy_for(book, "payments", "payment", "Western", "US") == "hold"
    assert policy_for(book, "payments", "payment", "Northern", "US") == "cloud"
    assert policy_for(book, "payments", "payment", "Northern", "FR") == "refuse"
    assert policy_for(book, "invoices", "other", "Northern", "FR") == "refuse"
    assert policy_for(book, "orders", "payment", "Northern", "FR") == "hold"
