"""What the state says otherwise than the entries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject`: the id of a transaction, document, lineage or question; an activation by its number. `what`: the field
    or row. `told`: what entries say."""

    subject: str
    what: str
    stored: object
    told: object

    def __str__(self) -> str:
        return f"{self.subject}: {self.what} is {_said(self.stored)}, and the ledger tells {_said(self.told)}"


def _said(value: object) -> str:
    return "nothing" if value is None else str(value)
