"""A plan: what a routed transaction does at the ERPs, step by step, each with what undoes it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.domain.identity import Direction, external_reference


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
    """The steps of a transaction in the order in which they are done. A plain create is one step."""
    undo = "reverse" if domain in {"invoices", "payments"} else None
    return (PlannedStep(transaction_id, 1, system_id, operation, undo),)
