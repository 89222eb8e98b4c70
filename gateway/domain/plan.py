"""A plan: what a routed transaction does at the ERPs, step by step, each with what undoes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.domain.identity import Direction, external_reference

SERVED: Final[Mapping[str, frozenset[str]]] = {
    "change": frozenset({"customers", "products", "orders", "contracts"}),
    "cancel": frozenset({"orders", "contracts"}),
    "reverse": frozenset({"invoices", "payments", "journal_entries"}),
}
"""Which domains can be changed, cancelled, reversed at all. What is in a ledger is never changed, only reversed; what
is agreed on is cancelled; masters are neither."""

CALLED_OFF: Final = SERVED["cancel"] | SERVED["reverse"]
"""Domains whose documents can be cancelled as long as nothing of them was sent: no ERP is asked then."""


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


def plan(transaction_id: str, domain: str, operation: str, system_id: str) -> tuple[PlannedStep, ...]:
    """The steps of a transaction in the order in which they are done. Each operation on one system is one step."""
    return (PlannedStep(transaction_id, 1, system_id, operation, undo_of(domain, operation)),)


def undo_of(domain: str, operation: str) -> str | None:
    """The operation that takes this one back, None where nothing can.

    A change is taken back by a change to what the document said before; cancellations and reversals stand.
    """
    if operation == "create":
        return next((undo for undo in ("cancel", "reverse") if domain in SERVED[undo]), None)
    return "change" if operation == "change" else None
