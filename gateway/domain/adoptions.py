"""Adopted lineages: the record of a migration that was done elsewhere, batch by batch and line by line.

Times are whole microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AdoptionState = Literal["requested", "approved"]
LineState = Literal["requested", "adopted", "refused"]


@dataclass(frozen=True, slots=True)
class AdoptionRecord:
    """One batch. `effective_on`: ISO date from which the new numbers are what the documents are called.

    `control_count`, `control_totals`: how many lineages the batch shall move and their open remainders by currency
    (JSON text, sorted), as whoever asked for it counted them in the old system. `entry_count`: its ledger entries.
    """

    adoption_id: str
    state: AdoptionState
    from_system_id: str
    to_system_id: str
    effective_on: str
    control_count: int
    control_totals: str
    content_hash: str
    idempotency_key: str
    requested_at: int
    requested_by: str
    requested_person: str
    approved_at: int | None = None
    approved_by: str | None = None
    approved_person: str | None = None
    entry_count: int = 0


@dataclass(frozen=True, slots=True)
class AdoptionLineRecord:
    """A lineage and the number that its one open document has in the new system. `reason`: why it was refused."""

    adoption_id: str
    line: int
    lineage_id: str
    document_type: str
    document_number: str
    state: LineState = "requested"
    reason: str | None = None
    settled_at: int | None = None
