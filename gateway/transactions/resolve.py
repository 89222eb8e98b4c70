"""Resolving an unknown: ask by external reference; never send again blindly.

1. Inquire. Found, it agrees and it stands: it is posted. Found twice, undone there by somebody, or something else under
   our reference: `in_doubt`.
2. Not found is not proof, the first call may still be running: wait until the system's longest execution is over,
   counted from when our own connection closed, as its sender says, or the sender was proven ended.
3. Inquire again. Still nothing: send again, unless the sender was never proven ended; then a person looks.

Where the ERP itself refuses a second document with the same reference, step 3 follows step 1 at once. An attempt that
was sent like that and is refused proves nothing of the one before: the refusal is kept, and counts only when all
earlier attempts are over and an inquiry still finds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from adapters.errors import ErpError
from adapters.port import FoundDocument, Posting
from gateway.domain.entries import EntryKind
from gateway.domain.exceptions import (
    FOUND_BEFORE,
    FOUND_OTHER,
    FOUND_UNDONE,
    IN_DOUBT,
    NO_LONGER_FOUND,
    SEVERAL_FOUND,
)
from gateway.domain.records import StepRecord, TransactionRecord
from gateway.domain.refusals import CallOff
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.transactions.compensate import resume, step_refused
from gateway.transactions.dispatch import (
    Dispatch,
    Lease,
    dispatched_members,
    lease_length,
    next_attempt,
    step_members,
)
from gateway.transactions.exceptions import open_exception
from gateway.transactions.execute import WasPosted, posted_as_found
from gateway.transactions.finish import problem_members, rest
from gateway.transactions.found import still_standing, words_of_found
from gateway.transactions.new_customers import unwanted
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.release import hold_back, stopped
from gateway.transactions.settle import backoff_s, cancel, kept_refusal, may_have_posted, settle
from gateway.transactions.target import Held
from gateway.transactions.work import Work

PROVEN: Final = "proven-not-posted"
"""Why a further attempt may be made after an inquiry, in the words of its `dispatched`."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What an inquiry answered, or the error that kept it from answering.

    `asked_at`: before it was sent (µs). What was posted later is not in the answer. `at`: when the answer was there.
    """

    found: tuple[FoundDocument, ...]
    error: ErpError | None
    asked_at: int
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
    return Findings(found, failure, began, now)


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
            **step_members(step),
            "erp": {"reference": step.external_reference},
            "hits": len(findings.found),
        },
    )
    step = await _as_its_sender_says(work, step)
    if findings.found:
        return await _found(work, step, posting, findings.found)
    step = replace(step, inquiries=step.inquiries + 1, inquired_at=findings.asked_at, once_unknown=1)
    return await _not_found(work, step, posting)


async def _found(
    work: Work, step: StepRecord, posting: Posting, found: tuple[FoundDocument, ...]
) -> TransactionRecord | Dispatch:
    if not still_standing(posting, found):
        return await _doubt(work, step, FOUND_UNDONE, found)
    if len(found) > 1:
        return await _doubt(work, step, SEVERAL_FOUND, found)
    if not _agrees(work, step, posting, found[0]):
        return await _doubt(work, step, FOUND_OTHER, found)
    return await settle(work, step, WasPosted(posted_as_found(found[0]), found_by_inquiry=True))


def _agrees(work: Work, step: StepRecord, posting: Posting, found: FoundDocument) -> bool:
    """What this record could not have sent, because what it refers to has no number there, cannot be compared."""
    try:
        return found.agrees_with(work.parts.systems[step.system_id].port.expectation(posting))
    except ErpError:
        return False


async def _not_found(work: Work, step: StepRecord, posting: Posting) -> TransactionRecord | Dispatch:
    system = work.parts.systems[step.system_id]
    step = await _prove_sender_ended(work, step)
    if await _found_before(work):
        return await _doubt(work, step, NO_LONGER_FOUND)
    refusal = await _refusal(work, step)
    if refusal is None and system.reference_unique(posting.domain, posting.operation):
        return await _send_again(work, replace(step, earlier_until=_earlier_until(work.parts, step)), posting)
    until = quiet_until(work.parts, step)
    if step.inquired_at is not None and step.inquiries >= 2 and step.inquired_at > until:
        if step.closed_at is None or step.earlier_until == 0:
            return await _doubt(work, step, "sender-not-proven-ended")
        if refusal is not None:
            return await _ended(work, step, refusal)
        return await _send_again(work, replace(step, earlier_until=None), posting)
    await work.keep_step(step)
    # right after the quiet time, or at once if it is over already
    next_look = until + int(system.policy.inquiry_delay_s * SECOND)
    await work.put_back(due_at=max(next_look, work.now), tries=0)
    return await work.save()


async def _refusal(work: Work, step: StepRecord) -> Mapping[str, Any] | None:
    """Why it ends if nothing of it is found, or found again; None: it is sent again."""
    refusal = kept_refusal(work.record, step)
    call_off = CallOff.of(refusal or {})
    if call_off is not None and "madeForTransactionId" in call_off.members and await unwanted(work) is None:
        # somebody has asked for this customer meanwhile
        work.journal.change(problem=None)
        return None
    return refusal


async def _ended(work: Work, step: StepRecord, refusal: Mapping[str, Any]) -> TransactionRecord:
    """Nothing of it was posted, nor can be: it ends as it was to end."""
    call_off = CallOff.of(refusal)
    if call_off is None:
        return await step_refused(work, step, refusal)
    await work.keep_step(replace(step, state="rejected"))
    work.journal.actor = call_off.actor
    return await cancel(work, call_off.members)


async def _found_before(work: Work) -> bool:
    """Whether an inquiry found documents under the reference, and a person wants it inquired once more. What has gone
    since may come back with the next look: it is not sent again, only called off."""
    if work.record.status is not Status.IN_DOUBT or work.record.exception_id is None:
        return False
    known = await work.unit.exception(work.record.exception_id)
    return known is not None and known.cause in FOUND_BEFORE


def quiet_until(parts: LineParts, step: StepRecord) -> int:
    """Until when an attempt at the step may yet be executed (µs). Without proof of the sender's end the quiet time
    runs from the end of its lease, and ends with a person. What was dispatched before the record was restored may have
    been sent again until then, whatever the record says of it."""
    quiet_from = step.closed_at
    if quiet_from is None:
        quiet_from = step.dispatched_at + lease_length(parts, step.system_id)
    if step.dispatched_at <= parts.limits.inquired_first_until:
        quiet_from = max(quiet_from, parts.limits.inquired_first_until)
    longest = int(parts.systems[step.system_id].policy.longest_execution_s * SECOND)
    return max(quiet_from + longest, step.earlier_until or 0)


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


async def _as_its_sender_says(work: Work, step: StepRecord) -> StepRecord:
    """With the `closed_at` that its sender has said meanwhile: the step in hand was read before the inquiry."""
    if step.closed_at is not None:
        return step
    for one in await work.unit.steps(step.transaction_id):
        if (one.step, one.direction, one.attempt) == (step.step, step.direction, step.attempt):
            return replace(step, closed_at=one.closed_at)
    return step


async def _send_again(work: Work, step: StepRecord, posting: Posting) -> TransactionRecord | Dispatch:
    # one that is in doubt is sent again because a person wants it, whatever its age
    asked = work.record.status is Status.IN_DOUBT
    if not asked and work.now - work.record.accepted_at > int(work.parts.limits.give_up_s * SECOND):
        return await _doubt(work, step, "too-old")
    why = await stopped(work, step)
    if isinstance(why, Problem) and may_have_posted(step):
        # not refused for good while an earlier attempt may yet post
        work.journal.change(problem=json.dumps(problem_members(why), ensure_ascii=False))
        await work.keep_step(step)
        await work.put_back(due_at=max(work.now, step.earlier_until or 0), tries=0)
        return await work.save()
    if asked and isinstance(why, Held):
        # before the person again, who would wait for the end of an act without being told of it
        return await _doubt(work, step, "held")
    if why is not None:
        return await hold_back(work, step, why)
    return await dispatch_again(work, step, posting, why=PROVEN)


async def _doubt(work: Work, step: StepRecord, why: str, found: tuple[FoundDocument, ...] = ()) -> TransactionRecord:
    if work.record.status is not Status.IN_DOUBT:
        work.journal.move(Status.IN_DOUBT, {**step_members(step), "reason": why})
    await work.keep_step(step)
    words = words_of_found(why, found) if found else None
    await open_exception(
        work.unit, work.parts, work.journal, IN_DOUBT, system_id=step.system_id, cause=why, words=words
    )
    return await rest(work)


async def dispatch_again(work: Work, step: StepRecord, posting: Posting, *, why: str) -> Dispatch:
    """A further attempt at the same step under the same reference; only after nothing happened, or proof of it."""
    lease = Lease.take(work.parts, step.system_id, work.job.epoch)
    attempt = next_attempt(work.parts, step, lease)
    members = {**dispatched_members(attempt), "after": why}
    await work.keep_step(attempt)
    if attempt.direction == "undo":
        resume(work)
        work.journal.note(EntryKind.DISPATCHED, {**members, "postingDate": attempt.posting_date})
    else:
        work.journal.move(Status.DISPATCHED, members, problem=None, retry_after_s=None)
    await work.keep(lease.until, attempt.system_id)
    return Dispatch(await work.save(), attempt, posting, lease, proven=why == PROVEN)
