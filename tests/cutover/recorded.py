"""Recorded `routed` entries for the tests of what is read back from the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.records import EntryRecord
from gateway.store.store import Store

NOON = int(datetime(2026, 3, 31, 12, tzinfo=UTC).timestamp()) * 1_000_000
MINUTE = 60_000_000
DAY = 86_400_000_000


def routed(number: int, lineage: str | None = None, *, seq: int = 2, **changes: Any) -> EntryRecord:
    """A root over 100 EUR of the unit A1 in DE that went to `old`, a minute after the one before it; members of the
    entry and of its facts (snake_case or wire words) may be changed."""
    facts: dict[str, Any] = {
        "schemaVersion": 1,
        "domain": "orders",
        "operation": "create",
        "businessUnit": "A1",
        "geography": "DE",
        "companyCode": "C1",
        "amount": "100.00",
        "currencyCode": "EUR",
        "postingDate": "2026-03-31",
        "bucket": 4_000,
        "allowHit": False,
    }
    members: dict[str, Any] = {
        "systemId": "old",
        "stage": "legacy",
        "rule": {"row": "base", "activationNumber": 1},
        "pinned": False,
    }
    facts |= {name: value for name, value in changes.items() if name not in {"at", *members}}
    members |= {name: value for name, value in changes.items() if name in members}
    return ledger_entry(
        EntryKind.ROUTED,
        trace=f"txn_{number:026d}",
        seq=seq,
        at=changes.get("at", NOON + number * MINUTE),
        actor="billing",
        lineage=lineage or f"lin_{number}",
        members=members | {"facts": {name: value for name, value in facts.items() if value is not None}},
    )


async def record(store: Store, *entries: EntryRecord) -> None:
    """Write them."""
    await store.write(lambda unit: unit.insert_entries(entries))
