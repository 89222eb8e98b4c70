"""Holding back what was dispatched and of which nothing happened, and letting it go again.

Overlays and closed periods are looked at again before each dispatch where nothing has happened. What was dispatched
once stays with its system, under its reference; only what was never routed is routed by the table of the day.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from gateway.domain.entries import EntryKind
from gateway.domain.facts import facts_of
from gateway.domain.legs import leg_of
from gateway.domain.records import PinRecord, StepRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.transactions.compensate import step_refused
from gateway.transactions.finish import problem_members
from gateway.transactions.overlays import holding_again
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.periods import refuse_closed_period
from gateway.transactions.posting import stored_document
from gateway.transactions.target import Held, pin_of_leg, pinned, pinned_under
from gateway.transactions.work import Work

HELD_RECHECK_S: Final = 3_600.0
"""How often a transaction that an act keeps back is looked at although the act's end wakes it; seconds."""


def held_due(parts: LineParts, held: Held, now: int) -> int:
    """When to look again (µs): the end of an act wakes what it holds, that of a planned overlay does not."""
    wait_s = parts.limits.waiting_recheck_s if held.overlay_id is None else HELD_RECHECK_S
    return now + int(wait_s * SECOND)


async def stopped(work: Work, step: StepRecord) -> Held | Problem | None:
    """What stands in the way of sending the step once more, of which nothing happened so far.

    What is begun is not left half done for an overlay; and an undo has a day of its own.
    """
    if step.direction == "undo":
        return None
    work.ruled = True
    record, rules = work.record, work.parts.rules
    document = await stored_document(work.unit, record)
    if record.operation != "change" and record.posting_date is not None:
        try:
            refuse_closed_period(rules.acts, document, date.fromisoformat(record.posting_date))
        except Problem as problem:
            return problem
    return holding_again(rules, record, document) if step.step == 1 else None


async def hold_back(work: Work, step: StepRecord, why: Held | Problem) -> TransactionRecord:
    """It is not sent again now: held by an overlay, or refused for good. `step`: as it is to be kept."""
    if isinstance(why, Problem):
        return await step_refused(work, step, problem_members(why))
    await work.keep_step(step)
    # an unknown stays one until it is sent again, whatever lies over it
    if work.record.status is Status.DISPATCHED:
        work.journal.move(Status.HELD, why.members, problem=None, retry_after_s=None)
    # the attempts before are another matter: of what is held, tries are looks that failed
    await work.put_back(due_at=held_due(work.parts, why, work.now), tries=0, waiting_for=why.awaited)
    return await work.save()


async def let_go(work: Work, step: StepRecord) -> None:
    """What was dispatched before it was held is released, and routed to where it was."""
    record, parts = work.record, work.parts
    document = await stored_document(work.unit, record)
    work.journal.note(EntryKind.RELEASED, {"systemId": step.system_id})
    there = _routed_there(record, step, work.now)
    target = pinned(parts, there, None, facts_of(document, operation=record.operation, share_key=None, is_root=False))
    effect = f"it was routed to {step.system_id} before it was held, and nothing of it happened there"
    which = leg_of(record, step.step).entry_members if record.legs is not None else {}
    work.journal.move(Status.ROUTED, {**target.tell(), **which, "explanation": effect})


def _routed_there(record: TransactionRecord, step: StepRecord, now: int) -> PinRecord:
    """Where it was routed to; the first leg, where it has legs."""
    if record.legs is not None:
        return pin_of_leg(leg_of(record, step.step), record.lineage_id)
    return PinRecord(
        lineage_id=record.lineage_id,
        system_id=step.system_id,
        side=record.side or "",
        stage=record.stage or "",
        rule_row=record.rule_row,
        table_version=record.table_version,
        activation_number=pinned_under(record),
        pinned_at=now,
    )
