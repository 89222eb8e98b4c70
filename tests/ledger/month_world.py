"""Transactions of several months in one log, as their ids tell."""

from __future__ import annotations

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.identity import crockford
from gateway.domain.months import Month
from gateway.domain.records import EntryRecord
from gateway.ledger.note_keys import SigningKey
from tests.ledger.live import Live
from tests.ledger.logs import ORIGIN

MAY, JUNE, JULY = Month(2026, 5), Month(2026, 6), Month(2026, 7)
EVIDENCE = SigningKey(f"{ORIGIN}/evidence", b"e" * 32)


def trace_at(micros: int, number: int = 0) -> str:
    """The id of a transaction that was accepted then."""
    return f"txn_{crockford((micros // 1_000 << 80) | number, 26)}"


def trace_of(month: Month, number: int) -> str:
    return trace_at(month.first_at + number * 1_000_000, number)


def entry_of(trace: str, seq: int, kind: EntryKind = EntryKind.ACCEPTED, **members: object) -> EntryRecord:
    at = 1_770_000_000_000_000 + seq
    return ledger_entry(kind, trace=trace, seq=seq, at=at, actor="a", lineage="lin_1", members=members)


def lived(trace: str) -> list[EntryRecord]:
    """A transaction from its beginning to its end."""
    facts = {"facts": {"amount": "10.10", "currencyCode": "EUR"}}
    confirmed = {"confirmed": {"amount": "10.10", "currencyCode": "EUR"}}
    return [
        entry_of(trace, 1),
        entry_of(trace, 2, EntryKind.ROUTED, **facts),
        entry_of(trace, 3, EntryKind.POSTED, **confirmed),
    ]


async def grow(log: Live, months: dict[Month, int]) -> None:
    """So many transactions of each month, whose entries are in the log in turns, with entries of other traces between
    them."""
    lives = {month: [lived(trace_of(month, number)) for number in range(count)] for month, count in months.items()}
    for step in range(3):
        for number in range(max(months.values())):
            batch = [lives[month][number][step] for month in months if number < months[month]]
            await log.commit(*batch, entry_of(f"qry_{step}_{number}", 1, EntryKind.QUERIED))
        await log.settle()
