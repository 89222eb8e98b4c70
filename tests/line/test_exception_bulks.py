"""One move for many: shown first, made by the name of what was shown, and gone on with where it was cut off."""

from __future__ import annotations

from functools import partial

import pytest

from gateway.domain.exceptions import ExceptionFilter
from gateway.domain.transaction import Status
from gateway.exceptions import bulk
from gateway.exceptions.bulk import DryRun, Progress, dry_run, run_page
from gateway.exceptions.owning import claim
from tests.line.acts import ANN, ANNS_SCRIPT, BOB
from tests.line.asking import refused
from tests.line.dead_ends import EVERYTHING, desk, exceptions
from tests.line.rig import Rig, invoice, order


async def refuse(rig: Rig, *external_ids: str) -> None:
    for one in external_ids:
        rig.legacy.script = ["reject"]
        await rig.send(order(one), wait_s=5.0)


async def shown(rig: Rig, move: str = "retry", **where: str) -> DryRun:
    return await dry_run(desk(rig), ANN, EVERYTHING, move, ExceptionFilter(**where), "the limits were raised")  # type: ignore[arg-type]


async def run(rig: Rig, of: DryRun, who=ANN, digest: str = "") -> Progress:
    return await run_page(desk(rig), who, EVERYTHING, of.bulk.bulk_id, digest or of.bulk.digest)


async def test_what_is_shown_is_moved_and_nothing_else(rig: Rig):
    await refuse(rig, "1", "2")
    dry = await shown(rig, domain="orders")
    assert (dry.bulk.count, {code: str(sum_) for code, sum_ in dry.money.items()}) == (2, {"USD": "336.00"})
    assert [one.transaction_id for one in dry.first] == [one.transaction_id for one in await exceptions(rig)]
    assert rig.legacy.book == []
    await refuse(rig, "3")
    progress = await run(rig, dry)
    await rig.settle()
    assert (dict(progress.results), progress.left) == ({"done": 2}, 0)
    assert len(rig.legacy.book) == 2
    [left] = await exceptions(rig, state="open")
    assert left.reason_code == "rejected-by-erp"
    again = await run(rig, dry)
    assert (dict(again.results), len(rig.legacy.book)) == ({"done": 2}, 2)


async def test_many_wait_in_the_lane_of_runs(rig: Rig):
    await refuse(rig, "1", "2")
    calls = rig.legacy.calls
    assert dict((await run(rig, await shown(rig))).results) == {"done": 2}
    for one in await exceptions(rig, state="closed"):
        job = await rig.store.write(partial(_job, one.replaced_by))
        assert (job.lane, job.lease_owner) == ("bulk", None)
    assert rig.legacy.calls == calls
    await rig.settle()
    assert len(rig.legacy.book) == 2


async def _job(transaction_id: str | None, unit):
    return await unit.job(transaction_id)


async def test_it_needs_the_digest_of_what_was_shown(rig: Rig):
    await refuse(rig, "1")
    assert (await refused(run(rig, await shown(rig), digest="0" * 64))).slug == "stale"


async def test_what_changed_since_is_left_alone(rig: Rig):
    await refuse(rig, "1", "2")
    dry = await shown(rig)
    await claim(desk(rig), BOB, EVERYTHING, dry.first[0].exception_id)
    assert dict((await run(rig, dry)).results) == {"changed": 1, "done": 1}


async def test_it_goes_on_where_it_was_cut_off(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    await refuse(rig, "1", "2", "3")
    monkeypatch.setattr(bulk, "PAGE", 2)
    dry = await shown(rig, "cancel")
    first = await run(rig, dry)
    assert (dict(first.results), first.left) == ({"done": 2}, 1)
    assert (await refused(run(rig, dry, BOB))).slug == "policy-check-failed"
    last = await run(rig, dry)
    assert (dict(last.results), last.left) == ({"done": 3}, 0)
    assert await exceptions(rig, state="open") == []


async def test_money_is_shown_by_one_person_and_moved_by_another(rig: Rig):
    await rig.send(order(), wait_s=5.0)
    rig.legacy.script = ["reject"]
    await rig.send(invoice(), "invoices", wait_s=5.0)
    dry = await shown(rig)
    assert dry.bulk.second_person == 1
    assert (await refused(run(rig, dry, ANNS_SCRIPT))).slug == "policy-check-failed"
    progress = await run(rig, dry, BOB)
    await rig.settle()
    assert dict(progress.results) == {"done": 1}
    [record] = await exceptions(rig)
    assert (await rig.record(record.replaced_by)).status is Status.POSTED
    [move] = await rig.store.reads.exception_moves(record.exception_id)
    assert (move.asked_by, move.approved_by) == ("console-ann", "console-bob")


async def test_what_a_move_is_not_allowed_for_is_counted_and_left_out(rig: Rig):
    rig.legacy.script = ["down"]
    await rig.send(order("9"))
    await refuse(rig, "1")
    rig.legacy.script = ["twice"]
    await rig.send(order("2"))
    await rig.settle()
    await rig.until(1.1)
    dry = await shown(rig, "cancel")
    assert (dry.bulk.count, dry.bulk.second_person, dry.not_allowed) == (2, 1, 0)
    assert (await refused(shown(rig, "mark_posted"))).slug == "policy-check-failed"
    assert (await refused(shown(rig, "retry", domain="payments"))).slug == "policy-check-failed"


async def test_too_many_are_not_moved_at_once(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    await refuse(rig, "1", "2")
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", 1)
    assert (await refused(shown(rig))).slug == "too-large"
