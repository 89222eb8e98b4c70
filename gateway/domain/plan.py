"""A plan: what a routed transaction does at the ERPs, step by step, each with what undoes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.domain.identity import Direction, external_reference
from gateway.domain.legs import Leg
from gateway.domain.records import StepRecord

SERVED: Final[Mapping[str, frozenset[str]]] = {
    "change": frozenset({"customers", "products", "orders", "contracts"}),
    "cancel": frozenset({"orders", "contracts"}),
    "reverse": frozenset({"invoices", "payments", "journal_entries"}),
}
"""Which domains can be changed, cancelled, reversed at all. What is in a ledger is never changed, only reversed; what
is agreed on is cancelled; masters are neither."""

CALLED_OFF: Final = SERVED["cancel"] | SERVED["reverse"]
"""Domains whose documents can be cancelled as long as nothing of them was sent: no ERP is asked then."""


UNFINISHED_STEP: Final = frozenset({"dispatched", "not_sent", "unknown"})
"""States of a step of which something is still to be done or found out."""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One posting. `undo` names the operation that takes it back, None where nothing can."""

    transaction_id: str
    step: int
    system_id: str
    operation: str
    undo: str | None

    def reference(self, direction: Direction = "do") -> str:
        """Its external reference at the ERP."""
        return external_reference(self.transaction_id, self.step, direction)


def plan(
    transaction_id: str, domain: str, operation: str, system_id: str, legs: Sequence[Leg] = ()
) -> tuple[PlannedStep, ...]:
    """The steps of a transaction in the order in which they are done: one for each leg, else one."""
    if legs:
        return tuple(
            PlannedStep(transaction_id, leg.step, leg.system_id, operation, undo_of(leg.domain, operation))
            for leg in legs
        )
    return (PlannedStep(transaction_id, 1, system_id, operation, undo_of(domain, operation)),)


def in_hand(steps: Sequence[StepRecord]) -> StepRecord:
    """The step that is being done: the one that has not ended, else the one that was begun last.

    There is never more than one that has not ended: a step is begun in the commit that ends the one before.
    """
    unfinished = [one for one in steps if one.state in UNFINISHED_STEP]
    return unfinished[0] if unfinished else max(steps, key=lambda one: one.dispatched_at)


def still_done(steps: Sequence[StepRecord]) -> list[StepRecord]:
    """What is posted and not taken back, newest first: the order in which it is to be undone."""
    undone = {one.step for one in steps if one.direction == "undo" and one.state == "posted"}
    done = [one for one in steps if one.direction == "do" and one.state == "posted" and one.step not in undone]
    return sorted(done, key=lambda one: one.step, reverse=True)


def undo_of(domain: str, operation: str) -> str | None:
    """The operation that takes this one back, None where nothing can.

    A change is taken back by a change to what the document said before; cancellations and reversals stand. Callers do
    not cancel customers; one that came with an order is called off if nothing comes of that.
    """
    if operation == "create" and domain == "customers":
        return "cancel"
    if operation == "create":
        return next((undo for undo in ("cancel", "reverse") if domain in SERVED[undo]), None)
    return "change" if operation == "change" else None
