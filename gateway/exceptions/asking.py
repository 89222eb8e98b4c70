"""Asking for a move, and approving it as a second person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.cutover.acting import Acting, acting
from gateway.cutover.acts import Actor, refuse_reused
from gateway.domain.caller import Caller
from gateway.domain.exceptions import ExceptionRecord, MoveName, MoveRecord, moves_for
from gateway.domain.identity import content_hash, payload_commitment
from gateway.domain.queries import Visible
from gateway.domain.records import IdempotencyKeyRecord, PayloadRecord
from gateway.errors import FieldError, Problem
from gateway.exceptions.held import Held, no_such_exception
from gateway.exceptions.overtaken import done_meanwhile, overtaken
from gateway.exceptions.parts import ExceptionParts
from gateway.exceptions.performing import perform
from gateway.exceptions.policy import needs_second
from gateway.exceptions.ports import ExceptionUnit
from gateway.exceptions.sending import corrected_document

_OPERATION: Final = "move_exception"
_ON_WIRE: Final = {
    "documentType": "erpDocumentType",
    "documentNumber": "erpDocumentNumber",
    "document": "document",
}
"""What is kept of a request, as its members are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants done, and why. `document_type`, `document_number`: for `mark_posted`, the number in the ERP.
    `document`: for `resubmit`, the corrected document in wire words. `version`: the exception's as it was shown; None
    where that is not asked. `approved_with`: who asked for it, where the caller is the second person already (a move
    that was shown as one of many, and is run by somebody else).
    """

    move: MoveName
    reason: str
    document_type: str | None = None
    document_number: str | None = None
    document: Mapping[str, Any] | None = None
    version: int | None = None
    approved_with: Acting | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The exception and the move as they stand. `replayed`: the key named an earlier request."""

    exception: ExceptionRecord
    move: MoveRecord
    replayed: bool = False


async def ask_move(
    parts: ExceptionParts, caller: Caller, visible: Visible, exception_id: str, wanted: Wanted, key: str
) -> Moved:
    """Ask for the move; it is made at once where no second person is needed. A repeat with the key goes on with it.

    A later request takes the place of one that was not made yet.

    Raises Problem: not-found, idempotency-key-reused, stale (closed, or not as shown), in-flight (a retry is under
    way), policy-check-failed (no person, a move that is not allowed here), invalid-document, and what `perform` raises.
    """
    tools = parts.line().tools
    who = acting(tools, caller)
    _check(wanted)
    known = await parts.reads.exception(exception_id, visible)
    if known is None:
        raise no_such_exception()
    said = _said(wanted)
    # where the number was named: the exception may stand in another system later
    body = _text(said | {"systemId": known.system_id} if "documentNumber" in said else said)
    payload = PayloadRecord(tools.ids.new("pay"), tools.randomness.salt(), body)
    move_id, digest = tools.ids.new("mov"), content_hash(_text(said))

    async def unit_of_work(unit: ExceptionUnit) -> tuple[str, bool]:
        earlier = await unit.idempotency_key(who.client, _OPERATION, exception_id, key)
        if earlier is not None:
            refuse_reused(earlier.content_hash, digest)
            return earlier.transaction_id, True
        held = await Held.take(unit, parts.line(), known, who.client)
        await _make_room(held, wanted)
        second = needs_second(held.parts.rules.rulebook, held.record, held.transaction.status, wanted.move)
        with_whom = wanted.approved_with
        first = who if with_whom is None else with_whom
        alone = not second or (with_whom is not None and with_whom.person != who.person)
        now = held.now
        move = MoveRecord(
            move_id=move_id,
            exception_id=exception_id,
            move=wanted.move,
            state="approved" if alone else "asked",
            payload_id=payload.payload_id,
            asked_at=now,
            asked_by=first.client,
            asked_person=first.person,
            approved_at=now if with_whom is not None else None,
            approved_by=who.client if with_whom is not None else None,
            approved_person=who.person if with_whom is not None else None,
        )
        await unit.insert_payload(payload)
        await Actor(who.client, who.person, who.name).remember(unit)
        await unit.insert_exception_move(move)
        await unit.insert_idempotency_key(
            IdempotencyKeyRecord(who.client, _OPERATION, exception_id, key, digest, move_id, now)
        )
        await held.change(move_id=move_id)
        held.note(
            {
                "moveId": move_id,
                "move": wanted.move,
                "state": move.state,
                "person": move.asked_person,
                "approvedPerson": move.approved_person,
                "reasonHash": payload_commitment(payload.salt, body),
            }
        )
        await held.save()
        return move_id, False

    standing_id, replayed = await parts.store.write(unit_of_work)
    parts.events_left()
    return await _performed(parts, caller, known, standing_id, replayed=replayed)


