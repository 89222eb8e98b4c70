"""What a person says of a refused undo: they did it in the ERP themselves. Believed as far as the ERP shows it.

A reversal: the ERP shows the named document as one that reversed the very document of that step and stands itself, it
agrees in party, currency and total, and no other does. A cancellation makes no document: the document itself reads as
cancelled, blocked or reversed. Then the step is posted with that number, and the plan goes on as after an undo that the
ERP took.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.canonical import ErpNumber
from adapters.errors import ErpError
from adapters.port import Cancellation, FoundDocument, Reversal
from gateway.domain.caller import Caller
from gateway.domain.entries import EntryKind
from gateway.domain.exceptions import ExceptionRecord, MoveRecord
from gateway.domain.plan import SERVED
from gateway.domain.records import StepRecord
from gateway.errors import FieldError, Problem
from gateway.exceptions.held import Held, moved_on
from gateway.exceptions.named_number import FIELD, find, port_of, read, refuse_taken, shown, unavailable
from gateway.exceptions.parts import ExceptionParts
from gateway.exceptions.ports import ExceptionUnit
from gateway.exceptions.refused_undo import RefusedUndo, standing
from gateway.transactions import settle
from gateway.transactions.closing import say_closed, write_to_send
from gateway.transactions.dispatch import Dispatch, step_members
from gateway.transactions.execute import WasPosted, posted_as_found
from gateway.transactions.failed_jobs import let_go
from gateway.transactions.work import Work


@dataclass(frozen=True, slots=True)
class Looked:
    """What the ERP shows: the named document, and what it holds under the reference of the undo."""

    found: FoundDocument
    under_reference: tuple[FoundDocument, ...]


async def mark_undone(
    parts: ExceptionParts, caller: Caller, known: ExceptionRecord, move: MoveRecord, said: Mapping[str, Any]
) -> None:
    """Settle the refused step as posted under the number that the person names; the plan goes on.

    Raises Problem: stale, erp-unavailable, unknown-reference (no such number there), policy-check-failed (it did not
    undo this document).
    """
    refused = await _refused(parts, known)
    number = ErpNumber(
        system_id=refused.step.system_id,
        document_type=str(said["documentType"]),
        document_number=str(said["documentNumber"]),
    )
    _refuse_other_type(number, refused.posting)
    if isinstance(refused.posting, Reversal):
        looked = await _reversed(parts, refused, refused.posting, number)
    else:
        looked = await _called_off(parts, refused.posting, number)
    found = looked.found

    async def unit_of_work(unit: ExceptionUnit) -> Dispatch | None:
        # before any row: no other unit gives this number away meanwhile
        await unit.rules_state_alone()
        held = await Held.take(unit, parts.line(), known, caller.client)
        await held.refuse_gone(move)
        if await standing(unit, held) != refused:
            raise moved_on()
        if isinstance(refused.posting, Reversal):
            # some ERPs copy the reference of what is reversed
            copied = refused.posting.original.external_reference
            await refuse_taken(unit, known, found, sorted(SERVED["reverse"]), copied)
        await _finish(held, refused.step, move, looked)
        return await _settle(held, refused, looked)

    async def not_sent(step: StepRecord) -> None:
        await say_closed(parts.store, parts.line().tools, step)
        await let_go(parts.store, parts.line(), step.transaction_id, step.epoch)

    dispatch = await write_to_send(parts.store, unit_of_work, _next_step, not_sent)
    parts.jobs_due()
    if dispatch is not None:
        # half a reversal goes on with its next part, as after a part that the ERP took
        parts.send(dispatch)


def _next_step(dispatch: Dispatch | None) -> StepRecord | None:
    return None if dispatch is None else dispatch.step


async def _refused(parts: ExceptionParts, known: ExceptionRecord) -> RefusedUndo:
    async def unit_of_work(unit: ExceptionUnit) -> RefusedUndo:
        return await standing(unit, await Held.take(unit, parts.line(), known, ""))

    return await parts.store.write(unit_of_work)


def _refuse_other_type(number: ErpNumber, posting: Cancellation | Reversal) -> None:
    """A reversal is a document of the kind of what it reverses; of another kind some ERPs cannot be asked."""
    wanted = posting.number.document_type
    if number.document_type != wanted:
        raise Problem(
            "policy-check-failed",
            f"what undoes {shown(posting.number)} in {number.system_id} is a {wanted} too",
            remedy=f"name a {wanted}",
            errors=(FieldError("erpDocumentType", f"is not {wanted}"),),
        )


async def _called_off(parts: ExceptionParts, posting: Cancellation, number: ErpNumber) -> Looked:
    """The document that was to be called off, as it stands."""
    if number != posting.number:
        raise _disbelieved(
            f"this undo makes no document of its own: it is {shown(posting.number)} that is called off",
            f"is not {posting.number.document_number}",
            f"call {shown(posting.number)} off in {number.system_id}, and name it",
        )
    found = await read(parts, number, "look the document up in the ERP, then retry")
    if not found.cancelled and found.reversed_by is None:
        raise _disbelieved(
            f"{shown(number)} stands in {number.system_id}: it reads as neither cancelled nor blocked",
            "still stands",
            "call it off there first, or retry",
        )
    _refuse_disagreeing(parts, posting, found)
    # an inquiry would find the document itself, which does not stand as before: a cancellation leaves no other trace
    return Looked(found, (found,))


async def _reversed(parts: ExceptionParts, refused: RefusedUndo, posting: Reversal, number: ErpNumber) -> Looked:
    """The named document, if the ERP shows that it reversed the document of this step."""
    original = posting.number
    if number == original:
        raise _disbelieved(
            f"{shown(number)} is the document that is to be undone",
            "is not the reversal",
            "name the document that reversed it",
        )
    if number in refused.others:
        raise _disbelieved(
            f"{shown(number)} is what another part of this transaction posted",
            "belongs to another part",
            f"name the document that reversed {shown(original)}",
        )
    found = await read(parts, number, f"look up in {number.system_id} what reversed {shown(original)}, and name that")
    there = await find(parts, original)
    if there is not None and (found.reversed_by is not None or found.cancelled):
        raise _undone_itself(there, number)
    if there is None or not there.reversals:
        raise _disbelieved(
            f"{number.system_id} does not show {shown(original)} as reversed",
            "is not shown as its reversal",
            f"reverse {shown(original)} there so that it is shown (docs/clearing.md), or retry",
        )
    if number.document_number not in there.reversals:
        reversals = " or ".join(there.reversals)
        raise _disbelieved(
            f"{number.system_id} shows {shown(original)} as reversed by {reversals}",
            f"is not {reversals}",
            f"name {reversals}",
        )
    _refuse_disagreeing(parts, posting, found, [one for one in there.reversals if one != number.document_number])
    under_reference = await _refuse_own(parts, posting, number)
    await _refuse_second(parts, posting, there, number)
    return Looked(found, under_reference)


def _undone_itself(original: FoundDocument, number: ErpNumber) -> Problem:
    """What was reversed again reverses nothing; what is to be done depends on whether another one does."""
    others = " or ".join(one for one in original.reversals if one != number.document_number)
    if others:
        detail = f"{shown(number)} was undone itself, and {shown(original.number)} is reversed by {others}"
        return _disbelieved(detail, "was undone", f"name {others}")
    return _disbelieved(
        f"{shown(number)} was undone itself: {shown(original.number)} stands again",
        "was undone",
        f"retry, or reverse {shown(original.number)} once more and name that document",
    )


async def _refuse_second(parts: ExceptionParts, posting: Reversal, original: FoundDocument, number: ErpNumber) -> None:
    """Raise Problem where another whole reversal stands beside the named one: then it is undone twice. One that comes
    to something else undid nothing of this, whatever it is called there."""
    expected = port_of(parts, number.system_id).expectation(posting)
    for other in original.reversals:
        if other == number.document_number:
            continue
        beside = await find(parts, number.model_copy(update={"document_number": other}))
        if beside is not None and beside.agrees_with(expected):
            raise _disbelieved(
                f"{shown(number)} and {shown(beside.number)} both stand in {number.system_id} and both reverse "
                f"{shown(original.number)}: it is undone twice",
                "is not the only reversal",
                "have one of the two undone there, then name the other",
            )


async def _refuse_own(parts: ExceptionParts, posting: Reversal, number: ErpNumber) -> tuple[FoundDocument, ...]:
    """What stands or stood under the reference of the undo. Raises Problem where the gateway's own reversal stands
    beside the person's: then it is undone twice."""
    try:
        under_reference = await port_of(parts, number.system_id).inquire(posting)
    except ErpError as error:
        raise unavailable(number.system_id) from error
    own = [one.number for one in under_reference if one.number != number and one.reversed_by is None]
    if own:
        raise _disbelieved(
            f"{shown(own[0])} stands in {number.system_id} under the reference of this undo, beside {shown(number)}",
            "is not the only reversal",
            "have one of the two undone there, then name the other",
        )
    return under_reference


