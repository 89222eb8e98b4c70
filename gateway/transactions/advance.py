"""From one posted step of a plan to the next, and to the end of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.domain.entries import EntryKind
from gateway.domain.legs import Leg, leg_of, legs_of
from gateway.domain.plan import still_done
from gateway.domain.records import StepRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.transactions.compensate import undone
from gateway.transactions.dispatch import Dispatch, Lease, dispatched_members
from gateway.transactions.effects import take_effect_in_parts
from gateway.transactions.exceptions import close_exception
from gateway.transactions.finish import rest
from gateway.transactions.steps import send, step_of
from gateway.transactions.tie_outs import void_tie_out
from gateway.transactions.work import Work


async def step_posted(work: Work, step: StepRecord, members: Mapping[str, Any]) -> TransactionRecord | Dispatch:
    """A step of several is posted; the next is dispatched in the same commit. `step`: as it stands now."""
    await work.keep_step(step)
    posting_date = step.posting_date or work.record.posting_date
    await void_tie_out(work, leg_of(work.record, step.step).company_code, posting_date)
    if step.direction == "undo":
        return await undone(work, members)
    following = next((leg for leg in legs_of(work.record) if leg.step > step.step), None)
    if following is None:
        return await _all_posted(work, members)
    work.journal.note(EntryKind.POSTED, members)
    return await _next(work, following)


async def _next(work: Work, leg: Leg) -> Dispatch:
    lease = Lease.take(work.parts, leg.system_id, work.job.epoch)
    step = step_of(work.parts, work.record.transaction_id, leg.step, leg.system_id, lease)
    work.show(step)
    work.journal.move(Status.DISPATCHED, dispatched_members(step), problem=None, retry_after_s=None)
    return await send(work, step, lease)


async def _all_posted(work: Work, members: Mapping[str, Any]) -> TransactionRecord:
    work.journal.move(Status.POSTED, members, problem=None, retry_after_s=None)
    await take_effect_in_parts(work, still_done(await work.unit.steps(work.record.transaction_id)))
    await close_exception(work.unit, work.journal, Status.POSTED.value)
    return await rest(work)


def posted_step(step: StepRecord, document_type: str, document_number: str, now: int) -> StepRecord:
    """The step as it stands when its posting is known."""
    return replace(
        step, state="posted", closed_at=now, document_type=document_type, document_number=document_number, problem=None
    )
