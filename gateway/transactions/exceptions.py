"""Dead ends: a transaction comes in front of a person, and is taken from there, in the commit of the outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.domain.entries import EntryKind
from gateway.domain.exceptions import STUCK, UNFINISHED, ExceptionRecord, MoveState, achieves
from gateway.domain.identity import payload_commitment
from gateway.domain.records import PayloadRecord, TransactionRecord
from gateway.domain.transaction import ENDS
from gateway.errors import Problem
from gateway.transactions.commands import SentByMove
from gateway.transactions.journal import Journal
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import WriteUnit


@dataclass(frozen=True, slots=True)
class ErpWords:
    """What an ERP said: its own code, field and message. Kept beside the ledger, erasable. `system_id`: which one."""

    code: str = ""
    field: str = ""
    message: str = ""
    system_id: str | None = None

    @classmethod
    def of(cls, problem: Mapping[str, Any]) -> ErpWords:
        """Of a problem's members; without an ERP's words, the gateway's own."""
        said: Mapping[str, Any] = problem.get("erp") or {}
        errors = problem.get("errors") or [{}]
        return cls(
            code=str(said.get("messageCode") or problem.get("code") or ""),
            field=str(said.get("field") or errors[0].get("field") or ""),
            message=str(said.get("message") or problem.get("detail") or ""),
            system_id=said.get("systemId"),
        )


async def open_exception(
    unit: WriteUnit,
    parts: LineParts,
    journal: Journal,
    reason_code: str,
    *,
    system_id: str | None = None,
    cause: str | None = None,
    words: ErpWords | None = None,
) -> None:
    """Bring the transaction in front of a person; to be called before the record is saved.

    One that stands there already is told the new reason, and a move that was under way has come to this. `system_id`:
    where it stands; without it, the system whose words these are, else the transaction's own.
    """
    record = journal.record
    system_id = system_id or (words.system_id if words is not None else None) or record.system_id
    if record.exception_id is not None:
        await _return(unit, parts, journal, reason_code, cause, system_id, words)
        return
    payload_id, commitment = await _keep(unit, parts, words)
    tools = parts.tools
    opened = ExceptionRecord(
        exception_id=tools.ids.new("exc"),
        transaction_id=record.transaction_id,
        lineage_id=record.lineage_id,
        domain=record.domain,
        operation=record.operation,
        business_unit=record.business_unit,
        geography=record.geography,
        system_id=system_id,
        company_code=record.company_code,
        currency_code=record.currency_code,
        amount=record.amount,
        reason_code=reason_code,
        cause=cause,
        payload_id=payload_id,
        state="open",
        opened_at=tools.clock.now(),
        updated_at=tools.clock.now(),
        owner_team=next(iter(parts.rules.rulebook.owners.get(record.domain, ())), None),
    )
    await unit.insert_exception(opened)
    journal.change(exception_id=opened.exception_id)
    journal.act(
        EntryKind.EXCEPTION_OPENED,
        _present(
            {
                "exceptionId": opened.exception_id,
                "reasonCode": reason_code,
                "cause": cause,
                "systemId": opened.system_id,
                "wordsHash": commitment,
            }
        ),
    )


async def open_stuck(unit: WriteUnit, parts: LineParts, transaction_id: str, cause: str, actor: str) -> bool:
    """What a sweep does with a transaction that has not moved for too long; False where nothing was to be done.

    `cause`: a word of the gateway's own. Takes the transaction's row, needs no lease: it changes no status.
    """
    record = await unit.transaction(transaction_id)
    if record is None or record.exception_id is not None or record.status in ENDS:
        return False
    journal = Journal(parts.tools, record, actor)
    await open_exception(unit, parts, journal, STUCK, cause=cause)
    await unit.update_transaction(await journal.flush(unit))
    return True


async def close_exception(
    unit: WriteUnit,
    journal: Journal,
    outcome: str,
    *,
    replaced_by: str | None = None,
    by_move: str | None = None,
) -> None:
    """The transaction needs no person any more; to be called before the record is saved. Nothing where none is open.

    `outcome`: the move or the status that ended it. A move that was asked for or under way ends with it: done if it is
    `by_move`, or wanted just this outcome, else something was quicker.
    """
    exception_id = journal.record.exception_id
    known = await unit.exception(exception_id) if exception_id is not None else None
    if known is None:
        return
    now = journal.tools.clock.now()
    move = await _finish_move(unit, known, now, outcome, by_move=by_move)
    closed = replace(
        known,
        state="closed",
        closed_at=now,
        updated_at=now,
        outcome=outcome,
        replaced_by=replaced_by,
        move_id=None,
        version=known.version + 1,
    )
    await unit.update_exception(closed)
    journal.change(exception_id=None)
    journal.act(
        EntryKind.EXCEPTION_MOVED,
        _present(
            {
                "exceptionId": known.exception_id,
                "state": "closed",
                "outcome": outcome,
                "moveId": move,
                "replacedByTransactionId": replaced_by,
            }
        ),
    )


