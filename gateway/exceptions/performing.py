"""Making a move that is approved: what is asked of the ERP, and what is written down of it.

Calling it again is right: what was recorded is not done twice, and what a transaction's status does not allow any more
is refused.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.domain.caller import Caller
from gateway.domain.exceptions import UNDO_REFUSED, ExceptionRecord, MoveRecord
from gateway.domain.plan import in_hand
from gateway.domain.transaction import ENDS, Status
from gateway.errors import Problem
from gateway.exceptions.held import Held
from gateway.exceptions.in_doubt import call_off, mark_posted
from gateway.exceptions.parts import ExceptionParts
from gateway.exceptions.ports import ExceptionUnit
from gateway.exceptions.refused_undo import refuse_undone
from gateway.exceptions.sending import send_in_its_place
from gateway.exceptions.undone_by_hand import mark_undone
from gateway.transactions import settle
from gateway.transactions.exceptions import close_exception, not_asked_for
from gateway.transactions.work import Work

_LATER: Final = frozenset({"erp-unavailable", "in-flight", "not-ready", "rate-limited"})
"""Problems after which the same move may be made later, without asking again."""


async def perform(parts: ExceptionParts, caller: Caller, known: ExceptionRecord, move: MoveRecord) -> None:
    """Make the move. Raises Problem: what it came to where it could not be made; it is refused then, unless it may be
    made later (erp-unavailable, in-flight: send the same request again)."""
    said = await _said(parts, move)
    try:
        await _MAKING[move.move](parts, caller, known, move, said)
    except Problem as problem:
        if problem.slug not in _LATER:
            await _refuse(parts, caller, known, move, problem.slug)
        raise
    finally:
        parts.events_left()


async def _said(parts: ExceptionParts, move: MoveRecord) -> Mapping[str, Any]:
    """What was asked for. Raises Problem `not-found`: it was erased."""
    payload = await parts.reads.payload(move.payload_id)
    if payload is None or payload.body is None:
        raise Problem("not-found", "what was asked for was erased", remedy="ask again")
    said: Mapping[str, Any] = json.loads(payload.body)
    return said


async def _retry(
    parts: ExceptionParts, caller: Caller, known: ExceptionRecord, move: MoveRecord, said: Mapping[str, Any]
) -> None:
    """In doubt: inquire once more. Ended: send it again in a transaction of its own. Else: look at it now."""
    await refuse_undone(parts, known, move)

    async def unit_of_work(unit: ExceptionUnit) -> bool:
        held = await Held.take(unit, parts.line(), known, caller.client)
        if await _gone_on(held, move):
            return True
        if held.transaction.status in ENDS:
            return False
        if held.transaction.status is Status.IN_DOUBT:
            await _inquire_once_more(held, move)
        else:
            await _look_now(held, move)
        await held.save()
        return True

    if await parts.store.write(unit_of_work):
        parts.jobs_due()
        return
    await send_in_its_place(parts, caller, known, move, None)


async def _mark_posted(
    parts: ExceptionParts, caller: Caller, known: ExceptionRecord, move: MoveRecord, said: Mapping[str, Any]
) -> None:
    """Of a document whose outcome nobody knows, or of an undo that was refused."""
    made = mark_undone if known.reason_code == UNDO_REFUSED else mark_posted
    await made(parts, caller, known, move, said)


async def _inquire_once_more(held: Held, move: MoveRecord) -> None:
    # a transaction that has legs has a system in each, and none of its own
    steps = await held.unit.steps(held.transaction.transaction_id)
    await held.put_to_work(in_hand(steps).system_id)
    await _under_way(held, move)


async def _under_way(held: Held, move: MoveRecord) -> None:
    """It ends with what an inquiry comes to."""
    await held.unit.update_exception_move(replace(move, state="under_way"))
    await held.change()
    held.note({"moveId": move.move_id, "move": move.move, "state": "under_way"})


async def _look_now(held: Held, move: MoveRecord) -> None:
    """Nobody needs to wait for a backoff or a wake-up any more; who works on it now goes on."""
    job = await held.unit.job(held.transaction.transaction_id)
    if job is not None and job.due_at > held.now:
        await held.unit.update_job(replace(job, due_at=held.now))
    await held.unit.update_exception_move(replace(move, state="done", finished_at=held.now, result="looked-at"))
    await held.change(move_id=None)
    held.note({"moveId": move.move_id, "move": move.move, "state": "done"})


async def _cancel(
    parts: ExceptionParts, caller: Caller, known: ExceptionRecord, move: MoveRecord, said: Mapping[str, Any]
) -> None:
    """In doubt: call it off if certainly nothing was posted. Ended: leave it at that. Not sent: call it off, after an
    inquiry if it was accepted before the record was restored."""

    async def unit_of_work(unit: ExceptionUnit) -> bool:
        held = await Held.take(unit, parts.line(), known, caller.client)
        if await _gone_on(held, move):
            return True
        if held.transaction.status is Status.IN_DOUBT:
            return False
        if held.transaction.status in ENDS:
            await close_exception(unit, held.journal, "cancel")
            await held.save()
            return True
        await _call_off_unsent(held, move)
        return True

    if not await parts.store.write(unit_of_work):
        await call_off(parts, caller, known, move)
    parts.jobs_due()


async def _call_off_unsent(held: Held, move: MoveRecord) -> None:
    """Raises Problem `policy-check-failed` where something was sent, and `in-flight` where somebody works on it."""
    transaction = held.transaction
    job = await held.unit.job(transaction.transaction_id)
    if transaction.status not in {Status.ACCEPTED, Status.WAITING, Status.HELD} or await held.unit.steps(
        transaction.transaction_id
    ):
        raise Problem(
            "policy-check-failed",
            f"the transaction is {transaction.status}: it was sent, and cannot be called off unsent",
            remedy="wait for its outcome, then cancel or reverse the document",
        )
    if job is None or job.lease_until > held.now:
        raise Problem("in-flight", "the gateway works on it right now", retry_after_s=10)
    if held.parts.inquires_first(transaction):
        # whoever takes the job calls it off: `gateway.transactions.process`
        await held.unit.update_job(replace(job, due_at=held.now, waiting_for=None))
        await _under_way(held, move)
        await held.save()
        return
    work = Work(held.unit, held.parts, held.journal, job)
    await settle.cancel(work, {"exceptionId": held.record.exception_id})


async def _gone_on(held: Held, move: MoveRecord) -> bool:
    """Whether the move was made already. Raises Problem `stale` if it is not the one that is asked for now."""
    standing = await held.unit.exception_move(move.move_id)
    if standing is None or standing.state in {"done", "under_way"}:
        return True
    if standing.state != "approved" or held.record.move_id != move.move_id or held.record.state != "open":
        raise not_asked_for()
    return False


async def _refuse(parts: ExceptionParts, caller: Caller, known: ExceptionRecord, move: MoveRecord, result: str) -> None:
    """The move came to nothing; the exception stays open."""

    async def unit_of_work(unit: ExceptionUnit) -> None:
        held = await Held.take(unit, parts.line(), known, caller.client)
        standing = await unit.exception_move(move.move_id)
        if standing is None or standing.state != "approved":
            return
        await unit.update_exception_move(replace(standing, state="refused", finished_at=held.now, result=result))
        if held.record.move_id == move.move_id:
            await held.change(move_id=None)
        held.note({"moveId": move.move_id, "move": move.move, "state": "refused", "result": result})
        await held.save()

    await parts.store.write(unit_of_work)


Making = Callable[[ExceptionParts, Caller, ExceptionRecord, MoveRecord, Mapping[str, Any]], Awaitable[None]]

_MAKING: Final[Mapping[str, Making]] = {
    "retry": _retry,
    "resubmit": lambda parts, caller, known, move, said: send_in_its_place(
        parts, caller, known, move, said.get("document")
    ),
    "mark_posted": _mark_posted,
    "cancel": _cancel,
}
