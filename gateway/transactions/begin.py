"""The beginning of a transaction: its first entries, its job, and, if it may go at once, its first dispatch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.canonical import CanonicalDocument
from adapters.port import Submission
from gateway.domain.lanes import Queueing
from gateway.domain.records import JobRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.transactions.dispatch import Dispatch, Lease, begin_dispatch
from gateway.transactions.home import HOME
from gateway.transactions.journal import Journal
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.ports import WriteUnit
from gateway.transactions.posting import posting_of
from gateway.transactions.release import held_due
from gateway.transactions.route import Routed
from gateway.transactions.settle import post_here
from gateway.transactions.target import Held, Waits
from gateway.transactions.work import ACTOR, Work


@dataclass(frozen=True, slots=True)
class Accepted:
    """The transaction as it was committed; `dispatch` is what to send now, if anything; `woken_jobs`: the jobs that
    became due with it: of others, or its own where it was accepted alone; `refused`: what the caller is told instead,
    once this is committed."""

    record: TransactionRecord
    replayed: bool
    dispatch: Dispatch | None = None
    woken_jobs: int = 0
    refused: Problem | None = None


async def begin(
    unit: WriteUnit,
    parts: LineParts,
    journal: Journal,
    routed: Routed,
    queueing: Queueing,
    created: CanonicalDocument | None = None,
) -> Accepted:
    """Write the transaction whose `accepted` the journal has noted, and all that belongs to where routing sent it.

    `created`: the document, if the transaction creates one; anything else is made of what is stored. Accepted alone, it
    stays `accepted` until a worker routes it by the rules of that moment, unless it cannot go yet, or goes nowhere.
    """
    outcome = routed.outcome
    now = parts.tools.clock.now()
    record = journal.record
    job = JobRecord(
        transaction_id=record.transaction_id,
        lane=queueing.lane.value,
        due_at=now,
        epoch=1,
        lease_owner=None,
        lease_until=0,
        priority=queueing.priority,
        system_id="" if routed.expected == HOME else routed.expected,
        enqueued_at=record.accepted_at,
    )
    if isinstance(outcome, Waits):
        journal.move(Status.WAITING, {"waitsForTransactionId": outcome.transaction_id})
        due = now + int(parts.limits.waiting_recheck_s * SECOND)
        return await _put_off(unit, journal, replace(job, due_at=due, waiting_for=outcome.transaction_id))
    if isinstance(outcome, Held):
        journal.move(Status.HELD, outcome.members)
        due = held_due(parts, outcome, now)
        return await _put_off(unit, journal, replace(job, due_at=due, waiting_for=outcome.awaited))
    if queueing.alone and not outcome.target.is_home:
        return Accepted(await _insert(unit, journal, job), replayed=False, woken_jobs=1)
    lease = Lease.take(parts, outcome.target.system_id, job.epoch)
    job = replace(job, lease_owner=parts.tools.process_id, lease_until=lease.until)
    step = await begin_dispatch(unit, parts, journal, outcome, lease)
    record = await _insert(unit, journal, job)
    await unit.insert_step(step)
    if outcome.target.is_home:
        work = Work(unit, parts, Journal(parts.tools, record, ACTOR), job)
        ended = await post_here(work, step)
        return Accepted(ended, replayed=False, woken_jobs=work.journal.woken_jobs)
    if created is not None and not outcome.legs:
        reference = step.external_reference
        return Accepted(record, False, Dispatch(record, step, Submission(created, reference, outcome.numbers), lease))
    return Accepted(record, False, Dispatch(record, step, await posting_of(unit, record, step), lease))


async def _put_off(unit: WriteUnit, journal: Journal, job: JobRecord) -> Accepted:
    return Accepted(await _insert(unit, journal, job), replayed=False)


async def _insert(unit: WriteUnit, journal: Journal, job: JobRecord) -> TransactionRecord:
    await unit.insert_transaction(journal.record)
    await unit.insert_job(job)
    return await journal.flush(unit)
