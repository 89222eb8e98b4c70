"""An undo that was refused, as it stands before a person: which step, and what it would have sent.

Nothing is under way meanwhile: a refusal counts only when no attempt can post any more, and what stands before a person
has no job.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.canonical import ErpNumber
from adapters.port import Cancellation, Reversal
from gateway.domain.exceptions import UNDO_REFUSED, ExceptionRecord, MoveRecord
from gateway.domain.plan import in_hand
from gateway.domain.records import StepRecord
from gateway.domain.transaction import Status
from gateway.errors import FieldError, Problem
from gateway.exceptions.held import Held, moved_on
from gateway.exceptions.named_number import find, shown
from gateway.exceptions.parts import ExceptionParts
from gateway.exceptions.ports import ExceptionUnit
from gateway.transactions.dispatch import Lease
from gateway.transactions.posting import number_of, posting_of
from gateway.transactions.steps import step_of


@dataclass(frozen=True, slots=True)
class RefusedUndo:
    """The step that was refused, and what it would have sent. `steps`: all of the plan as they stood.

    `sent`: False where the ERP's driver cannot take back what it posted, so that nothing was ever sent.
    """

    step: StepRecord
    posting: Cancellation | Reversal
    steps: tuple[StepRecord, ...]
    sent: bool

    @property
    def others(self) -> frozenset[ErpNumber]:
        """What the other steps of the plan posted."""
        return frozenset(number_of(one) for one in self.steps if one.document_number is not None)


async def refuse_undone(parts: ExceptionParts, known: ExceptionRecord, move: MoveRecord) -> None:
    """Raise Problem `policy-check-failed` where a retry would reverse what the ERP shows as reversed: not every ERP
    refuses that itself. To call off what is called off changes nothing, and what an ERP does not answer tells nothing.
    """

    async def unit_of_work(unit: ExceptionUnit) -> RefusedUndo | None:
        held = await Held.take(unit, parts.line(), known, "")
        asked_for = await unit.exception_move(move.move_id)
        asked = asked_for is not None and asked_for.state == "approved"
        return await standing(unit, held) if asked and _is_refused(held) else None

    refused = await parts.store.write(unit_of_work)
    if refused is None or not isinstance(refused.posting, Reversal):
        return
    try:
        original = await find(parts, refused.posting.number)
    except Problem:
        return
    if original is not None and original.reversals:
        reversals = " or ".join(original.reversals)
        raise Problem(
            "policy-check-failed",
            f"{refused.step.system_id} shows {shown(original.number)} as reversed by {reversals} already",
            remedy=f"mark_posted with {reversals}",
            errors=(FieldError("move", "would reverse it a second time"),),
        )


def _is_refused(held: Held) -> bool:
    return held.transaction.status is Status.IN_DOUBT and held.record.reason_code == UNDO_REFUSED


async def standing(unit: ExceptionUnit, held: Held) -> RefusedUndo:
    """Raises Problem `stale` where no undo stands refused any more."""
    record = held.transaction
    if not _is_refused(held):
        raise moved_on()
    steps = tuple(await unit.steps(record.transaction_id))
    step = in_hand(steps)
    sent = step.state == "rejected"
    if not sent:
        # begun by nobody: what is to be done is to take the last posting back
        step = _never_sent(held, step)
    posting = await posting_of(unit, record, step)
    if not isinstance(posting, Cancellation | Reversal):
        raise moved_on()
    return RefusedUndo(step, posting, steps, sent)


def _never_sent(held: Held, done: StepRecord) -> StepRecord:
    """The undo of a posted step as it would stand: the same at every look, so that two looks can be compared."""
    lease = Lease(epoch=held.record.opened_at, until=0)
    undo = step_of(held.parts, done.transaction_id, done.step, done.system_id, lease, direction="undo")
    return replace(undo, dispatched_at=held.record.opened_at)
