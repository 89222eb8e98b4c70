"""Resolving an unknown: ask by external reference; never send again blindly.

1. Inquire. Found and it agrees: it is posted. Found twice, or something else under our reference: `in_doubt`.
2. Not found is not proof, the first call may still be running: wait until the system's longest execution is over,
   counted from when our own connection closed or the sender was proven ended.
3. Inquire again. Still nothing: send again, unless the sender was never proven ended; then a person looks.

Where the ERP itself refuses a second document with the same reference, step 3 follows step 1 at once. An attempt that
was sent like that and is refused proves nothing of the one before: the refusal is kept, and counts only when all
earlier attempts are over and an inquiry still finds nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from adapters.errors import ErpError
from adapters.port import FoundDocument, Posting
from gateway.domain.entries import EntryKind
from gateway.domain.records import StepRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.transactions.dispatch import Dispatch, Lease, dispatched_members, lease_length, next_attempt
from gateway.transactions.execute import WasPosted, posted_as_found
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.release import hold_back, stopped
from gateway.transactions.settle import (
    backoff_s,
    kept_refusal,
    may_still_run,
    problem_members,
    reject,
    rest,
    settle,
)
from gateway.transactions.work import Work


@dataclass(frozen=True, slots=True)
class Findings:
    """What an inquiry answered, or the error that kept it from answering; `at` µs."""

    found: tuple[FoundDocument, ...]
    error: ErpError | None
    at: int


async def inquire(parts: LineParts, step: StepRecord, posting: Posting) -> Findings:
    """Ask the ERP for the step's reference. Posts nothing, holds no database connection."""
    began = parts.tools.clock.now()
    found: tuple[FoundDocument, ...] = ()
    failure: ErpError | None = None
    try:
        found = await parts.systems[step.system_id].port.inquire(posting)
    except ErpError as error:
        failure = error
    now = parts.tools.clock.now()
    outcome = "failed" if failure else f"found_{min(len(found), 2)}"
    parts.metrics.erp_call(step.system_id, "inquire", outcome, (now - began) / SECOND)
    return Findings(found, failure, now)


async def resolve(work: Work, step: StepRecord, posting: Posting, findings: Findings) -> TransactionRecord | Dispatch:
    """Draw the conclusion of an inquiry. A Dispatch is to be sent again now."""
    if findings.error is not None:
        # asking failed, so nothing was learnt: ask again later, however long it takes
        wait = int(backoff_s(work.parts, work.job.tries) * SECOND)
        await work.put_back(due_at=findings.at + wait, tries=work.job.tries + 1)
        return work.record
    work.journal.note(
        EntryKind.INQUIRED,
        {
            "systemId": step.system_id,
            "step": step.step,
            "attempt": step.attempt,
            "erp": {"reference": step.external_reference},
            "hits": len(findings.found),
        },
    )
    if findings.found:
        return await _found(work, step, posting, findings.found)
    step = replace(step, inquiries=step.inquiries + 1, inquired_at=findings.at)
    return await _not_found(work, step, posting)


async def _found(work: Work, step: StepRecord, posting: Posting, found: tuple[FoundDocument, ...]) -> TransactionRecord:
    expected = work.parts.systems[step.system_id].port.expectation(posting)
    if len(found) == 1 and found[0].agrees_with(expected):
        return await settle(work, step, WasPosted(posted_as_found(found[0]), found_by_inquiry=True))
    return await _doubt(work, step, "several-found" if len(found) > 1 else "found-other")


async def _not_found(work: Work, step: StepRecord, posting: Posting) -> TransactionRecord | Dispatch:
    system = work.parts.systems[step.system_id]
    step = await _prove_sender_ended(work, step)
    refusal = kept_refusal(work.record)
    if refusal is None and system.reference_unique(work.record.domain, work.record.operation):
        return await _send_again(work, replace(step, earlier_until=_earlier_until(work.parts, step)), posting)
    # without proof of the sender's end, the quiet time runs from the end of its lease, and ends with a person
    quiet_from = step.closed_at
    if quiet_from is None:
        quiet_from = step.dispatched_at + lease_length(work.parts, step.system_id)
    quiet_until = max(quiet_from + int(system.policy.longest_execution_s * SECOND), step.earlier_until or 0)
    if step.inquired_at is not None and step.inquiries >= 2 and step.inquired_at > quiet_until:
        if step.closed_at is None or step.earlier_until == 0:
            return await _doubt(work, step, "sender-not-proven-ended")
        if refusal is not None:
            await work.unit.update_step(replace(step, state="rejected"))
            return await reject(work, refusal)
        return await _send_again(work, replace(step, earlier_until=None), posting)
    await work.unit.update_step(step)
    # right after the quiet time, or at once if it is over already
    next_look = quiet_until + int(system.policy.inquiry_delay_s * SECOND)
    await work.put_back(due_at=max(next_look, work.now), tries=0)
    return await work.save()


def _earlier_until(parts: LineParts, step: StepRecord) -> int:
    """Until when this attempt and those before it may be executed (µs); 0: nobody knows."""
    if step.closed_at is None or step.earlier_until == 0:
        return 0
    longest = int(parts.systems[step.system_id].policy.longest_execution_s * SECOND)
    return max(step.closed_at + longest, step.earlier_until or 0)


async def _prove_sender_ended(work: Work, step: StepRecord) -> StepRecord:
    """Set `closed_at` if the process that sent is proven ended by now; the quiet time starts with the proof."""
    if step.closed_at is not None:
        return step
    sender = await work.unit.process(step.process_id)
    if sender is not None and work.parts.tools.liveness.has_ended(sender):
        return replace(step, closed_at=work.now)
    return step


async def _send_again(work: Work, step: StepRecord, posting: Posting) -> TransactionRecord | Dispatch:
    if work.now - work.record.accepted_at > int(work.parts.limits.give_up_s * SECOND):
        return await _doubt(work, step, "too-old")
    why = await stopped(work)
    if isinstance(why, Problem) and may_still_run(step, work.now):
        # not refused for good while an earlier attempt may yet post
        work.journal.change(problem=json.dumps(problem_members(why), ensure_ascii=False))
        await work.unit.update_step(step)
        await work.put_back(due_at=max(work.now, step.earlier_until or 0), tries=0)
        return await work.save()
    if why is not None:
        return await hold_back(work, step, why)
    return await dispatch_again(work, step, posting, why="proven-not-posted")


async def _doubt(work: Work, step: StepRecord, why: str) -> TransactionRecord:
    work.journal.move(Status.IN_DOUBT, {"systemId": step.system_id, "step": step.step, "reason": why})
    await work.unit.update_step(step)
    return await rest(work)


async def dispatch_again(work: Work, step: StepRecord, posting: Posting, *, why: str) -> Dispatch:
    """A further attempt at the same step under the same reference; only after nothing happened, or proof of it."""
    lease = Lease.take(work.parts, step.system_id, work.job.epoch)
    attempt = next_attempt(work.parts, step, lease)
    work.journal.move(
        Status.DISPATCHED, {**dispatched_members(attempt), "after": why}, problem=None, retry_after_s=None
    )
    await work.unit.update_step(attempt)
    await work.keep(lease.until)
    return Dispatch(await work.save(), attempt, posting, lease)
