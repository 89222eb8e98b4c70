"""The population of a sample, read out of the record: which transactions it has, and what they moved."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gateway.domain.months import Month
from gateway.domain.queries import Visible
from gateway.errors import Problem
from gateway.ledger.entry_pages import MOST_WIDTH, Asked, Width, windows
from gateway.ledger.evidence.subjects import Population
from gateway.store.ledger_reads import LedgerReads
from gateway.store.log_reads import EntriesMissing, PlacedEntry

MOST: Final = 200_000
"""Transactions of a population: some seconds of reading."""
LONGEST_S: Final = 25.0
"""A population that takes longer to read is refused; a narrower one is not."""

_BEARS: Final = {"routed": "facts", "posted": "confirmed"}


@dataclass(frozen=True, slots=True)
class MoneySum:
    """What entries of one kind bear in one currency."""

    kind: str
    currency_code: str
    amount: Decimal
    entries: int

    def words(self) -> dict[str, Any]:
        """As the pack says it."""
        return {
            "kind": self.kind,
            "currencyCode": self.currency_code,
            "amount": format(self.amount, "f"),
            "entryCount": self.entries,
        }


@dataclass(frozen=True, slots=True)
class PopulationRead:
    """`traces`: by the place of the entry `accepted`, ascending. `sums`: what all entries `routed` and `posted` of
    these transactions bear; the two are never added, and what was routed twice is there twice."""

    traces: Mapping[int, str]
    sums: Sequence[MoneySum]


async def read_population(reads: LedgerReads, wanted: Population, visible: Visible, end: int) -> PopulationRead:
    """The population among the first `end` entries of the log. Raises Problem `invalid-request` for one too large,
    and for one that has archived transactions: their facts and amounts cannot be read here, nor their entries drawn."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_S
    traces: dict[int, str] = {}
    totals: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    where = wanted.of_accepted()
    gone = await reads.months_taken_out()
    async for ranges in windows(reads, Asked(where=where, end=end, visible=visible), 0, Width(MOST_WIDTH)):
        begun = await reads.begun(where, visible, ranges)
        _refuse_archived([one.trace for one in begun], gone)
        entries = await reads.money_entries([one.trace for one in begun], end)
        kept, sums = await asyncio.to_thread(_part, wanted, {one.trace: one.log_index for one in begun}, entries)
        traces |= kept
        for key, amounts in sums.items():
            totals[key] += amounts
        if len(traces) > MOST:
            raise _too_large(f"it has more than {MOST:,} transactions")
        if loop.time() > until:
            raise _too_large(f"it takes longer than {LONGEST_S:g} s to read")
    if await reads.months_taken_out() != gone:
        raise Problem("not-ready", "A month was taken out of the ledger meanwhile.", retry_after_s=2)
    sums_of = [
        MoneySum(kind, code, sum(found, Decimal(0)), len(found)) for (kind, code), found in sorted(totals.items())
    ]
    return PopulationRead(dict(sorted(traces.items())), sums_of)


def _part(
    wanted: Population, begun: Mapping[str, int], entries: Iterable[PlacedEntry]
) -> tuple[dict[int, str], dict[tuple[str, str], list[Decimal]]]:
    facts: dict[str, Mapping[str, Any]] = {}
    borne: dict[str, list[tuple[tuple[str, str], Decimal]]] = defaultdict(list)
    for one in entries:
        if one.body is None:
            raise EntriesMissing(f"entry {one.log_index} of the log is gone ({one.seq} of {one.trace})")
        body = json.loads(one.body)
        if body["kind"] == "routed":
            facts.setdefault(one.trace, body.get("facts") or {})
        money = amount_of(body)
        if money is not None:
            borne[one.trace].append(((body["kind"], money[0]), money[1]))
    kept = {
        index: trace
        for trace, index in begun.items()
        if not wanted.asks_for_facts or (trace in facts and wanted.wants(facts[trace]))
    }
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for trace in kept.values():
        for key, amount in borne[trace]:
            sums[key].append(amount)
    return kept, sums


def _refuse_archived(traces: Iterable[str], gone: Collection[Month]) -> None:
    months = {month for month in map(Month.of_trace, traces if gone else ()) if month is not None and month in gone}
    if months:
        raise Problem(
            "invalid-request",
            f"The population has transactions whose entries are archived: of {', '.join(map(str, sorted(months)))}.",
            remedy="Draw of another period, or have these months attached again.",
        )


def amount_of(body: Mapping[str, Any]) -> tuple[str, Decimal] | None:
    """Currency and amount that an entry `routed` or `posted` bears."""
    money = body.get(_BEARS.get(body["kind"], "")) or {}
    amount, currency_code = money.get("amount"), money.get("currencyCode")
    if not isinstance(amount, str) or not isinstance(currency_code, str):
        return None
    try:
        return currency_code, Decimal(amount)
    except InvalidOperation:
        return None


def _too_large(why: str) -> Problem:
    return Problem(
        "invalid-request", f"The population is too large: {why}.", remedy="Narrow it, by time or domain for example."
    )
