"""An exception in hand: one write unit, its transaction's row and its own locked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gateway.cutover.acts import present
from gateway.domain.entries import EntryKind
from gateway.domain.exceptions import UNFINISHED, ExceptionRecord, MoveRecord
from gateway.domain.lanes import DEFAULT_PRIORITY, Lane
from gateway.domain.records import JobRecord, TransactionRecord
from gateway.errors import Problem
from gateway.exceptions.ports import ExceptionUnit
from gateway.transactions.exceptions import not_asked_for
from gateway.transactions.journal import Journal
from gateway.transactions.parts import LineParts


def no_such_exception() -> Problem:
    """Of what is not there, and of what the caller may not see."""
    return Problem("not-found", "there is no such exception")


def moved_on() -> Problem:
    """The transaction does not stand any more as it did when the ERP was asked about it."""
    return Problem("stale", "the transaction is not in doubt any more", remedy="read it again")


@dataclass(slots=True)
class Held:
    """It lives as long as its unit. `journal`: of the transaction's trace, in the name of who acts."""

    unit: ExceptionUnit
    parts: LineParts
    journal: Journal
    record: ExceptionRecord

    @classmethod
    async def take(cls, unit: ExceptionUnit, parts: LineParts, known: ExceptionRecord, actor: str) -> Held:
        """Lock both rows. Raises Problem `not-found`."""
        transaction = await unit.transaction(known.transaction_id)
        record = await unit.exception(known.exception_id)
        if transaction is None or record is None:
            raise no_such_exception()
        return cls(unit, parts, Journal(parts.tools, transaction, actor), record)

    @property
    def transaction(self) -> TransactionRecord:
        return self.journal.record

    @property
    def now(self) -> int:
        """µs."""
        return self.parts.tools.clock.now()

    def note(self, members: dict[str, Any]) -> None:
        """An `exception_moved` of the trace, with its event."""
        self.journal.act(EntryKind.EXCEPTION_MOVED, {"exceptionId": self.record.exception_id, **present(members)})

    async def change(self, **changes: Any) -> None:
        """Change the exception's row."""
        self.record = replace(self.record, updated_at=self.now, version=self.record.version + 1, **changes)
        await self.unit.update_exception(self.record)

    async def pending(self) -> MoveRecord | None:
        """The move that is asked for or under way."""
        move = await self.unit.exception_move(self.record.move_id) if self.record.move_id is not None else None
        return move if move is not None and move.state in UNFINISHED else None

    async def has_several_steps(self) -> bool:
        """Whether the transaction is a plan of several steps, or came to more than one."""
        return self.transaction.legs is not None or len(await self.unit.steps(self.record.transaction_id)) > 1

    async def save(self) -> None:
        """Write entries, events and the transaction's record into the unit."""
        await self.unit.update_transaction(await self.journal.flush(self.unit))

    async def put_to_work(self, system_id: str) -> JobRecord:
        """A job, which what stands before a person has none of. Its epoch is the time, above all that its earlier jobs
        had."""
        job = JobRecord(
            transaction_id=self.transaction.transaction_id,
            lane=Lane.STANDARD,
            due_at=self.now,
            epoch=self.now,
            lease_owner=None,
            lease_until=0,
            priority=DEFAULT_PRIORITY,
            system_id=system_id,
            enqueued_at=self.now,
        )
        await self.unit.insert_job(job)
        return job

    def refuse_closed(self) -> None:
        """Raise Problem `stale` for an exception that is closed."""
        if self.record.state != "open":
            raise Problem(
                "stale",
                f"the exception is closed ({self.record.outcome})",
                remedy="nothing to do; read it again",
            )

    async def refuse_gone(self, move: MoveRecord) -> None:
        """Raise Problem `stale` unless this move is approved and the one that is asked for now."""
        standing = await self.unit.exception_move(move.move_id)
        if standing is None or standing.state != "approved" or self.record.move_id != move.move_id:
            raise not_asked_for()
