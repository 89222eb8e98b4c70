"""The first attempt at a step of a plan, committed before its first byte leaves."""

from __future__ import annotations

from gateway.domain.identity import Direction, external_reference
from gateway.domain.records import StepRecord
from gateway.transactions.dispatch import Dispatch, Lease, first_attempt
from gateway.transactions.parts import LineParts
from gateway.transactions.posting import posting_of
from gateway.transactions.work import Work


def step_of(
    parts: LineParts,
    transaction_id: str,
    step: int,
    system_id: str,
    lease: Lease,
    *,
    direction: Direction = "do",
    posting_date: str | None = None,
) -> StepRecord:
    """The step under its own reference, which is another one for its undo."""
    reference = external_reference(transaction_id, step, direction)
    return first_attempt(parts, transaction_id, step, system_id, reference, lease, direction, posting_date)


async def send(work: Work, step: StepRecord, lease: Lease) -> Dispatch:
    """Write the step that the journal has noted as dispatched; it is to be sent once this is committed."""
    await work.insert_step(step)
    await work.keep(lease.until, step.system_id)
    record = await work.save()
    return Dispatch(record, step, await posting_of(work.unit, record, step), lease)
