"""Closed periods: a posting date in one is refused, never moved; what is posted into a tied-out one voids that."""

from __future__ import annotations

import json
from typing import Any

from gateway.cutover.periods import act_on_period, period_named, tie_out
from gateway.domain.caller import Caller, DataScope
from gateway.domain.transaction import Status
from tests.line.acts import SCOPES, act_parts, close, lay, lift, reopen
from tests.line.asking import posted, refused
from tests.line.documents import journal_entry
from tests.line.rig import BILLING, Rig, invoice, order


async def tied_out(rig: Rig, period_id: str = "1996-07") -> None:
    period = period_named(rig.rules.current.rulebook.governance, "NW01", period_id)
    ids = rig.parts.tools.ids
    tie_out_id, event_id = ids.new("tie"), ids.new("evt")

    async def unit_of_work(unit: Any) -> None:
        state = await unit.rules_state_alone()
        await tie_out(
            unit,
            rig.parts.tools,
            state,
            company_code="NW01",
            period=period,
            tie_out_id=tie_out_id,
            actor="treasury",
            event_id=event_id,
        )

    await rig.store.write(unit_of_work)


async def test_a_posting_date_in_a_closed_period_is_refused_until_it_is_reopened(rig: Rig):
    await close(rig)
    problem = await refused(rig.send(order()))
    assert (problem.slug, problem.errors[0].field) == ("policy-check-failed", "postingDate")
    assert (problem.extra["companyCode"], problem.extra["period"]) == ("NW01", "1996-07")
    assert (await rig.send(order(postingDate="1996-08-01"), wait_s=5.0)).transaction.status is Status.POSTED
    await reopen(rig)
    assert (await rig.send(order("2"), wait_s=5.0)).transaction.status is Status.POSTED


async def test_a_company_code_of_a_line_counts_too(store):
    second = "company_codes:\n  - {id: NW02, name: The second, currency: USD, calendar: calendar-year}\n"
    rig = await Rig.on(store, edits={"rulebook.yaml": ("company_codes:\n", second)})
    await close(rig, company_code="NW02")
    body = journal_entry()
    assert (await rig.send(body, "journal_entries", wait_s=5.0)).transaction.status is Status.POSTED
    body["externalId"] = "JE-2"
    for line in body["lines"]:
        line["companyCode"] = "NW02"
    problem = await refused(rig.send(body, "journal_entries"))
    assert (problem.slug, problem.extra["companyCode"]) == ("policy-check-failed", "NW02")


async def test_a_mirror_may_take_a_posting_date_of_an_open_period(rig: Rig):
    await posted(rig)
    document_id = await posted(rig, invoice(), "invoices")
    await close(rig)
    asked = {"caller": BILLING, "reason": "wrong customer"}
    assert (await refused(rig.reverse(document_id, **asked))).slug == "policy-check-failed"
    await reopen(rig)
    assert (await rig.reverse(document_id, **asked)).transaction.status is Status.POSTED


async def test_what_was_held_over_the_close_is_refused_and_not_moved(rig: Rig):
    overlay = await lay(rig, "hold")
    record = (await rig.send(order())).transaction
    await close(rig)
    await lift(rig, overlay)
    await rig.settle()
    ended = await rig.record(record.transaction_id)
    assert (ended.status, ended.posting_date) == (Status.REJECTED, "1996-07-04")
    assert json.loads(ended.problem or "")["code"] == "policy-check-failed"
    assert rig.legacy.calls == 0


async def test_what_did_not_happen_before_the_close_is_not_sent_after_it(rig: Rig):
    rig.legacy.script = ["busy"]
    record = (await rig.send(order())).transaction
    assert await rig.line.drain(30)
    await close(rig)
    await rig.until(60)
    assert (await rig.record(record.transaction_id)).status is Status.REJECTED
    assert rig.legacy.calls == 1
    # nothing was posted, so the lineage is free for the next attempt; somebody has to look at what was refused
    assert (await rig.kinds(record.transaction_id))[-2:] == ["pin_released", "exception_opened"]


async def test_acts_on_periods_are_entries_and_events_and_do_nothing_twice(rig: Rig):
    first = await close(rig)
    assert await close(rig) == first
    assert (await reopen(rig)).state == "open"
    await close(rig)
    assert await rig.kinds(first.trace) == ["period_closed", "period_reopened", "period_closed"]
    told = [json.loads(event.body)["data"] for event in await rig.store.outbox.pending(1_000)]
    acts = [one for one in told if one.get("period") == "1996-07"]
    assert [one["actsNumber"] for one in acts] == [1, 2, 3]
    assert (acts[0]["startsOn"], acts[0]["endsBefore"]) == ("1996-07-01", "1996-08-01")


async def test_what_has_no_such_period_is_refused(rig: Rig):
    assert (await refused(close(rig, "1996-13"))).slug == "not-found"
    assert (await refused(close(rig, company_code="NW99"))).slug == "not-found"
    assert (await refused(reopen(rig, "1996-08"))).slug == "not-found"
    future = await refused(close(rig, "2023-12"))
    assert (future.slug, "lies in the future" in future.detail) == ("policy-check-failed", True)
    assert (await close(rig, "2023-11")).state == "closed", "the one that runs may be closed early"
    western = Caller("w", "console", SCOPES, DataScope(frozenset({"Western"})), person="wendy")
    call = act_on_period(act_parts(rig), western, "close", "NW01", "1996-07", "x")
    assert (await refused(call)).slug == "out-of-scope"


async def test_a_posting_into_a_tied_out_period_voids_the_tie_out(rig: Rig):
    await posted(rig)
    await tied_out(rig)
    (period,) = await rig.store.reads.periods("NW01", 10, None)
    assert period.tie_out_id is not None
    other = await rig.send(order("2", postingDate="1996-08-01"), wait_s=5.0)
    assert "tie_out_voided" not in await rig.kinds(other.transaction.transaction_id)
    record = (await rig.send(order("3"), wait_s=5.0)).transaction
    assert "tie_out_voided" in await rig.kinds(record.transaction_id)
    (period,) = await rig.store.reads.periods("NW01", 10, None)
    assert (period.tie_out_id, period.tie_out_voided_at is not None) == (None, True)
    again = (await rig.send(order("4"), wait_s=5.0)).transaction
    assert "tie_out_voided" not in await rig.kinds(again.transaction_id)


async def test_a_period_is_not_tied_out_while_something_of_it_is_open(rig: Rig):
    overlay = await lay(rig, "hold")
    await rig.send(order())
    assert (await refused(tied_out(rig))).slug == "policy-check-failed"
    await tied_out(rig, "1996-08")
    await lift(rig, overlay)
    await rig.settle()
    await tied_out(rig)


async def test_the_periods_of_a_company_code_are_listed_the_newest_first(rig: Rig):
    for period in ("1996-07", "1996-08", "1995-12"):
        await close(rig, period)
    reads = rig.store.reads
    found = await reads.periods(None, 2, None)
    assert [one.period for one in found] == ["1996-08", "1996-07"]
    assert [one.period for one in await reads.periods("NW01", 9, ("NW01", "1996-07"))] == ["1995-12"]
    assert await reads.periods("NW02", 9, None) == []
