"""Undoing what a plan has posted when a later step of it is definitely refused: newest first, by the same protocol.

An undo is a step of its own with a reference of its own: dispatched in a commit before its first byte, inquired if its
outcome is unknown, sent again only as the step itself would be. It is begun by a worker in a commit of its own, under
the rules in force, because they say which periods are open. Nothing is undone while the outcome of any step is unknown:
a plan has only one step in hand. An undo that is refused is a dead end, and a person looks: it is tried once more, or
named where the person did it in the ERP (`gateway.exceptions.refused_undo`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.domain.entries import EntryKind
from gateway.domain.exceptions import REJECTED_BY_ERP, UNDO_REFUSED
from gateway.domain.legs import leg_of
from gateway.domain.plan import still_done, undo_of
from gateway.domain.records import StepRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.transactions.dispatch import Dispatch, Lease, dispatched_members, step_members
from gateway.transactions.effects import forget_number, forget_parts, release
from gateway.transactions.exceptions import ErpWords, close_exception, open_exception
from gateway.transactions.finish import give_pin_back, refusal_members, refusal_text, reject, rest
from gateway.transactions.home import capability
from gateway.transactions.steps import send, step_of
from gateway.transactions.work import Work


async def step_refused(work: Work, step: StepRecord, problem: Mapping[str, Any]) -> TransactionRecord:
    """A step is definitely refused: what is done of the plan is undone; if nothing is, the transaction is rejected.

    `step`: as it was; it is written here.
    """
    refused = replace(step, state="rejected", closed_at=step.closed_at or work.now)
    if step.direction == "undo":
        return await _undo_refused(work, refused, problem)
    if work.record.legs is None:
        await work.unit.update_step(refused)
        return await reject(work, problem)
    await work.keep_step(refused)
    done = still_done(await work.unit.steps(work.record.transaction_id))
    if not done:
        return await reject(work, problem)
    text = refusal_text(work, problem)
    work.journal.note(EntryKind.REJECTED, {**step_members(step), **refusal_members(problem, text)})
    compensating = {"step": step.step, "done": [one.step for one in done]}
    work.journal.move(Status.COMPENSATING, compensating, problem=text, retry_after_s=None)
    if undo_of(leg_of(work.record, done[0].step).domain, work.record.operation) is None:
        # half of a reversal is done, and what is reversed is not reversed back
        return await _doubt(work, refused, "cannot-be-undone", problem)
    return await _hand_on(work, done)


async def begin_undo(work: Work, done: Sequence[StepRecord]) -> TransactionRecord | Dispatch:
    """Dispatch the undo of the newest step that still stands. `done`: newest first."""
    newest = done[0]
    planned = work.record.posting_date
    posting_date = None
    if work.record.legs is not None:
        leg = leg_of(work.record, newest.step)
        posting_date = work.parts.rules.acts.first_open_day(leg.company_code, planned or "")
    else:
        resume(work)
        can = capability(work.parts, newest.system_id, work.record.domain, "cancel")
        if not can.supported:
            return await _doubt(work, newest, UNDO_REFUSED, _cannot(newest, can.reason))
    lease = Lease.take(work.parts, newest.system_id, work.job.epoch)
    undo = step_of(
        work.parts,
        newest.transaction_id,
        newest.step,
        newest.system_id,
        lease,
        direction="undo",
        posting_date=posting_date,
    )
    members = {
        **dispatched_members(undo),
        "postingDate": posting_date,
        "movedFromPostingDate": planned if posting_date != planned else None,
    }
    work.journal.note(EntryKind.DISPATCHED, members)
    return await send(work, undo, lease)


async def undone(work: Work, members: Mapping[str, Any]) -> TransactionRecord:
    """An undo is posted; the next one, or the end: nothing of the plan stands any more."""
    resume(work)
    work.journal.note(EntryKind.POSTED, members)
    steps = await work.unit.steps(work.record.transaction_id)
    done = still_done(steps)
    if done:
        return await _hand_on(work, done)
    work.journal.move(Status.COMPENSATED, {"undone": [one.step for one in steps if one.direction == "undo"]})
    work.journal.change(retry_after_s=None)
    if work.record.legs is None:
        # the order for which it was made tells people why
        await forget_number(work, steps[0].system_id)
        await close_exception(work.unit, work.journal, Status.COMPENSATED.value)
        return await rest(work)
    await forget_parts(work, steps)
    await release(work)
    await give_pin_back(work)
    problem: Mapping[str, Any] = json.loads(work.record.problem or "{}")
    code = str(problem.get("code") or REJECTED_BY_ERP)
    await open_exception(work.unit, work.parts, work.journal, code, words=ErpWords.of(problem))
    return await rest(work)


def resume(work: Work) -> None:
    """What a person had in hand is compensated further."""
    if work.record.status is not Status.COMPENSATING:
        work.journal.move(Status.COMPENSATING)


async def _hand_on(work: Work, done: Sequence[StepRecord]) -> TransactionRecord:
    """To whoever takes the job, at once."""
    await work.put_back(due_at=work.now, tries=0, system_id=done[0].system_id)
    work.journal.woken_jobs += 1
    return await work.save()


async def _undo_refused(work: Work, step: StepRecord, problem: Mapping[str, Any]) -> TransactionRecord:
    text = refusal_text(work, problem)
    await work.keep_step(replace(step, problem=text))
    resume(work)
    work.journal.note(EntryKind.REJECTED, {**step_members(step), **refusal_members(problem, text)})
    return await _doubt(work, step, UNDO_REFUSED, problem)


async def _doubt(work: Work, step: StepRecord, why: str, problem: Mapping[str, Any]) -> TransactionRecord:
    """Part of the plan stands in an ERP and the gateway cannot take it back."""
    work.journal.move(Status.IN_DOUBT, {**step_members(step), "reason": why})
    await open_exception(
        work.unit,
        work.parts,
        work.journal,
        UNDO_REFUSED,
        system_id=step.system_id,
        cause=f"step-{step.step}",
        words=ErpWords.of(problem),
    )
    return await rest(work)


def _cannot(step: StepRecord, reason: str) -> dict[str, Any]:
    return {
        "code": "operation-not-served",
        "detail": f"{step.system_id} cannot take it back: {reason}",
        "erp": {"systemId": step.system_id, "messageCode": "", "field": "", "message": reason},
    }
