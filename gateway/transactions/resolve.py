"""Resolving an unknown: ask by external reference; never send again blindly.

1. Inquire. Found and it agrees: it is posted. Found twice, or something else under our reference: `in_doubt`.
2. Not found is not proof, the first call may still be running: wait until the system's longest execution is over,
   counted from when our own connection closed or the sender was proven ended.
3. Inquire again. Still nothing: send again, unless the sender was never proven ended; then a person looks.

Where the ERP itself refuses a second document with the same reference, step 3 follows step 1 at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.errors import ErpError
from adapters.port import FoundDocument, Submission
from gateway.domain.entries import EntryKind
from gateway.domain.records import JobRecord, StepRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.transactions.dispatch import Dispatch, Lease, dispatch_again, lease_length
from gateway.transactions.execute import WasPosted, posted_as_found
from gateway.transactions.journal import Journal
from gateway.transactions.parts import SECOND, ErpSystem, LineParts
from gateway.transactions.ports import WriteUnit
from gateway.transactions.settle import backoff_s, put_back, rest, settle


@dataclass(frozen=True, slots=True)
class Findings:
    """What an inquiry answered, or the error that kept it from answering; `at` µs."""

    found: tuple[FoundDocument, ...]
    error: ErpError | None
    at: int


async def inquire(parts: LineParts, step: StepRecord, submission: Submission) -> Findings:
    """Ask the ERP for the step's reference. Posts nothing, holds no database connection."""
    began = parts.tools.clock.now()
    found: tuple[FoundDocument, ...] = ()
    failure: ErpError | None = None
    try:
        found = await parts.systems[step.system_id].port.inquire(submission)
    except ErpError as error:
        failure = error
    now = parts.tools.clock.now()
    outcome = "failed" if failure else f"found_{min(len(found), 2)}"
    parts.metrics.erp_call(step.system_id, "inquire", outcome, (now - began) / SECOND)
    return Findings(found, failure, now)


async def resolve(
    unit: WriteUnit,
    parts: LineParts,
    journal: Journal,
    job: JobRecord,
    step: StepRecord,
    submission: Submission,
    findings: Findings,
) -> TransactionRecord | Dispatch:
    """Draw the conclusion of an inquiry, in one unit under the lease. A Dispatch is to be sent again now."""
    if findings.error is not None:
        # asking failed, so nothing was learnt: ask again later, however long it takes
        await put_back(unit, job, due_at=findings.at + int(backoff_s(parts, job.tries) * SECOND), tries=job.tries + 1)
        return journal.record
    journal.note(
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
        return await _found(unit, parts, journal, job, step, submission, findings.found)
    step = replace(step, inquiries=step.inquiries + 1, inquired_at=findings.at)
    return await _not_found(unit, parts, journal, job, step, submission)


async def _found(
    unit: WriteUnit,
    parts: LineParts,
    journal: Journal,
    job: JobRecord,
    step: StepRecord,
    submission: Submission,
    found: tuple[FoundDocument, ...],
) -> TransactionRecord:
    expected = parts.systems[step.system_id].port.expectation(submission)
    if len(found) == 1 and found[0].agrees_with(expected):
        outcome = WasPosted(posted_as_found(found[0]), found_by_inquiry=True)
        return await settle(unit, parts, journal, job, step, outcome)
    why = "several-found" if len(found) > 1 else "found-other"
    return await _doubt(unit, parts, journal, step, why)


async def _not_found(
    unit: WriteUnit,
    parts: LineParts,
    journal: Journal,
    job: JobRecord,
    step: StepRecord,
    submission: Submission,
) -> TransactionRecord | Dispatch:
    now = parts.tools.clock.now()
    system = parts.systems[step.system_id]
    step = await _prove_sender_ended(unit, parts, step, now)
    if system.reference_unique(journal.record.domain, journal.record.operation):
        return await _send_again(unit, parts, journal, job, step, submission)
    # without proof of the sender's end, the quiet time runs from the end of its lease, and ends with a person
    quiet_from = step.closed_at
    if quiet_from is None:
        quiet_from = step.dispatched_at + lease_length(parts, step.system_id)
    quiet_until = quiet_from + int(system.policy.longest_execution_s * SECOND)
    if step.inquired_at is not None and step.inquiries >= 2 and step.inquired_at > quiet_until:
        if step.closed_at is None:
            return await _doubt(unit, parts, journal, step, "sender-not-proven-ended")
        return await _send_again(unit, parts, journal, job, step, submission)
    await unit.update_step(step)
    await put_back(unit, job, due_at=_next_look(system, quiet_until, now), tries=0)
    record = await journal.flush(unit)
    await unit.update_transaction(record)
    return record


def _next_look(system: ErpSystem, quiet_until: int, now: int) -> int:
    """When to inquire next (µs): right after the quiet time, at once if it is over already."""
    return max(quiet_until + int(system.policy.inquiry_delay_s * SECOND), now)


async def _prove_sender_ended(unit: WriteUnit, parts: LineParts, step: StepRecord, now: int) -> StepRecord:
    """Set `closed_at` if the process that sent is proven ended by now; the quiet time starts with the proof."""
    if step.closed_at is not None:
        return step
    sender = await unit.process(step.process_id)
    if sender is not None and parts.tools.liveness.has_ended(sender):
        return replace(step, closed_at=now)
    return step


async def _send_again(
    unit: WriteUnit,
    parts: LineParts,
    journal: Journal,
    job: JobRecord,
    step: StepRecord,
    submission: Submission,
) -> TransactionRecord | Dispatch:
    if parts.tools.clock.now() - journal.record.accepted_at > int(parts.limits.give_up_s * SECOND):
        return await _doubt(unit, parts, journal, step, "too-old")
    lease = Lease.take(parts, step.system_id, job.epoch)
    dispatch = await dispatch_again(unit, parts, journal, step, submission, lease, why="proven-not-posted")
    await unit.update_job(replace(job, lease_owner=parts.tools.process_id, lease_until=lease.until))
    await unit.update_transaction(await journal.flush(unit))
    return dispatch


async def _doubt(unit: WriteUnit, parts: LineParts, journal: Journal, step: StepRecord, why: str) -> TransactionRecord:
    journal.move(Status.IN_DOUBT, {"systemId": step.system_id, "step": step.step, "reason": why})
    await unit.update_step(step)
    return await rest(unit, parts, journal)