def _refuse_disagreeing(
    parts: ExceptionParts, posting: Cancellation | Reversal, found: FoundDocument, beside: Sequence[str] = ()
) -> None:
    """What the document is expected to say it must say. A reversal comes to what its original did, the other way round,
    and drivers read both without their sign. `beside`: what else the ERP shows as a reversal."""
    expected = port_of(parts, posting.number.system_id).expectation(posting)
    pairs = {
        "party": (found.party, expected.party),
        "currencyCode": (found.currency_code, expected.currency_code),
        "total": (found.total, expected.total),
    }
    wrong = [name for name, (there, here) in pairs.items() if here is not None and there != here]
    if wrong:
        raise Problem(
            "policy-check-failed",
            f"{shown(found.number)} differs from what is to be undone in {', '.join(wrong)}",
            remedy=_remedy(posting, found, beside),
            errors=tuple(FieldError(FIELD, f"differs in {name}") for name in wrong),
        )


def _remedy(posting: Cancellation | Reversal, found: FoundDocument, beside: Sequence[str]) -> str:
    if beside:
        return f"undo {shown(found.number)} in the ERP, and name {' or '.join(beside)}"
    if isinstance(posting, Cancellation):
        return "undo all of the document in the ERP, and nothing else, and name that number"
    whole = f"reverse all of {shown(posting.number)}, and nothing else, and name that document"
    return f"undo {shown(found.number)} in the ERP; then retry, or {whole}"


