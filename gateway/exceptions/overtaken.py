"""A move that something else was quicker than: what that was, and who asked for it."""

from __future__ import annotations

from typing import Final

from gateway.domain.exceptions import ExceptionRecord, MoveRecord
from gateway.domain.wire import instant, status_url
from gateway.errors import Problem
from gateway.exceptions.parts import ExceptionParts

_READ_AGAIN: Final = "read the exception again; ask anew if it is open and this is still to be done"
_DONE: Final = "nothing to do: read the exception to see what became of it"
_FOLLOW: Final = "nothing to do for this exception; follow that transaction"


async def overtaken(parts: ExceptionParts, record: ExceptionRecord, move: MoveRecord) -> Problem:
    """Problem `stale` about a move that was replaced before it was made. `record`: the exception as it stands now.

    Whoever sees the exception sees its moves too, with the names of who asked for them.
    """
    sent = record.replaced_by
    later = await _next(parts, move)
    if later is not None:
        who = await parts.reads.person_name(later.asked_person) or later.asked_by
        asked = f"{who} asked for {later.move} at {instant(later.asked_at)}, and that is {later.state}"
        return _not_done(move, asked, _READ_AGAIN, sent)
    if sent is not None:
        return _not_done(move, f"another document was sent in its place, as {sent}", _FOLLOW, sent)
    return _not_done(move, f"the transaction went on meanwhile ({move.result})", _READ_AGAIN, sent)


def done_meanwhile(record: ExceptionRecord, move: MoveRecord) -> Problem:
    """Problem `stale` about a move that was made by the same approval, or the same request, given at the same time."""
    sent = record.replaced_by
    became = f", and sent {sent}" if sent is not None else ""
    done = f"{move.move} was done meanwhile, by the same approval or request given at the same time{became}"
    return _stale(done, _DONE, sent)


def _not_done(move: MoveRecord, why: str, remedy: str, sent: str | None) -> Problem:
    return _stale(f"{move.move} was not done: {why}", remedy, sent)


def _stale(detail: str, remedy: str, sent: str | None) -> Problem:
    """`sent`: the transaction in the other one's place."""
    return Problem(
        "stale",
        detail,
        remedy=remedy,
        extra={"transactionId": sent, "statusUrl": status_url(sent)} if sent is not None else None,
    )


async def _next(parts: ExceptionParts, move: MoveRecord) -> MoveRecord | None:
    """The move that was asked for after this one."""
    later = [one for one in await parts.reads.exception_moves(move.exception_id) if one.move_id > move.move_id]
    return later[-1] if later else None
