"""Questions about the ledger, put to a running gateway, or to the record of a data directory itself.

A gateway records that it was asked, and by whom. Whoever reads the record itself needs no gateway, and none tells.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import typer

from gateway.api.ledger_entries import GROUPS
from gateway.api.ledger_filters import FILTER, AsOf, as_of, asked_of
from gateway.api.ledger_parts import LedgerParts
from gateway.api.limits import Limits
from gateway.api.query import Query, read_query
from gateway.api.visibility import Visibility
from gateway.cli.console import Failure, complain, settings_of
from gateway.domain.entry_filter import EntryFilter
from gateway.domain.queries import Visible
from gateway.errors import Problem
from gateway.ledger.access_log import AccessLog
from gateway.ledger.entry_pages import Asked, read_page
from gateway.ledger.entry_sums import sum_up
from gateway.ledger.entry_wire import entries_of
from gateway.ledger.exports import Export, Form
from gateway.store.store import Store
from gateway.wiring.ledger import log_origin
from gateway.wiring.tools import open_tools
from routing_rules import Rulebook
from routing_rules.canonical_text import rulebook_from_canonical

_LONG_S: Final = 30.0
"""A person waits for a command: a page may take longer than one of the API."""
EVERYTHING: Final = Visible()

ConditionsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME=VALUE]...", help="What must hold, such as kind=posted slice=orders.Western.US"),
]


def conditions(words: Sequence[str] | None) -> dict[str, str]:
    """`name=value` words as the API's query parameters. Raises Failure."""
    found: dict[str, str] = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not value or name in found:
            raise Failure(f"{word!r} is not name=value, or comes twice; such as kind=posted,rejected", 2)
        found[name] = value
    return found


@dataclass(frozen=True, slots=True)
class Record:
    """The record of a data directory as questions see it."""

    store: Store
    ledger: LedgerParts
    visibility: Visibility

    @classmethod
    async def of(cls, store: Store, data: Path) -> Record:
        """Raises Failure where nothing is in force, so that there is nothing to be asked about."""
        tools = open_tools(data, settings_of(data).name)
        newest = await store.reads.activations(1, None)
        if not newest:
            raise Failure(f"nothing was ever in force in {data}: start the gateway once")
        rulebook: Rulebook = rulebook_from_canonical(newest[0].rules, newest[0].governance)
        ledger = LedgerParts(store.ledger, AccessLog(store, tools), log_origin(settings_of(data)))
        return cls(store, ledger, Visibility(lambda: rulebook))

    async def asked(self, query: Mapping[str, str]) -> tuple[Asked, AsOf]:
        """The question that the conditions make. Raises Failure for those that make none."""
        try:
            checked: Query = read_query(urlencode(query).encode(), FILTER, Limits())
            then = await as_of(self.ledger, checked)
            asked = await asked_of(self.store.reads, self.ledger, self.visibility, EVERYTHING, checked, then.log_size)
        except Problem as refused:
            remedies = "".join(f"\n  {one.field}: {one.remedy}" for one in refused.errors)
            raise Failure(f"{refused.detail} {refused.remedy}{remedies}", 2) from refused
        waiting = await self.store.ledger.log_size() - await self.store.ledger.indexed_size()
        if waiting:
            complain(f"{waiting} entries are not in the index yet: a running gateway puts them there within seconds")
        return asked, then

    async def entries(self, query: Mapping[str, str], limit: int) -> list[dict[str, Any]]:
        """The first so many."""
        asked, _ = await self.asked(query)
        return await self._first(asked, limit)

    async def entries_of_traces(self, traces: Sequence[str]) -> list[dict[str, Any]]:
        """All entries of these that are in the index, in order."""
        where = EntryFilter(trace=frozenset(traces))
        return await self._first(Asked(where=where, end=await self.store.ledger.indexed_size()), 10_000)

    async def sums(self, query: Mapping[str, str], group_by: Sequence[str]) -> list[dict[str, Any]]:
        """Groups as the API shows them."""
        asked, _ = await self.asked(query)
        return [
            {
                "key": dict(zip(group_by, one.key, strict=True)),
                "entryCount": one.entries,
                "sums": [
                    {"kind": s.kind, "currencyCode": s.currency_code, "amount": format(s.amount, "f"),
                     "entryCount": s.entries}
                    for s in one.sums
                ],
            }
            for one in await sum_up(self.store.ledger, asked, [GROUPS[name] for name in group_by])
        ]  # fmt: skip

    async def export(self, query: Mapping[str, str], form: Form) -> AsyncIterator[bytes]:
        """The parts of an export, its last line too."""
        asked, _ = await self.asked(query)
        export = Export(self.store.ledger, asked, form, "none: not asked of a gateway")
        async for part in export.parts():
            yield part
        yield export.last_line()

    async def _first(self, asked: Asked, limit: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: int | None = -1
        while after is not None and len(found) < limit:
            page = await read_page(self.store.ledger, asked, after, min(limit - len(found), 500), _LONG_S)
            found += await entries_of(self.store.ledger, page.rows)
            after = page.next_after
        return found
