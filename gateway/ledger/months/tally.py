"""What is counted and summed of a month's entries: when it is written, and again when it is checked."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.domain.months import Month
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.lines import base64_text
from gateway.ledger.months.lines import FORMAT, ArchivedEntry


class MonthTally:
    """Entries one after the other, in the order of trace and seq."""

    def __init__(self) -> None:
        self.entries = 0
        self.traces = 0
        self.first = -1
        self.last = -1
        self._trace = ""
        self._kinds: Counter[str] = Counter()
        self._amounts: dict[tuple[str, str], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))

    def add(self, entry: ArchivedEntry, told: dict[str, Any]) -> None:
        """Count an entry. `told`: what its bytes say."""
        self.traces += entry.trace != self._trace
        self._trace = entry.trace
        self.entries += 1
        self.first = entry.log_index if self.first < 0 else min(self.first, entry.log_index)
        self.last = max(self.last, entry.log_index)
        kind = str(told.get("kind"))
        self._kinds[kind] += 1
        found = _amount(told.get("confirmed")) or _amount(told.get("facts"))
        if found is not None:
            count, total = self._amounts[kind, found[0]]
            self._amounts[kind, found[0]] = (count + 1, total + found[1])

    def told(self, month: Month, checkpoint: Checkpoint, parts: int) -> dict[str, Any]:
        """The content of `archive.json`. An amount is what the ERP confirmed, else what decided."""
        return {
            "format": FORMAT,
            "month": str(month),
            "origin": checkpoint.origin,
            "logSize": checkpoint.size,
            "rootHash": base64_text(checkpoint.root),
            "entries": self.entries,
            "traces": self.traces,
            "firstIndex": self.first,
            "lastIndex": self.last,
            "parts": parts,
            "kinds": dict(sorted(self._kinds.items())),
            "amounts": [
                {"kind": kind, "currencyCode": currency, "entries": count, "sum": format(total, "f")}
                for (kind, currency), (count, total) in sorted(self._amounts.items())
            ],
        }


def _amount(members: object) -> tuple[str, Decimal] | None:
    if not isinstance(members, dict):
        return None
    amount, currency = members.get("amount"), members.get("currencyCode")
    if not isinstance(amount, str) or not isinstance(currency, str):
        return None
    try:
        exact = Decimal(amount)
    except InvalidOperation:
        return None
    return (currency, exact) if exact.is_finite() else None