def _disbelieved(detail: str, message: str, remedy: str) -> Problem:
    return Problem("policy-check-failed", detail, remedy=remedy, errors=(FieldError(FIELD, message),))


async def _finish(held: Held, step: StepRecord, move: MoveRecord, looked: Looked) -> None:
    """The move is done; the exception lasts until the plan has ended."""
    asked = await held.unit.exception_move(move.move_id) or move
    await held.unit.update_exception_move(replace(asked, state="done", finished_at=held.now, result="posted"))
    await held.change(move_id=None)
    held.note({"moveId": move.move_id, "move": move.move, "state": "done"})
    members = {**step_members(step), "erp": {"reference": step.external_reference}}
    held.journal.note(EntryKind.INQUIRED, {**members, "hits": len(looked.under_reference)})


async def _settle(held: Held, refused: RefusedUndo, looked: Looked) -> Dispatch | None:
    """As an answer of the ERP would have been. A Dispatch is the next part of a reversal, to be sent now."""
    step, found = refused.step, looked.found
    job = await held.put_to_work(step.system_id)
    work = Work(held.unit, held.parts, held.journal, job)
    if not refused.sent:
        await work.insert_step(step)
    if isinstance(refused.posting, Reversal) and found.posting_date is not None:
        # the day that it has, which a person chose
        step = replace(step, posting_date=found.posting_date.isoformat())
    by_inquiry = any(one.number == found.number for one in looked.under_reference)
    settled = await settle.settle(work, step, WasPosted(posted_as_found(found), found_by_inquiry=by_inquiry))
    return settled if isinstance(settled, Dispatch) else None
