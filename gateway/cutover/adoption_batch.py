"""A batch of lineages to be adopted, as it is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

MOST_LINES: Final = 1_000
"""Lineages of one batch: each is two questions to ERPs and a commit."""


@dataclass(frozen=True, slots=True)
class WantedLine:
    """A lineage, and the number that its open document has in the new system."""

    lineage_id: str
    document_type: str
    document_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedBatch:
    """What is asked for. `control_count`, `control_totals`: lineages and open remainders by currency, as counted in
    the old system; the gateway's own count must say the same."""

    from_system_id: str
    to_system_id: str
    effective_on: date
    control_count: int
    control_totals: Mapping[str, Decimal]
    lines: Sequence[WantedLine]
    idempotency_key: str


def content_of(batch: WantedBatch) -> bytes:
    """What tells whether a repeat asks for the same."""
    told = {
        "from": batch.from_system_id,
        "to": batch.to_system_id,
        "on": batch.effective_on.isoformat(),
        "count": batch.control_count,
        "totals": amounts_of(batch.control_totals),
        "lines": [[one.lineage_id, one.document_type, one.document_number] for one in batch.lines],
    }
    return json.dumps(told, sort_keys=True).encode()


def amounts_of(totals: Mapping[str, Decimal]) -> list[dict[str, str]]:
    """Money by currency, in wire words."""
    return [{"currencyCode": code, "amount": format(amount, "f")} for code, amount in sorted(totals.items())]


def told(totals: Mapping[str, Decimal]) -> str:
    """The same for people."""
    return ", ".join(f"{amount:f} {code}" for code, amount in sorted(totals.items())) or "nothing"
