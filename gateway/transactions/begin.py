"""The beginning of a transaction: its first entries, its job, and, if it may go at once, its first dispatch."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.canonical import CanonicalDocument
from adapters.port import Submission
from gateway.domain.records import JobRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.transactions.dispatch import Dispatch, Lease, begin_dispatch
from gateway.transactions.journal import Journal
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.ports import WriteUnit
from gateway.transactions.posting import posting_of
from gateway.transactions.release import held_due
from gateway.transactions.settle import post_here
from gateway.transactions.target import Held, Ready, Waits
from gateway.transactions.work import ACTOR, Work

LANE = "interactive"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The transaction as it was committed; `dispatch` is what to send now, if anything; `woken_jobs`: the jobs of
    others that became due with it."""

    record: TransactionRecord
    replayed: bool
    dispatch: Dispatch | None = None
    woken_jobs: int = 0


async def begin(
    unit: WriteUnit,
    parts: LineParts,
    journal: Journal,
    outcome: Ready | Waits | Held,
    created: CanonicalDocument | None = None,
) -> Accepted:
    """Write the transaction whose `accepted` the journal has noted, and all that belongs to where routing sent it.

    `created`: the document, if the transaction creates one; anything else is made of what is stored.
    """
    if isinstance(outcome, Waits):
        journal.move(Status.WAITING, {"waitsForTransactionId": outcome.transaction_id})
        due = parts.tools.clock.now() + int(parts.limits.waiting_recheck_s * SECOND)
        return await _put_off(unit, journal, outcome.transaction_id, due)
    if isinstance(outcome, Held):
        journal.move(Status.HELD, outcome.members)
        return await _put_off(unit, journal, outcome.overlay_id, held_due(parts, outcome, parts.tools.clock.now()))
    lease = Lease.take(parts, outcome.target.system_id, epoch=1)
    now, owner = parts.tools.clock.now(), parts.tools.process_id
    job = JobRecord(journal.record.transaction_id, LANE, now, lease.epoch, owner, lease.until)
    step = await begin_dispatch(unit, parts, journal, outcome, lease)
    record = await _insert(unit, journal, job)
    await unit.insert_step(step)
    if outcome.target.is_home:
        work = Work(unit, parts, Journal(parts.tools, record, ACTOR), job)
        ended = await post_here(work, step)
        return Accepted(ended, replayed=False, woken_jobs=work.journal.woken_jobs)
    if created is not None:
        reference = step.external_reference
        return Accepted(record, False, Dispatch(record, step, Submission(created, reference, outcome.numbers), lease))
    return Accepted(record, False, Dispatch(record, step, await posting_of(unit, record, step), lease))


async def _put_off(unit: WriteUnit, journal: Journal, waiting_for: str | None, due: int) -> Accepted:
    job = JobRecord(journal.record.transaction_id, LANE, due, 1, None, 0, waiting_for)
    return Accepted(await _insert(unit, journal, job), replayed=False)


async def _insert(unit: WriteUnit, journal: Journal, job: JobRecord) -> TransactionRecord:
    await unit.insert_transaction(journal.record)
    await unit.insert_job(job)
    return await journal.flush(unit)
