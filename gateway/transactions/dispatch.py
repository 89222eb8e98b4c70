"""The step from 'decided' to 'on the wire': what is committed before the first byte leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from adapters.canonical import MASTER_DOMAINS
from adapters.port import Posting
from gateway.domain.entries import EntryKind
from gateway.domain.identity import Direction
from gateway.domain.legs import planned, with_step
from gateway.domain.plan import plan
from gateway.domain.records import PinRecord, StepRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.errors import GatewayError
from gateway.transactions.home import HOME
from gateway.transactions.journal import Journal
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.ports import Clock, WriteUnit
from gateway.transactions.target import Ready


class LeaseLost(GatewayError):
    """Somebody else may be working on this transaction: stop, append nothing, send nothing."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a transaction until `until` (µs). It fences the database by `epoch`, the wire by time."""

    epoch: int
    until: int

    @classmethod
    def take(cls, parts: LineParts, system_id: str, epoch: int) -> Lease:
        """A lease that covers one call to that system, with a margin; none is needed where nothing is called."""
        length = 0 if system_id == HOME else lease_length(parts, system_id)
        return cls(epoch, parts.tools.clock.now() + length)


def lease_length(parts: LineParts, system_id: str) -> int:
    """How long a lease must be (µs) to cover one call to that system, and what its driver does and how long a process
    may stall before it."""
    policy = parts.systems[system_id].policy
    return int((policy.preparation_s + policy.call_limit_s + parts.limits.lease_margin_s) * SECOND)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A posting that is committed to be sent now, by this process, under this lease. `proven`: an inquiry just now
    found nothing of it."""

    record: TransactionRecord
    step: StepRecord
    posting: Posting
    lease: Lease
    proven: bool = False

    def permit(self, clock: Clock, call_limit_s: float) -> None:
        """Raise `LeaseLost` unless the whole call fits into what is left of the lease.

        Checked right before the first byte: a process that was frozen after its commit must not send once somebody
        else may have taken over.
        """
        if clock.now() + int(call_limit_s * SECOND) > self.lease.until:
            raise LeaseLost(f"the lease of {self.record.transaction_id} does not cover a call any more")


async def begin_dispatch(unit: WriteUnit, parts: LineParts, journal: Journal, ready: Ready, lease: Lease) -> StepRecord:
    """Routed, pinned and dispatched. The caller writes the record, inserts the step, and flushes the journal."""
    target = ready.target
    record = journal.record
    if ready.legs:
        _route_legs(journal, ready)
        step = _first_step(parts, journal.record, ready, lease)
        journal.change(legs=with_step(journal.record.legs or "", step, record.posting_date))
        journal.move(Status.DISPATCHED, dispatched_members(step))
        return step
    told = target.tell()
    journal.move(
        Status.ROUTED,
        told,
        system_id=target.system_id,
        side=target.side,
        stage=target.stage,
        table_version=target.table_version,
        rule_row=target.rule_row,
        activation_number=target.activation_number,
        pinned=target.pinned,
        explanation=str(told["explanation"]),
    )
    if not target.pinned and record.domain not in MASTER_DOMAINS:
        await _pin(unit, parts, journal)
    step = _first_step(parts, record, ready, lease)
    journal.move(Status.DISPATCHED, dispatched_members(step))
    return step


def _first_step(parts: LineParts, record: TransactionRecord, ready: Ready, lease: Lease) -> StepRecord:
    legs = [one.leg for one in ready.legs]
    first = plan(record.transaction_id, record.domain, record.operation, ready.target.system_id, legs)[0]
    return first_attempt(parts, record.transaction_id, first.step, first.system_id, first.reference(), lease)


def _route_legs(journal: Journal, ready: Ready) -> None:
    """Each leg is routed and pinned by itself; what they belong to has neither a system nor a pin."""
    for one in ready.legs:
        leg = one.leg
        members = {**one.target.tell(), **leg.entry_members}
        if leg.step == 1:
            journal.move(Status.ROUTED, members, legs=planned(part.leg for part in ready.legs))
        else:
            journal.note(EntryKind.ROUTED, members)
    for one in ready.legs:
        if not one.leg.pinned:
            members = {"systemId": one.leg.system_id, "lineageId": journal.record.lineage_id, "step": one.leg.step}
            journal.act(EntryKind.PINNED, members)


def first_attempt(
    parts: LineParts,
    transaction_id: str,
    step: int,
    system_id: str,
    external_reference: str,
    lease: Lease,
    direction: Direction = "do",
    posting_date: str | None = None,
) -> StepRecord:
    """A step that is to be sent now by this process under this lease."""
    return StepRecord(
        transaction_id=transaction_id,
        step=step,
        direction=direction,
        system_id=system_id,
        external_reference=external_reference,
        state="dispatched",
        attempt=1,
        epoch=lease.epoch,
        process_id=parts.tools.process_id,
        dispatched_at=parts.tools.clock.now(),
        posting_date=posting_date,
    )


def next_attempt(parts: LineParts, step: StepRecord, lease: Lease) -> StepRecord:
    """The same step, to be sent once more by this process under this lease; its reference stays. Why an attempt before
    it was refused says nothing of this one."""
    return replace(
        step,
        state="dispatched",
        attempt=step.attempt + 1,
        epoch=lease.epoch,
        process_id=parts.tools.process_id,
        dispatched_at=parts.tools.clock.now(),
        closed_at=None,
        inquiries=0,
        inquired_at=None,
        problem=None,
    )


def dispatched_members(step: StepRecord) -> Mapping[str, object]:
    """Wire members of a `dispatched` entry."""
    return {
        **step_members(step),
        "epoch": step.epoch,
        "erp": {"reference": step.external_reference},
    }


def step_members(step: StepRecord) -> Mapping[str, object]:
    """Wire members by which an entry says of which attempt at which step it speaks."""
    members = {"systemId": step.system_id, "step": step.step, "attempt": step.attempt}
    return members if step.direction == "do" else {**members, "direction": step.direction}


async def _pin(unit: WriteUnit, parts: LineParts, journal: Journal) -> None:
    """Pin the lineage with its root's `routed`. One pin a lineage: who finds another one there must follow it."""
    record = journal.record
    wanted = PinRecord(
        lineage_id=record.lineage_id,
        system_id=record.system_id or "",
        side=record.side or "",
        stage=record.stage or "",
        rule_row=record.rule_row,
        table_version=record.table_version,
        activation_number=record.activation_number,
        pinned_at=parts.tools.clock.now(),
    )
    standing = await unit.insert_pin(wanted)
    if standing.system_id != wanted.system_id:
        raise PinMoved(f"lineage {record.lineage_id} was pinned to {standing.system_id} meanwhile")
    journal.act(EntryKind.PINNED, {"systemId": record.system_id, "lineageId": record.lineage_id})


class PinMoved(GatewayError):
    """Another root of the lineage was routed at the same time; the unit must be run again and follow that pin."""