async def close_replaced(
    unit: WriteUnit, parts: LineParts, replaced_id: str, by_transaction_id: str, client: str
) -> None:
    """A transaction was corrected by another one, which is accepted in this unit: its exception is done with."""
    replaced = await unit.transaction(replaced_id)
    if replaced is None or replaced.exception_id is None:
        return
    await _close_as_replaced(unit, Journal(parts.tools, replaced, client), by_transaction_id, None)


async def cancel_under_way(unit: WriteUnit, record: TransactionRecord) -> bool:
    """Whether people want the transaction called off, and it must be inquired before that."""
    known = await unit.exception(record.exception_id) if record.exception_id is not None else None
    move = await unit.exception_move(known.move_id) if known is not None and known.move_id is not None else None
    return move is not None and (move.move, move.state) == ("cancel", "under_way")


def not_asked_for() -> Problem:
    """Of a move that something was quicker than."""
    return Problem("stale", "this move is not asked for any more", remedy="read the exception again")


async def close_by_move(
    unit: WriteUnit, parts: LineParts, sent_by: SentByMove, by_transaction_id: str, client: str
) -> None:
    """As `close_replaced`, for what a move sends. Raises Problem `stale` if it is not asked for any more: of two moves
    at the same time one sends."""
    replaced = await unit.transaction(sent_by.transaction_id)
    exception_id = replaced.exception_id if replaced is not None else None
    known = await unit.exception(exception_id) if exception_id is not None else None
    if replaced is None or known is None or known.move_id != sent_by.move_id:
        raise not_asked_for()
    await _close_as_replaced(unit, Journal(parts.tools, replaced, client), by_transaction_id, sent_by.move_id)


async def _close_as_replaced(unit: WriteUnit, journal: Journal, by_transaction_id: str, by_move: str | None) -> None:
    await close_exception(unit, journal, "replaced", replaced_by=by_transaction_id, by_move=by_move)
    await unit.update_transaction(await journal.flush(unit))


async def _return(
    unit: WriteUnit,
    parts: LineParts,
    journal: Journal,
    reason_code: str,
    cause: str | None,
    system_id: str | None,
    words: ErpWords | None,
) -> None:
    """It is in front of a person already."""
    known = await unit.exception(journal.record.exception_id or "")
    if known is None:
        return
    now = journal.tools.clock.now()
    move = await _finish_move(unit, known, now, cause or reason_code, returned=True)
    system_id = system_id or known.system_id
    if move is None and (known.reason_code, known.cause, known.system_id) == (reason_code, cause, system_id):
        return
    payload_id, commitment = await _keep(unit, parts, words, known.payload_id)
    await unit.update_exception(
        replace(
            known,
            reason_code=reason_code,
            cause=cause,
            system_id=system_id,
            payload_id=payload_id or known.payload_id,
            updated_at=now,
            move_id=None,
            version=known.version + 1,
        )
    )
    members = {
        "exceptionId": known.exception_id,
        "state": "returned",
        "reasonCode": reason_code,
        "cause": cause,
        "systemId": system_id,
        "moveId": move,
        "wordsHash": commitment,
    }
    journal.act(EntryKind.EXCEPTION_MOVED, _present(members))


async def _finish_move(
    unit: WriteUnit,
    known: ExceptionRecord,
    now: int,
    result: str,
    *,
    by_move: str | None = None,
    returned: bool = False,
) -> str | None:
    """End the move that was asked for or under way; its id. What nobody approved was not made, whatever happened."""
    move = await unit.exception_move(known.move_id) if known.move_id is not None else None
    if move is None or move.state not in UNFINISHED:
        return None
    wanted = not returned and (move.move_id == by_move or achieves(move.move, result))
    state: MoveState = "refused" if move.state == "under_way" else "replaced"
    if wanted and move.state != "asked":
        state = "done"
    await unit.update_exception_move(replace(move, state=state, finished_at=now, result=result))
    return move.move_id


async def _keep(
    unit: WriteUnit, parts: LineParts, words: ErpWords | None, kept: str | None = None
) -> tuple[str | None, str | None]:
    """Store what was said, unless `kept` (a payload's id) says the same; the payload's id, and what the entry commits
    to."""
    if words is None:
        return None, None
    body = json.dumps(
        {"code": words.code, "field": words.field, "message": words.message}, ensure_ascii=False, separators=(",", ":")
    ).encode()
    before = await unit.payload(kept) if kept is not None else None
    if before is not None and before.body == body:
        return kept, None
    salt, payload_id = parts.tools.randomness.salt(), parts.tools.ids.new("pay")
    await unit.insert_payload(PayloadRecord(payload_id, salt, body))
    return payload_id, payload_commitment(salt, body)


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
