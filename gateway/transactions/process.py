"""Carrying one transaction on from wherever it stands, under a lease.

Calling it again is always right: a recorded step returns what it recorded, what may have been sent is asked for, and
only what certainly was not sent is sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from adapters.port import Posting
from gateway.domain.activations import RulesState
from gateway.domain.entries import EntryKind
from gateway.domain.plan import UNFINISHED_STEP, in_hand, still_done
from gateway.domain.records import JobRecord, StepRecord, TransactionRecord
from gateway.domain.refusals import CallOff
from gateway.domain.transaction import ENDS, Status
from gateway.errors import Problem
from gateway.transactions.already_there import refuse_already_there
from gateway.transactions.asking_first import ask_again_first, ask_first
from gateway.transactions.closing import say_closed, write_to_send
from gateway.transactions.compensate import begin_undo
from gateway.transactions.dispatch import (
    Dispatch,
    Lease,
    LeaseLost,
    begin_dispatch,
    dispatched_members,
    next_attempt,
)
from gateway.transactions.exceptions import cancel_under_way
from gateway.transactions.execute import Outcome, execute
from gateway.transactions.finish import problem_members, reject, rest
from gateway.transactions.home import HOME
from gateway.transactions.new_customers import unwanted
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.ports import Store, WriteUnit
from gateway.transactions.posting import changed_by, posting_of, stored_document
from gateway.transactions.release import held_due, hold_back, let_go, stopped
from gateway.transactions.resolve import Findings, dispatch_again, inquire, resolve
from gateway.transactions.route import Routed, is_master, route, route_operation
from gateway.transactions.rules import refuse_other
from gateway.transactions.settle import become_unknown, cancel, post_here, settle
from gateway.transactions.target import Held, Waits
from gateway.transactions.work import ACTOR, Work

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Carried:
    """How far the transaction came; `woken_jobs`: jobs of others that became due with it."""

    record: TransactionRecord
    woken_jobs: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """An inquiry is to be made before anything else."""

    step: StepRecord
    posting: Posting


async def process(store: Store, parts: LineParts, job: JobRecord) -> Carried | None:
    """Do what can be done now for the job's transaction; how far it came, None if the lease was lost.

    Raises RulesOutdated where it is to be routed under other rules than `parts` holds; nothing was done then.
    """
    try:
        following = await _written(store, parts, lambda unit: _next(unit, parts, job))
        while not isinstance(following, Carried):
            if isinstance(following, Dispatch):
                following = await run_dispatch(store, parts, following)
            else:
                following = await _ask(store, parts, job, following)
    except LeaseLost:
        return None
    return following


async def give_back(store: Store, parts: LineParts, job: JobRecord, after_s: float) -> None:
    """Let go of a claimed job that this process cannot carry on: another may, or this one after so many seconds."""

    async def unit_of_work(unit: WriteUnit) -> None:
        work = await Work.take(unit, parts, job.transaction_id, job.epoch)
        due_at = work.now + int(after_s * SECOND)
        await work.put_back(due_at=due_at, tries=job.tries, waiting_for=job.waiting_for)

    try:
        await store.write(unit_of_work)
    except LeaseLost:
        return


async def run_dispatch(store: Store, parts: LineParts, dispatch: Dispatch) -> Carried:
    """Send what is committed as dispatched, and settle what comes of it; so with each further step of its plan."""
    following: Carried | Dispatch = dispatch
    while isinstance(following, Dispatch):
        following = await _attempt(store, parts, following)
    return following


async def _attempt(store: Store, parts: LineParts, dispatch: Dispatch) -> Carried | Dispatch:
    """One call and what comes of it. What cannot be put on record raises; that the call is over is said then."""
    try:
        outcome = await execute(parts, dispatch)
        return await _written(store, parts, partial(_settle, parts=parts, dispatch=dispatch, outcome=outcome))
    except Exception:
        # `execute` has ended, and its connection is closed; one that was cancelled (no `Exception`) proves nothing
        await say_closed(store, parts.tools, dispatch.step)
        raise


async def _written(store: Store, parts: LineParts, unit_of_work: Callable[[WriteUnit], Awaitable[T]]) -> T:
    return await write_to_send(store, unit_of_work, _sent_next, partial(say_closed, store, parts.tools))


def _sent_next(following: Any) -> StepRecord | None:
    return following.step if isinstance(following, Dispatch) else None


async def _settle(unit: WriteUnit, *, parts: LineParts, dispatch: Dispatch, outcome: Outcome) -> Carried | Dispatch:
    work = await Work.take(unit, parts, dispatch.record.transaction_id, dispatch.lease.epoch)
    result = await settle(work, dispatch.step, outcome)
    return result if isinstance(result, Dispatch) else Carried(result, work.journal.woken_jobs)


async def _ask(store: Store, parts: LineParts, job: JobRecord, ask: Ask) -> Carried | Dispatch:
    findings = await inquire(parts, ask.step, ask.posting)
    return await _written(store, parts, lambda unit: _resolve(unit, parts, job, ask, findings))


async def _resolve(
    unit: WriteUnit, parts: LineParts, job: JobRecord, ask: Ask, findings: Findings
) -> Carried | Dispatch:
    in_force = await unit.rules_state()
    work = await Work.take(unit, parts, job.transaction_id, job.epoch)
    result = await resolve(work, ask.step, ask.posting, findings)
    if work.ruled:
        # sent again, or kept back from it, by what lies over it. What was found needs no rules, so that a process that
        # cannot load them still settles what it sent
        refuse_other(in_force, parts.rules)
    return result if isinstance(result, Dispatch) else Carried(result, work.journal.woken_jobs)


async def _next(unit: WriteUnit, parts: LineParts, job: JobRecord) -> Carried | Dispatch | Ask:
    """What is to be done next."""
    # before any row, as everywhere (`refuse_outdated`); what needs no routing goes on under whatever rules
    in_force = await unit.rules_state()
    work = await Work.take(unit, parts, job.transaction_id, job.epoch)
    result = await _decide_next(work, in_force)
    return Carried(result, work.journal.woken_jobs) if isinstance(result, TransactionRecord) else result


async def _decide_next(work: Work, in_force: RulesState) -> TransactionRecord | Dispatch | Ask:
    """From the stored state alone."""
    record = work.record
    # what is in doubt has a job only when a person wants it inquired once more
    if record.status in ENDS:
        return await rest(work)
    if record.status in {Status.ACCEPTED, Status.WAITING, Status.HELD}:
        refuse_other(in_force, work.parts.rules)
        begun = await work.unit.steps(record.transaction_id) if record.status is Status.HELD else ()
        return await _again(work, begun[-1]) if begun else await _route(work)
    steps = await work.unit.steps(record.transaction_id)
    step = in_hand(steps)
    # a person wants a system asked again that could not take back what it had posted
    asked = record.status is Status.IN_DOUBT and step.state == "posted" and record.legs is None
    if (record.status is Status.COMPENSATING and step.state not in UNFINISHED_STEP) or asked:
        refuse_other(in_force, work.parts.rules)
        return await begin_undo(work, still_done(steps))
    if step.state == "rejected":
        # a person wants it tried once more: a refused undo, or what cannot be undone and must go on
        return await dispatch_again(work, step, await posting_of(work.unit, record, step), why="asked-for")
    if step.state == "not_sent":
        refuse_other(in_force, work.parts.rules)
        return await _again(work, step)
    posting = await posting_of(work.unit, record, step)
    if step.state == "dispatched":
        # its sender told no outcome, at most that its call is over: from here on it is an unknown
        closed_at = _own_end(work.parts, step) if step.closed_at is None else step.closed_at
        return await become_unknown(work, step, "sender-lost", closed_at)
    return Ask(step, posting)


async def _again(work: Work, step: StepRecord) -> TransactionRecord | Dispatch:
    """Send once more what certainly was not sent, if nothing lies over it by now."""
    why = await stopped(work, step)
    if isinstance(why, Problem) and work.parts.inquires_first(work.record):
        if work.record.status is Status.HELD:
            await let_go(work, step)
            step = next_attempt(work.parts, step, Lease.take(work.parts, step.system_id, work.job.epoch))
            work.journal.move(Status.DISPATCHED, dispatched_members(step))
        return await ask_again_first(work, step, problem_members(why))
    if why is not None:
        return await hold_back(work, step, why)
    if work.record.status is Status.HELD:
        await let_go(work, step)
    posting = await posting_of(work.unit, work.record, step)
    return await dispatch_again(work, step, posting, why="not-sent")


def _own_end(parts: LineParts, step: StepRecord) -> int | None:
    """If this very process sent it, its task is over, or the lease would not have been free: the connection is
    closed by now. Another process must be proven ended first."""
    return parts.tools.clock.now() if step.process_id == parts.tools.process_id else None


async def _route(work: Work) -> TransactionRecord | Dispatch:
    record, parts = work.record, work.parts
    if parts.inquires_first(record) and (members := await _to_be_called_off(work)) is not None:
        return await ask_first(work, CallOff(ACTOR, members).keep()) or await cancel(work, members)
    try:
        routed = await _routed(work)
    except Problem as problem:
        refusal = problem_members(problem)
        return await ask_first(work, refusal) or await reject(work, refusal)
    outcome = routed.outcome
    if isinstance(outcome, Waits | Held):
        return await _put_off(work, outcome, routed.expected)
    if outcome.target.system_id not in {work.job.system_id, HOME}:
        # it was claimed for another system, or for none: the places of this one are not to be taken unasked
        await work.put_back(due_at=work.now, tries=work.job.tries, system_id=outcome.target.system_id)
        work.journal.woken_jobs += 1
        return record
    if record.status is Status.HELD:
        work.journal.note(EntryKind.RELEASED, {"systemId": outcome.target.system_id})
    lease = Lease.take(parts, outcome.target.system_id, work.job.epoch)
    step = await begin_dispatch(work.unit, parts, work.journal, outcome, lease)
    await work.keep(lease.until)
    await work.save()
    await work.unit.insert_step(step)
    if outcome.target.is_home:
        return await post_here(work, step)
    return Dispatch(work.record, step, await posting_of(work.unit, work.record, step), lease)


async def _to_be_called_off(work: Work) -> dict[str, Any] | None:
    """Members of the `cancelled` entry of what was accepted before the record was restored, and is to be called off: by
    people, or because nothing came of the order with which it came."""
    if await cancel_under_way(work.unit, work.record):
        return {"exceptionId": work.record.exception_id}
    made_for = await unwanted(work)
    return None if made_for is None else {"madeForTransactionId": made_for}


async def _put_off(work: Work, outcome: Waits | Held, expected: str) -> TransactionRecord:
    """It cannot go now. What was accepted alone comes to wait here."""
    parts = work.parts
    if work.record.status is Status.ACCEPTED:
        if isinstance(outcome, Held):
            work.journal.move(Status.HELD, outcome.members)
        else:
            work.journal.move(Status.WAITING, {"waitsForTransactionId": outcome.transaction_id})
        await work.save()
    system_id = "" if expected == HOME else expected
    if isinstance(outcome, Held):
        due = held_due(parts, outcome, work.now)
        await work.put_back(due_at=due, tries=0, waiting_for=outcome.awaited, system_id=system_id)
    else:
        due = work.now + int(parts.limits.waiting_recheck_s * SECOND)
        await work.put_back(due_at=due, tries=0, waiting_for=outcome.transaction_id, system_id=system_id)
    return work.record


async def _routed(work: Work) -> Routed:
    """As at the acceptance, with what stands now; whose scope it was is not asked again."""
    record = work.record
    document = await stored_document(work.unit, record)
    if record.operation != "create":
        changed = await changed_by(work.unit, record)
        return await route_operation(work.unit, work.parts, document, record, scope=None, changed=changed, again=True)
    routed = await route(
        work.unit,
        work.parts,
        document,
        source=record.source,
        scope=None,
        transaction_id=record.transaction_id,
        lineage_id=record.lineage_id,
    )
    await refuse_already_there(work.unit, record.document_id, routed.outcome, master=is_master(document))
    return routed
