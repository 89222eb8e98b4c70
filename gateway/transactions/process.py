"""Carrying one transaction on from wherever it stands, under a lease.

Calling it again is always right: a recorded step returns what it recorded, what may have been sent is asked for, and
only what certainly was not sent is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.canonical import DOMAINS, CanonicalDocument
from adapters.port import Operation, Submission
from gateway.domain.records import JobRecord, StepRecord, TransactionRecord
from gateway.domain.transaction import RESTING, Status
from gateway.errors import Problem
from gateway.transactions.dispatch import (
    Dispatch,
    Lease,
    LeaseLost,
    begin_dispatch,
    dispatch_again,
    under_lease,
)
from gateway.transactions.execute import Outcome, execute
from gateway.transactions.journal import Journal
from gateway.transactions.links import name_of
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.ports import Store, WriteUnit
from gateway.transactions.resolve import Findings, inquire, resolve
from gateway.transactions.route import Held, Waits, route
from gateway.transactions.settle import become_unknown, problem_members, put_back, reject, rest, settle

ACTOR = "gateway"


@dataclass(frozen=True, slots=True)
class Carried:
    """How far the transaction came; `woken_jobs`: jobs of others that became due with it."""

    record: TransactionRecord
    woken_jobs: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """An inquiry is to be made before anything else."""

    step: StepRecord
    submission: Submission


async def process(store: Store, parts: LineParts, job: JobRecord) -> Carried | None:
    """Do what can be done now for the job's transaction; how far it came, None if the lease was lost."""
    try:
        following = await store.write(lambda unit: _next(unit, parts, job))
        while not isinstance(following, Carried):
            if isinstance(following, Dispatch):
                following = await run_dispatch(store, parts, following)
            else:
                following = await _ask(store, parts, job, following)
    except LeaseLost:
        return None
    return following


async def run_dispatch(store: Store, parts: LineParts, dispatch: Dispatch) -> Carried:
    """Send what is committed as dispatched, and settle what comes of it."""
    outcome = await execute(parts, dispatch)
    return await store.write(lambda unit: _settle(unit, parts, dispatch, outcome))


async def _settle(unit: WriteUnit, parts: LineParts, dispatch: Dispatch, outcome: Outcome) -> Carried:
    job, record = await under_lease(unit, dispatch.record.transaction_id, dispatch.lease.epoch)
    journal = Journal(parts.tools, record, ACTOR)
    record = await settle(unit, parts, journal, job, dispatch.step, outcome)
    return Carried(record, journal.woken_jobs)


async def _ask(store: Store, parts: LineParts, job: JobRecord, ask: Ask) -> Carried | Dispatch:
    findings = await inquire(parts, ask.step, ask.submission)
    return await store.write(lambda unit: _resolve(unit, parts, job, ask, findings))


async def _resolve(
    unit: WriteUnit, parts: LineParts, job: JobRecord, ask: Ask, findings: Findings
) -> Carried | Dispatch:
    held_job, record = await under_lease(unit, job.transaction_id, job.epoch)
    journal = Journal(parts.tools, record, ACTOR)
    result = await resolve(unit, parts, journal, held_job, ask.step, ask.submission, findings)
    return result if isinstance(result, Dispatch) else Carried(result, journal.woken_jobs)


async def _next(unit: WriteUnit, parts: LineParts, job: JobRecord) -> Carried | Dispatch | Ask:
    """What is to be done next."""
    held_job, record = await under_lease(unit, job.transaction_id, job.epoch)
    journal = Journal(parts.tools, record, ACTOR)
    result = await _decide_next(unit, parts, journal, held_job, record)
    return Carried(result, journal.woken_jobs) if isinstance(result, TransactionRecord) else result


