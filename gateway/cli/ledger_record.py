"""Questions about the ledger, put to the record of a data directory itself.

A gateway records that it was asked, and by whom. Whoever reads the record itself needs no gateway, and none tells. The
commands import this when no gateway is asked.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from gateway.api.ledger_filters import FILTER, AsOf, as_of, asked_of
from gateway.api.ledger_parts import LedgerParts
from gateway.api.ledger_views import ASKED, viewed
from gateway.api.limits import Limits
from gateway.api.query import Query, read_query
from gateway.api.visibility import Visibility
from gateway.cli.console import Failure, complain, settings_of
from gateway.cli.record import reading
from gateway.cli.refusals import refused_words
from gateway.domain.document_names import NamedBy
from gateway.domain.entry_groups import GROUPS
from gateway.domain.named_question import NamedQuestion
from gateway.domain.operational_views import View
from gateway.domain.queries import Visible
from gateway.errors import Problem
from gateway.ledger.access_log import AccessLog
from gateway.ledger.archived_months import archived_months_of
from gateway.ledger.entry_pages import Asked, read_page
from gateway.ledger.entry_sums import sum_up
from gateway.ledger.entry_wire import entries_of
from gateway.ledger.exports import Export, Form
from gateway.ledger.named_questions import QUESTIONS
from gateway.store.store import Store
from gateway.wiring.ledger_files import log_origin
from gateway.wiring.tools import open_tools
from routing_rules import Rulebook
from routing_rules.canonical_text import rulebook_from_canonical

_LONG_S: Final = 30.0
"""A person waits for a command: a page may take longer than one of the API."""
EVERYTHING: Final = Visible()


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
            raise Failure(refused_words(refused), 2) from refused
        waiting = await self.store.ledger.log_size() - await self.store.ledger.indexed_size()
        if waiting:
            complain(f"{waiting} entries are not in the index yet: a running gateway puts them there within seconds")
        return asked, then

    async def entries(self, query: Mapping[str, str], limit: int) -> list[dict[str, Any]]:
        """The first so many."""
        asked, _ = await self.asked(query)
        return await self._first(asked, limit)

    async def sums(self, query: Mapping[str, str], group_by: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
        """Groups as the API shows them, and the months whose entries are in archives."""
        asked, _ = await self.asked(query)
        groups = [
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
        return groups, [str(one) for one in await archived_months_of(self.store.ledger, asked)]

    async def export(self, query: Mapping[str, str], form: Form) -> AsyncIterator[bytes]:
        """The parts of an export, its last line too."""
        asked, then = await self.asked(query)
        export = Export(self.store.ledger, asked, form, "none: not asked of a gateway", then.wire()["knownAt"])
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


def entries(data: Path, query: Mapping[str, str], limit: int) -> list[dict[str, Any]]:
    """The first so many that match."""

    async def ask(store: Store) -> list[dict[str, Any]]:
        return await (await Record.of(store, data)).entries(query, limit)

    return reading(data, ask)


def sums(data: Path, query: Mapping[str, str], group_by: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Groups as the API shows them, and the months whose entries are in archives."""

    async def ask(store: Store) -> tuple[list[dict[str, Any]], list[str]]:
        return await (await Record.of(store, data)).sums(query, group_by)

    return reading(data, ask)


def export(data: Path, query: Mapping[str, str], form: Form) -> None:
    """Onto stdout, as bytes."""

    async def ask(store: Store) -> None:
        async for part in (await Record.of(store, data)).export(query, form):
            sys.stdout.buffer.write(part)

    reading(data, ask)
    sys.stdout.buffer.flush()


def view(data: Path, which: View, asked: Mapping[str, str], *, rows_only: bool) -> dict[str, Any]:
    """A view as the API shows it. Raises Failure for conditions that make none."""

    async def ask(store: Store) -> dict[str, Any]:
        record = await Record.of(store, data)
        try:
            query = read_query(urlencode(asked).encode(), ASKED, Limits())
            return await viewed(record.ledger, record.visibility, EVERYTHING, which, query, rows_only=rows_only)
        except Problem as refused:
            raise Failure(refused_words(refused), 2) from refused

    return reading(data, ask)


def answer(data: Path, question: NamedQuestion, where: NamedBy) -> dict[str, Any]:
    """What one question about one document is answered with. Raises Failure for a name of nothing."""

    async def put(store: Store) -> dict[str, Any] | None:
        return await QUESTIONS[question](store.ledger, where, EVERYTHING)

    found = reading(data, put)
    if found is None:
        raise Failure(f"nothing is known as {where.name}")
    return found
