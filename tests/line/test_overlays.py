"""Overlays on the line: the strictest wins, nothing is sent under a hold or a freeze, and what is lifted goes on."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.cutover.overlays import lift_overlay
from gateway.domain.caller import Caller, DataScope
from gateway.domain.transaction import Status
from tests.line.acts import ANN, ANNS_SCRIPT, BOB, SCOPES, act_parts, lay, lift
from tests.line.asking import posted, refused
from tests.line.documents import priced
from tests.line.rig import Rig, invoice, order


async def entry(rig: Rig, trace: str, kind: str) -> dict:
    (found,) = [one for one in await rig.entries(trace) if one.kind == kind]
    return json.loads(found.body)


async def test_a_hold_accepts_and_keeps_back_and_the_lift_lets_it_go(rig: Rig):
    overlay = await lay(rig, "hold")
    record = (await rig.send(order())).transaction
    assert (record.status, record.system_id) == (Status.HELD, None)
    held = await entry(rig, record.transaction_id, "held")
    assert (held["overlay"], held["overlayId"]) == ("hold", overlay.overlay_id)
    await rig.until(3_000)
    assert (await rig.record(record.transaction_id)).status is Status.HELD
    assert rig.legacy.calls == 0
    await lift(rig, overlay)
    assert "jobs" in rig.woken
    # the lift itself made it due: no time passes
    await rig.settle()
    assert (await rig.record(record.transaction_id)).status is Status.POSTED
    assert (await rig.kinds(record.transaction_id))[:4] == ["accepted", "held", "released", "routed"]


async def test_no_caller_waits_for_what_is_held(rig: Rig):
    await lay(rig, "hold")
    answer = await asyncio.wait_for(rig.send(order(), wait_s=120.0), 60)
    assert answer.transaction.status is Status.HELD


async def test_it_bites_in_a_process_that_did_not_set_it(rig: Rig):
    other = await rig.another_process("prc_2")
    await lay(rig, "hold")
    assert (await other.send(order())).transaction.status is Status.HELD
    assert other.rules.current.acts_number == 1


async def test_a_freeze_refuses_what_is_new_and_says_when_to_come_again(rig: Rig):
    overlay = await lay(rig, "freeze", expected_until=rig.clock.micros + 600_000_000)
    problem = await refused(rig.send(order()))
    assert (problem.slug, problem.extra["windowId"]) == ("frozen", overlay.overlay_id)
    assert 590 <= (problem.retry_after_s or 0) <= 600
    rig.clock.forward(1_000)
    assert (await refused(rig.send(order()))).retry_after_s == 60
    # its time is over, and it lies there until two people lift it
    await lift(rig, overlay)
    assert (await rig.send(order(), wait_s=5.0)).transaction.status is Status.POSTED


async def test_a_freeze_keeps_back_what_is_accepted_and_does_not_reject_it(rig: Rig):
    hold = await lay(rig, "hold")
    record = (await rig.send(order())).transaction
    freeze = await lay(rig, "freeze")
    await lift(rig, hold)
    await rig.settle()
    assert (await rig.record(record.transaction_id)).status is Status.HELD
    await lift(rig, freeze)
    await rig.settle()
    assert (await rig.record(record.transaction_id)).status is Status.POSTED


async def test_the_strictest_wins_whichever_came_first(rig: Rig):
    await lay(rig, "paused")
    await lay(rig, "hold")
    held = await entry(rig, (await rig.send(order())).transaction.transaction_id, "held")
    assert held["overlay"] == "hold"
    await lay(rig, "freeze")
    assert (await refused(rig.send(order("2")))).slug == "frozen"


async def test_a_pause_keeps_new_roots_and_lets_follow_ups_pass(rig: Rig):
    document_id = await posted(rig)
    await lay(rig, "paused", "orders")
    await lay(rig, "paused", "invoices")
    assert (await rig.send(order("2"))).transaction.status is Status.HELD
    assert (await rig.send(invoice(), "invoices", wait_s=5.0)).transaction.status is Status.POSTED
    assert (await rig.change(document_id, priced(20))).transaction.status is not Status.HELD


async def test_a_hold_stops_follow_ups_and_operations_by_their_own_slice(rig: Rig):
    document_id = await posted(rig)
    await lay(rig, "hold", "invoices")
    assert (await rig.send(invoice(), "invoices")).transaction.status is Status.HELD
    assert (await rig.send(order("2"), wait_s=5.0)).transaction.status is Status.POSTED
    await lay(rig, "hold", "orders")
    assert (await rig.change(document_id, priced(20), wait_s=0.0)).transaction.status is Status.HELD


@pytest.mark.parametrize(
    ("where", "covered"),
    [
        ({"business_unit": "Inland", "geography": "EMEA"}, True),
        ({"business_unit": "Northern", "geography": "FR"}, True),
        ({"business_unit": "Southern"}, False),
        ({"geography": "DE"}, False),
    ],
)
async def test_it_covers_its_nodes_and_what_lies_below(rig: Rig, where: dict, covered: bool):
    await lay(rig, "hold", **where)
    status = (await rig.send(order(), wait_s=0.0 if covered else 5.0)).transaction.status
    assert status is (Status.HELD if covered else Status.POSTED)


async def test_what_was_held_is_routed_by_the_table_of_the_day_of_its_release(store):
    rig = await Rig.on(store)
    overlay = await lay(rig, "hold")
    record = (await rig.send(order(businessUnit="Eastern", geography="US"))).transaction
    # over the weekend, Eastern goes live
    base = "legacy,legacy-main,,,,,Everything that no phase has reached yet: orders"
    live = "live,legacy-main,cloud-main,,,,Everything that no phase has reached yet: orders"
    monday = await Rig.on(store, process_id="prc_2", seed=1_000, edits={"orders.csv": (base, live)})
    await lift(monday, overlay)
    await monday.settle()
    posted_there = await monday.record(record.transaction_id)
    assert (posted_there.status, posted_there.system_id) == (Status.POSTED, "cloud-main")


async def test_what_was_dispatched_and_did_not_happen_is_held_and_goes_on_where_it_was(rig: Rig):
    rig.legacy.script = ["busy"]
    record = (await rig.send(order())).transaction
    assert await rig.line.drain(30)
    assert (await rig.record(record.transaction_id)).status is Status.DISPATCHED
    overlay = await lay(rig, "hold")
    await rig.until(120)
    standing = await rig.record(record.transaction_id)
    assert (standing.status, standing.problem, rig.legacy.calls) == (Status.HELD, None, 1)
    # it may have a number in the ERP's books one day, so it is not called off like what was never sent
    assert (await refused(rig.cancel(record.document_id))).slug == "document-busy"
    await lift(rig, overlay)
    await rig.settle()
    standing = await rig.record(record.transaction_id)
    assert (standing.status, standing.system_id, standing.pinned) == (Status.POSTED, "legacy-main", False)
    kinds = await rig.kinds(record.transaction_id)
    assert kinds == [
        "accepted", "routed", "pinned", "dispatched", "held", "released", "routed", "dispatched", "posted", "linked",
    ]  # fmt: skip
    (step,) = await rig.store.reads.steps(record.transaction_id)
    assert (step.attempt, step.state) == (2, "posted")
    assert len(rig.legacy.seen) == 2
    assert len({one.external_reference for one in rig.legacy.seen}) == 1


async def test_what_may_have_happened_is_asked_for_and_not_sent_again_under_a_hold(rig: Rig):
    rig.legacy.script = ["lost_call"]
    record = (await rig.send(order())).transaction
    assert await rig.line.drain(30)
    overlay = await lay(rig, "hold")
    for _ in range(6):
        await rig.until(200)
    assert (await rig.record(record.transaction_id)).status is Status.UNKNOWN
    assert rig.legacy.calls == 1
    await lift(rig, overlay)
    for _ in range(3):
        await rig.until(200)
    assert (await rig.record(record.transaction_id)).status is Status.POSTED
    assert rig.legacy.calls == 2


async def test_a_lift_takes_two_persons_whatever_clients_they_use(rig: Rig):
    overlay = await lay(rig, "hold")
    parts = act_parts(rig)
    asked = await lift_overlay(parts, ANN, overlay.overlay_id, "counted")
    assert (asked.state, asked.lift_asked_by) == ("lift_asked", "console-ann")
    again = await lift_overlay(parts, ANNS_SCRIPT, overlay.overlay_id, "counted")
    assert again == asked
    nobody = Caller("robot", "console", SCOPES)
    assert (await refused(lift_overlay(parts, nobody, overlay.overlay_id, "counted"))).slug == "policy-check-failed"
    assert (await rig.send(order())).transaction.status is Status.HELD
    lifted = await lift_overlay(parts, BOB, overlay.overlay_id, "yes")
    assert (lifted.state, lifted.lifted_by) == ("lifted", "console-bob")
    assert await lift_overlay(parts, ANN, overlay.overlay_id, "again") == lifted
    assert await rig.kinds(overlay.overlay_id) == ["overlay_set", "overlay_lifted"]
    lifting = await entry(rig, overlay.overlay_id, "overlay_lifted")
    assert lifting["person"] != lifting["askedPerson"]
    assert "ann" not in json.dumps(lifting).replace("console-ann", "")
    kinds = [event.subject for event in await rig.store.outbox.pending(1_000)]
    assert [one for one in kinds if "overlay" in one] == ["erp.control.overlay_set", "erp.control.overlay_lifted"]


async def test_a_key_sets_one_overlay_only(rig: Rig):
    first = await lay(rig, "hold", key="k")
    assert await lay(rig, "hold", key="k") == first
    with pytest.raises(Exception, match="used for another act"):
        await lay(rig, "freeze", key="k")
    assert len(await rig.store.reads.overlays(lifted=False, limit=10, after=None)) == 1


async def test_nobody_acts_on_what_the_rulebook_does_not_have_or_the_token_does_not_cover(rig: Rig):
    assert (await refused(lay(rig, "hold", geography="Atlantis"))).slug == "unknown-node"
    assert (await refused(lay(rig, "hold", "quotes"))).slug == "domain-not-served"
    assert (await refused(lay(rig, "hold", expected_until=1))).slug == "invalid-document"
    assert (await refused(lift_overlay(act_parts(rig), ANN, "ovl_none", "x"))).slug == "not-found"
    overlay = await lay(rig, "hold")
    western = Caller("w", "console", SCOPES, DataScope(frozenset({"Western"})), person="wendy")
    assert (await refused(lift_overlay(act_parts(rig), western, overlay.overlay_id, "x"))).slug == "out-of-scope"


async def test_no_accept_slips_past_an_overlay_that_is_being_set(rig: Rig):
    """Whoever committed before it is sent, whoever commits after it is held: nothing in between."""
    others = [rig, await rig.another_process("prc_2")]
    answers = asyncio.gather(*(others[number % 2].send(order(str(number))) for number in range(30)))
    overlay = await lay(rig, "hold")
    found = [answer.transaction for answer in await answers]
    # the clock is shared, and both times are taken under the lock that parts them
    assert {(one.status is Status.HELD) == (one.accepted_at > overlay.set_at) for one in found} == {True}
    for other in others:
        assert await other.line.drain(30)
    late = [(await other.send(order(f"late-{at}"))).transaction for at, other in enumerate(others)]
    assert {one.status for one in late} == {Status.HELD}
