"""What a person says about an unknown outcome, believed only as far as the ERP itself confirms it.

`mark_posted`: the number is there, agrees in party, currency and total, is nobody else's, and nothing else stands under
our reference. `cancel`: nothing stands under our reference, and the quiet time is over. In both the first call must
not be able to post any more, unless what was found carries our reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from adapters.canonical import ErpNumber
from adapters.errors import ErpError
from adapters.port import FoundDocument, Posting
from gateway.domain.caller import Caller
from gateway.domain.entries import EntryKind
from gateway.domain.exceptions import ExceptionRecord, MoveRecord
from gateway.domain.lanes import Lane
from gateway.domain.records import JobRecord, StepRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.errors import FieldError, Problem
from gateway.exceptions.held import Held, moved_on
from gateway.exceptions.named_number import FIELD, port_of, read, refuse_taken, shown, unavailable
from gateway.exceptions.parts import ExceptionParts
from gateway.exceptions.ports import ExceptionUnit
from gateway.transactions import settle
from gateway.transactions.execute import WasPosted, posted_as_found
from gateway.transactions.found import still_standing
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.posting import posting_of
from gateway.transactions.resolve import quiet_until
from gateway.transactions.work import Work

_LOOK_IT_UP: Final = "look the document up in the ERP; cancel if it is not there"
_NOTHING_STANDS: Final = "where none does, cancel, and submit the document again if it is still wanted"


@dataclass(frozen=True, slots=True)
class Doubt:
    """The step whose outcome nobody knows, and what was sent."""

    step: StepRecord
    posting: Posting


@dataclass(frozen=True, slots=True)
class Looked:
    """What an inquiry by our reference found, and what of it still stands. `at` (µs): when it began."""

    found: tuple[FoundDocument, ...]
    standing: tuple[FoundDocument, ...]
    at: int


async def mark_posted(
    parts: ExceptionParts, caller: Caller, known: ExceptionRecord, move: MoveRecord, said: Mapping[str, Any]
) -> None:
    """Settle the transaction as posted under the number that the person names.

    Raises Problem: stale, in-flight (the first call may still post), erp-unavailable, unknown-reference (no such number
    there), policy-check-failed (it does not agree, or is somebody else's).
    """
    doubt = await _doubt(parts, known)
    number = ErpNumber(
        system_id=doubt.step.system_id,
        document_type=str(said["documentType"]),
        document_number=str(said["documentNumber"]),
    )
    looked = await _look(parts, doubt)
    found = await read(parts, number, _LOOK_IT_UP)
    _refuse_others(looked.standing, number)
    _refuse_mirror(looked.found, number)
    ours = any(one.number == number for one in looked.standing)
    _refuse_disagreeing(parts.line(), doubt, found, ours=ours)

    async def unit_of_work(unit: ExceptionUnit) -> None:
        # before any row: no other unit gives this number away meanwhile
        await unit.rules_state_alone()
        held = await Held.take(unit, parts.line(), known, caller.client)
        step = await _still_in_doubt(held, doubt, move)
        if not ours:
            _refuse_early(held.parts, step, looked.at)
        await refuse_taken(unit, known, found, [known.domain])
        _note_inquiry(held, step, looked)
        settled = await settle.settle(_work(held), step, WasPosted(posted_as_found(found), found_by_inquiry=ours))
        if not isinstance(settled, TransactionRecord):
            raise _several_steps()

    await parts.store.write(unit_of_work)


async def call_off(parts: ExceptionParts, caller: Caller, known: ExceptionRecord, move: MoveRecord) -> None:
    """End the transaction as cancelled: an inquiry finds nothing of it, and nothing can come any more.

    Raises Problem: stale, in-flight, erp-unavailable, policy-check-failed (it is there).
    """
    doubt = await _doubt(parts, known)
    looked = await _look(parts, doubt)
    if looked.standing:
        there = looked.standing[0].number
        raise Problem(
            "policy-check-failed",
            f"{shown(there)} stands in {there.system_id} under this reference",
            remedy="retry: it is taken over if it agrees; or undo it in the ERP first",
            extra={"systemId": there.system_id},
        )

    async def unit_of_work(unit: ExceptionUnit) -> None:
        held = await Held.take(unit, parts.line(), known, caller.client)
        step = await _still_in_doubt(held, doubt, move)
        _refuse_early(held.parts, step, looked.at)
        _note_inquiry(held, step, looked)
        await unit.update_step(replace(step, state="rejected"))
        await settle.cancel(_work(held), {"exceptionId": known.exception_id})

    await parts.store.write(unit_of_work)


async def _doubt(parts: ExceptionParts, known: ExceptionRecord) -> Doubt:
    async def unit_of_work(unit: ExceptionUnit) -> Doubt:
        record = await unit.transaction(known.transaction_id)
        steps = await unit.steps(known.transaction_id)
        if record is None or record.status is not Status.IN_DOUBT:
            raise moved_on()
        if record.legs is not None or len(steps) != 1 or steps[0].state != "unknown" or steps[0].direction != "do":
            raise _several_steps()
        return Doubt(steps[0], await posting_of(unit, record, steps[0]))

    return await parts.store.write(unit_of_work)


def _several_steps() -> Problem:
    return Problem(
        "policy-check-failed",
        "the transaction has several steps, or none whose outcome is unknown",
        remedy="retry is the move for it",
    )


async def _look(parts: ExceptionParts, doubt: Doubt) -> Looked:
    port = port_of(parts, doubt.step.system_id)
    at = parts.line().tools.clock.now()
    try:
        found = await port.inquire(doubt.posting)
    except ErpError as error:
        raise unavailable(doubt.step.system_id) from error
    # what a person has undone there is as good as not there
    return Looked(found, still_standing(doubt.posting, found), at)


def _refuse_others(standing: Sequence[FoundDocument], number: ErpNumber) -> None:
    others = [one.number for one in standing if one.number != number]
    if others:
        stands = ", ".join(shown(one) for one in others[:5])
        raise Problem(
            "policy-check-failed",
            f"under the reference of this transaction stands {stands}",
            remedy="undo it in the ERP first, or name it",
            errors=(FieldError(FIELD, f"is not {stands}"),),
        )


def _refuse_mirror(found: Sequence[FoundDocument], number: ErpNumber) -> None:
    """What undid our document says the same as it does, and some ERPs give it our reference too."""
    for one in found:
        if number.document_number in one.reversals:
            raise Problem(
                "policy-check-failed",
                f"{shown(number)} is what reversed {shown(one.number)}, which has the reference of this transaction",
                remedy=f"name one that stands; {_NOTHING_STANDS}",
                errors=(FieldError(FIELD, "is a reversal"),),
            )


def _refuse_disagreeing(line: LineParts, doubt: Doubt, found: FoundDocument, *, ours: bool) -> None:
    """Party, currency and total must be stated there and be ours; a document that has none must carry our reference."""
    if not still_standing(doubt.posting, [found]):
        raise Problem(
            "policy-check-failed",
            f"{shown(found.number)} was undone in {found.number.system_id}",
            remedy=f"name one that stands; {_NOTHING_STANDS}",
            errors=(FieldError(FIELD, "was undone there"),),
        )
    expected = line.systems[doubt.step.system_id].port.expectation(doubt.posting)
    pairs = {
        "party": (found.party, expected.party),
        "currencyCode": (found.currency_code, expected.currency_code),
        "total": (found.total, expected.total),
    }
    stated = {name: pair for name, pair in pairs.items() if pair[1] is not None}
    wrong = [name for name, (there, here) in stated.items() if there != here]
    if wrong or not found.as_demanded:
        raise Problem(
            "policy-check-failed",
            f"that document differs from this one in {', '.join(wrong) or 'what it says'}",
            remedy="name the right number; or cancel, and submit what the ERP has",
            errors=tuple(FieldError(FIELD, f"differs in {name}") for name in wrong),
        )
    if not stated and not ours:
        raise Problem(
            "policy-check-failed",
            "that document says neither party nor currency nor total, and does not carry this reference",
            remedy="cancel, and import its cross-reference",
        )


async def _still_in_doubt(held: Held, doubt: Doubt, move: MoveRecord) -> StepRecord:
    """The step as it stands, if nothing has happened since the ERP was asked. Raises Problem `stale`."""
    await held.refuse_gone(move)
    if held.transaction.status is not Status.IN_DOUBT:
        raise moved_on()
    steps = await held.unit.steps(held.transaction.transaction_id)
    step = steps[-1]
    if (step.attempt, step.state, step.epoch) != (doubt.step.attempt, doubt.step.state, doubt.step.epoch):
        raise moved_on()
    return step


def _refuse_early(line: LineParts, step: StepRecord, asked_at: int) -> None:
    """Raise Problem `in-flight` unless the ERP was asked when nothing of ours could come any more, and would be found.

    A sender that is not proven ended counts as ended with its lease: that it has is what two persons stand for.
    """
    policy = line.systems[step.system_id].policy
    until = quiet_until(line, step) + int(policy.inquiry_delay_s * SECOND)
    if asked_at <= until:
        left = max(1, (until - line.tools.clock.now()) // SECOND + 1)
        raise Problem(
            "in-flight",
            "the first call may still be running in the ERP",
            remedy="send the same request again after `retryAfterS` seconds",
            retry_after_s=left,
        )


def _note_inquiry(held: Held, step: StepRecord, looked: Looked) -> None:
    held.journal.note(
        EntryKind.INQUIRED,
        {
            "systemId": step.system_id,
            "step": step.step,
            "attempt": step.attempt,
            "erp": {"reference": step.external_reference},
            "hits": len(looked.standing),
        },
    )


def _work(held: Held) -> Work:
    """A person acts under the locks of the rows; there is no lease, and a job that stands is given up with the rest."""
    transaction = held.transaction
    nobody = JobRecord(transaction.transaction_id, Lane.STANDARD, held.now, 0, None, 0)
    return Work(held.unit, held.parts, held.journal, nobody)
