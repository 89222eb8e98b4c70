"""A batch of lineages to be adopted, as it is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from gateway.cutover.adoption_ports import AdoptionUnit
from gateway.domain.adoptions import AdoptionLineRecord
from gateway.errors import Problem

MOST_LINES: Final = 1_000
"""Lineages of one batch: each is two questions to ERPs and a commit."""

MOST_BACK_DAYS: Final = 31
"""How far the effective day may lie back: a period at most, for the books before it are closed."""


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


def check_day(batch: WantedBatch, now: int) -> None:
    """Raises Problem `invalid-document` where the effective day is long past. `now`: µs since 1970 UTC."""
    today = datetime.fromtimestamp(now // 1_000_000, UTC).date()
    if batch.effective_on < today - timedelta(days=MOST_BACK_DAYS):
        raise Problem(
            "invalid-document",
            f"effectiveOn: {batch.effective_on} lies more than {MOST_BACK_DAYS} days back",
            remedy="name the day on which the open items are moved; what was posted before it stays where it is",
        )


async def refuse_waiting(unit: AdoptionUnit, lines: Sequence[AdoptionLineRecord]) -> None:
    """Raises Problem `policy-check-failed` for a lineage that waits in another batch: both would be counted."""
    for line in lines:
        other = await unit.waiting_adoption(line.lineage_id)
        if other is not None:
            raise Problem(
                "policy-check-failed",
                f"line {line.line}, lineage {line.lineage_id}: it waits in {other.adoption_id} already",
                remedy="have that batch approved; what it refuses can be asked for anew",
                extra={"adoptionId": other.adoption_id},
            )
