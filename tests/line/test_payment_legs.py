"""A payment whose invoices lie in two ERPs: a payment in each, and the money moved between them through clearing."""

import json
from decimal import Decimal

import pytest

from adapters.canonical import Payment
from gateway.domain.transaction import Status
from tests.line.asking import posted, refused
from tests.line.documents import TO_CLOUD, journal_entry
from tests.line.rig import Rig, invoice, order, payment
from tests.line.split import SPLIT, account_balances, split_rig, standing


async def billed(rig: Rig) -> None:
    """An invoice of 168.00 USD in each ERP."""
    for name, where in (("1", {}), ("2", TO_CLOUD)):
        await posted(rig, order(name, **where))
        await posted(rig, invoice(f"I-{name}", name, **where), "invoices")
    rig.legacy.book.clear()
    rig.cloud.book.clear()


@pytest.fixture
async def rig(store) -> Rig:
    rig = await split_rig(store)
    await billed(rig)
    return rig


async def paid(rig: Rig, **changes) -> str:
    answer = await rig.send(payment("P-1", ("I-1", "I-2"), **changes), "payments")
    await rig.settle()
    return answer.transaction.transaction_id


def payments(erp) -> list[tuple[Decimal, int]]:
    said = [erp.contents[one.number.document_number] for one in erp.book]
    return [(one.amount, len(one.allocations)) for one in said if isinstance(one, Payment)]


async def test_each_erp_takes_its_part_and_the_bank_has_all_of_it(rig: Rig):
    transaction_id = await paid(rig, amount="400.00")
    record = await rig.record(transaction_id)
    assert record.status is Status.POSTED
    # what no allocation takes stays where the money is
    assert payments(rig.legacy) == [(Decimal("232.00"), 1)]
    assert payments(rig.cloud) == [(Decimal("168.00"), 1)]
    assert account_balances(rig.legacy) == {("NW01", "113100"): 168, ("NW01", "194900"): -168}
    assert account_balances(rig.cloud) == {("NW01", "113100"): -168, ("NW01", "194900"): 168}
    shown = json.loads(record.legs)
    assert [(one["domain"], one["routedTo"]["systemId"], one["amount"]) for one in shown] == [
        ("payments", "legacy-main", "232.00"),
        ("payments", "cloud-main", "168.00"),
        ("journal_entries", "legacy-main", "168.00"),
        ("journal_entries", "cloud-main", "168.00"),
    ]
    assert all(one["routedTo"]["pinned"] for one in shown)


async def test_a_refused_part_takes_back_all_of_it(rig: Rig):
    rig.cloud.script = ["post", "reject"]
    assert (await rig.record(await paid(rig))).status is Status.COMPENSATED
    assert standing(rig.legacy) == standing(rig.cloud) == 0
    assert (len(rig.legacy.book), len(rig.cloud.book)) == (4, 2)


async def test_a_chargeback_reverses_every_part(rig: Rig):
    document_id = (await rig.record(await paid(rig))).document_id
    undone = (await rig.reverse(document_id, "payments")).transaction
    assert (await rig.record(undone.transaction_id)).status is Status.POSTED
    assert standing(rig.legacy) == standing(rig.cloud) == 0


async def test_what_reverses_a_part_names_no_activation_as_that_of_the_pin_that_the_part_followed(rig: Rig, store):
    """A part keeps what was in force when it was routed, and its table is that of the invoice's pin."""
    changed = {**SPLIT, "orders.csv": ("no phase has reached yet", "no phase has reached so far")}
    later = await Rig.on(store, process_id="prc_later", seed=1_000, edits=changed)
    for ours, theirs in ((later.legacy, rig.legacy), (later.cloud, rig.cloud)):
        ours.book, ours.contents = theirs.book, theirs.contents
    document_id = (await later.record(await paid(later))).document_id
    undone = (await later.reverse(document_id, "payments")).transaction
    await later.settle()
    made_by = (await later.document(document_id)).transaction_id
    for transaction_id, under in ((made_by, {1}), (undone.transaction_id, {None})):
        bodies = [json.loads(one.body) for one in await later.entries(transaction_id)]
        rules = [one["rule"] for one in bodies if one["kind"] == "routed"]
        assert {rule["activationNumber"] for rule in rules} == {2}
        assert {rule.get("pinnedUnder") for rule in rules} == under


async def test_what_follows_the_payment_finds_its_number_in_its_own_erp(rig: Rig):
    await paid(rig)
    body = journal_entry(paymentReference={"externalId": "P-1"})
    record = (await rig.send(body, "journal_entries", wait_s=5.0)).transaction
    assert (record.status, record.system_id) == (Status.POSTED, "legacy-main")
    named = rig.legacy.seen[-1].numbers["paymentReference"]
    assert isinstance(rig.legacy.contents[named.document_number], Payment)


async def test_without_clearing_accounts_it_is_refused_with_the_split(store):
    rig = await Rig.on(store)
    await billed(rig)
    problem = await refused(rig.send(payment("P-1", ("I-1", "I-2")), "payments"))
    assert problem.slug == "lineage-spans-systems"
    assert [one["systemId"] for one in problem.extra["split"]] == ["legacy-main", "cloud-main"]


async def test_a_payment_in_one_erp_stays_one_posting(rig: Rig):
    record = (await rig.send(payment("P-1", ("I-2",)), "payments", wait_s=5.0)).transaction
    assert (record.status, record.system_id, record.legs) == (Status.POSTED, "cloud-main", None)