async def approve_move(
    parts: ExceptionParts, caller: Caller, visible: Visible, exception_id: str, move_id: str
) -> Moved:
    """Approve, as a second person, what another one asked for; it is made at once. A repeat goes on with it.

    Raises Problem: not-found, stale (it is not asked for any more), policy-check-failed (no person, or the same one),
    and what `perform` raises.
    """
    who = acting(parts.line().tools, caller)
    known = await parts.reads.exception(exception_id, visible)
    if known is None:
        raise no_such_exception()

    async def unit_of_work(unit: ExceptionUnit) -> bool:
        held = await Held.take(unit, parts.line(), known, who.client)
        move = await unit.exception_move(move_id)
        if move is None or move.exception_id != exception_id:
            raise Problem("not-found", "there is no such move of this exception")
        if move.state in {"done", "under_way", "replaced"}:
            return True
        if move.state == "approved" and held.record.move_id == move_id:
            return True
        if held.record.move_id != move_id or move.state != "asked":
            raise Problem("stale", f"this move was {move.state} ({move.result})", remedy="read the exception again")
        held.refuse_closed()
        if move.asked_person == who.person:
            raise Problem(
                "policy-check-failed",
                "the person who asked for a move cannot approve it",
                remedy="have another person approve it",
            )
        await Actor(who.client, who.person, who.name).remember(unit)
        await unit.update_exception_move(
            replace(
                move,
                state="approved",
                approved_at=held.now,
                approved_by=who.client,
                approved_person=who.person,
            )
        )
        await held.change()
        held.note({"moveId": move_id, "move": move.move, "state": "approved", "approvedPerson": who.person})
        await held.save()
        return False

    replayed = await parts.store.write(unit_of_work)
    parts.events_left()
    return await _performed(parts, caller, known, move_id, replayed=replayed)


async def _performed(
    parts: ExceptionParts, caller: Caller, known: ExceptionRecord, move_id: str, *, replayed: bool
) -> Moved:
    """Make it, unless it is made or waits. Raises Problem `stale` if something else took its place."""
    move = await _move(parts, move_id)
    if move.state == "approved":
        try:
            await perform(parts, caller, known, move)
        except Problem as problem:
            move = await _move(parts, move_id)
            if move.state == "done" and problem.slug == "stale":
                standing = await parts.reads.exception(known.exception_id, Visible())
                raise done_meanwhile(standing or known, move) from problem
            if move.state != "replaced":
                raise
        else:
            move = await _move(parts, move_id)
    standing = await parts.reads.exception(known.exception_id, Visible())
    if move.state == "replaced":
        raise await overtaken(parts, standing or known, move)
    return Moved(standing or known, move, replayed)


async def _move(parts: ExceptionParts, move_id: str) -> MoveRecord:
    move = await parts.reads.exception_move(move_id)
    if move is None:
        raise no_such_exception()
    return move


async def _make_room(held: Held, wanted: Wanted) -> None:
    """Refuse a move that is not allowed now; an earlier one that was not made yet gives way."""
    held.refuse_closed()
    if wanted.version is not None and held.record.version != wanted.version:
        raise Problem("stale", "the exception is not any more what was shown", remedy="read it again")
    transaction = held.transaction
    several = await held.has_several_steps()
    allowed = moves_for(transaction.status, transaction.operation, held.record.reason_code, several=several)
    if wanted.move not in allowed:
        raise Problem(
            "policy-check-failed",
            f"a transaction that is {transaction.status} ({held.record.reason_code}) cannot be moved by {wanted.move}",
            remedy=f"allowed: {', '.join(allowed)}" if allowed else "nothing is to be done about it",
            errors=(FieldError("move", "is not allowed here"),),
        )
    if wanted.document is not None:
        # its form now, while who asked is there to mend it, and not when the second person approves
        corrected_document(transaction, wanted.document)
    pending = await held.pending()
    if pending is None:
        return
    if pending.state == "under_way":
        raise Problem(
            "in-flight",
            f"a move ({pending.move}) is under way",
            remedy="wait for its end, or send its own request again",
            retry_after_s=10,
        )
    await held.unit.update_exception_move(replace(pending, state="replaced", finished_at=held.now, result="replaced"))


def _said(wanted: Wanted) -> dict[str, Any]:
    """What is kept of the request beside the ledger."""
    members = {
        "move": wanted.move,
        "reason": wanted.reason,
        "documentType": wanted.document_type,
        "documentNumber": wanted.document_number,
        "document": dict(wanted.document) if wanted.document is not None else None,
    }
    return {name: value for name, value in members.items() if value is not None}


def _text(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _check(wanted: Wanted) -> None:
    """Each move has what it needs, and nothing else."""
    needed = {"mark_posted": ("documentType", "documentNumber"), "resubmit": ("document",)}.get(wanted.move, ())
    given = {name: value for name, value in _said(wanted).items() if name not in {"move", "reason"}}
    errors = [FieldError(_ON_WIRE[name], f"is needed for {wanted.move}") for name in needed if name not in given]
    errors += [
        FieldError(_ON_WIRE[name], f"has no meaning for {wanted.move}", "leave it out")
        for name in given
        if name not in needed
    ]
    if errors:
        raise Problem("invalid-document", f"{errors[0].field} {errors[0].message}", errors=tuple(errors))