async def _decide_next(
    unit: WriteUnit, parts: LineParts, journal: Journal, held_job: JobRecord, record: TransactionRecord
) -> TransactionRecord | Dispatch | Ask:
    """From the stored state alone."""
    if record.status in RESTING:
        return await rest(unit, parts, journal)
    if record.status in {Status.ACCEPTED, Status.WAITING, Status.HELD}:
        return await _route(unit, parts, journal, held_job)
    step = (await unit.steps(record.transaction_id))[-1]
    submission = await _submission(unit, record, step)
    if step.state == "not_sent":
        return await _try_again(unit, parts, journal, held_job, step, submission)
    if step.state == "dispatched":
        # its sender never told: from here on it is an unknown, however it came about
        return await become_unknown(unit, parts, journal, held_job, step, "sender-lost", _own_end(parts, step))
    return Ask(step, submission)


def _own_end(parts: LineParts, step: StepRecord) -> int | None:
    """If this very process sent it, its task is over, or the lease would not have been free: the connection is
    closed by now. Another process must be proven ended first."""
    return parts.tools.clock.now() if step.process_id == parts.tools.process_id else None


async def _document(unit: WriteUnit, record: TransactionRecord) -> CanonicalDocument:
    payload = await unit.payload(record.payload_id)
    if payload is None or payload.body is None:
        raise Problem("not-found", "the payload was erased before the document was posted")
    return DOMAINS[record.domain].model_validate_json(payload.body)


async def _route(unit: WriteUnit, parts: LineParts, journal: Journal, job: JobRecord) -> TransactionRecord | Dispatch:
    record = journal.record
    try:
        document = await _document(unit, record)
        routed = await route(
            unit,
            parts,
            document,
            operation=record.operation,
            source=record.source,
            scope=None,
            transaction_id=record.transaction_id,
            lineage_id=record.lineage_id,
        )
    except Problem as problem:
        return await reject(unit, parts, journal, problem_members(problem))
    now = parts.tools.clock.now()
    outcome = routed.outcome
    if isinstance(outcome, Waits | Held):
        due = now + int(parts.limits.waiting_recheck_s * SECOND)
        waits_for = outcome.transaction_id if isinstance(outcome, Waits) else None
        await put_back(unit, job, due_at=due, tries=0, waiting_for=waits_for)
        return record
    lease = Lease.take(parts, outcome.target.system_id, job.epoch)
    dispatch = await begin_dispatch(unit, parts, journal, outcome, lease, document)
    await _keep(unit, parts, job, lease)
    await unit.update_transaction(dispatch.record)
    await unit.insert_step(dispatch.step)
    await journal.flush(unit)
    return dispatch


async def _try_again(
    unit: WriteUnit,
    parts: LineParts,
    journal: Journal,
    job: JobRecord,
    step: StepRecord,
    submission: Submission,
) -> Dispatch:
    lease = Lease.take(parts, step.system_id, job.epoch)
    dispatch = await dispatch_again(unit, parts, journal, step, submission, lease, why="not-sent")
    await _keep(unit, parts, job, lease)
    await unit.update_transaction(await journal.flush(unit))
    return dispatch


async def _keep(unit: WriteUnit, parts: LineParts, job: JobRecord, lease: Lease) -> None:
    await unit.update_job(replace(job, lease_owner=parts.tools.process_id, lease_until=lease.until, waiting_for=None))


async def _submission(unit: WriteUnit, record: TransactionRecord, step: StepRecord) -> Submission:
    """The same submission as at the first attempt: same document, same reference, the numbers as known there."""
    document = await _document(unit, record)
    names = {link.field: name_of(link, record.source) for link in document.links()}
    found = await unit.documents_named(list(dict.fromkeys(names.values())))
    by_document = await unit.numbers_in(
        list(dict.fromkeys(target.document_id for target in found.values())), step.system_id
    )
    numbers = {
        field: by_document[found[name].document_id]
        for field, name in names.items()
        if name in found and found[name].document_id in by_document
    }
    return Submission(document, step.external_reference, numbers, Operation(record.operation))
