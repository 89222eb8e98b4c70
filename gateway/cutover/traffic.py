"""Recorded traffic as a simulation reads it: the `routed` entries of a window, page by page.

A fact that an older schema did not record is undetermined, and so is a bucket that was made of another key than the
candidate's share asks for. Entries hold no external ids, so where an allow-list has a say, roots are named from the
transactions, as far as they were not erased. Nothing but the current page is held.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, DecimalException
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from pydantic_core import from_json

from gateway.cutover.traffic_ports import TrafficReads
from gateway.domain.plan import plan
from gateway.domain.records import ActivationRecord
from gateway.domain.traffic import LedgerPosition, PositionCount, RoutedEntry, TrafficCursor
from gateway.transactions.home import HOME
from routing_rules import FACTS_SCHEMA_VERSION, Facts, FactsInvalid, RecordedDocument, Rulebook
from routing_rules.calendar import PeriodUnknown
from routing_rules.calendars import calendar_of

PAGE: Final = 2_000
"""Entries read at once: few enough to hold, enough that the query costs nothing."""

NOT_RECORDED: Final[Mapping[int, tuple[str, ...]]] = {FACTS_SCHEMA_VERSION: ()}
"""By schema version of recorded facts: what it does not know. A version that is not here cannot be read at all."""

FIRST_ROUTED_SEQ: Final = 2
"""The seq of a `routed` that cannot be a second one: before it is `accepted` alone."""

_MINUTE: Final = 60_000_000


class OpenMoney(NamedTuple):
    """What of a lineage is open now. `customer`: any name that tells customers apart; it is counted, never shown."""

    customer: str
    currency_code: str
    amount: Decimal


class OpenLineages(Protocol):
    """What is open of lineages; those of which nothing is open are left out."""

    async def open_money(self, lineage_ids: Sequence[str]) -> Mapping[str, OpenMoney]: ...


class Activations(Protocol):
    """The rulebooks that were put in force."""

    async def activation(self, activation_number: int) -> ActivationRecord | None: ...


class RecordedTraffic:
    """The window [since, until) (µs since 1970 UTC) as pages of documents.

    `candidate`: whose company codes name the fiscal periods. `activations`: under which of them a share was split by
    what; a root whose bucket was made of something else than the candidate's share asks for has none that would hold.
    """

    def __init__(
        self,
        reads: TrafficReads,
        in_force: Rulebook,
        candidate: Rulebook,
        since: int,
        until: int,
        *,
        activations: Activations | None = None,
        opened: OpenLineages | None = None,
    ) -> None:
        self._reads = reads
        self._governance = candidate.governance
        self._since = since
        self._until = until
        self._split = _shared(in_force) | _shared(candidate) if activations is not None else {}
        self._listed = _with_a_list(in_force) | _with_a_list(candidate)
        self._activations = activations
        self._share_by: dict[int, Mapping[str, str]] = {}
        self._opened = opened
        self._told: set[str] = set()
        self._count = PositionCount()
        self._period_of = lru_cache(maxsize=10_000)(self._period)
        self._calls_of = lru_cache(maxsize=1_000)(_calls)

    @property
    def position(self) -> LedgerPosition:
        """What was read so far."""
        return self._count.position()

    async def pages(self, most: int = PAGE) -> AsyncIterator[list[RecordedDocument]]:
        """The documents in the order in which they were routed, `most` entries a page."""
        page = await self._reads.routed_entries(TrafficCursor(self._since), self._until, most)
        while page:
            last = page[-1]
            after = TrafficCursor(last.at, last.trace, last.seq)
            # The database looks for the next page while this one is replayed.
            following = asyncio.ensure_future(self._reads.routed_entries(after, self._until, most))
            try:
                self._count.add(page)
                yield await self._documents(page)
                page = await following
            finally:
                following.cancel()

    async def _documents(self, page: Sequence[RoutedEntry]) -> list[RecordedDocument]:
        later = [one.trace for one in page if one.seq > FIRST_ROUTED_SEQ]
        first = await self._reads.first_routed(later) if later else {}
        opened = await self._open_of(page)
        bodies: list[dict[str, Any]] = [from_json(one.body) for one in page]
        if self._split:
            await self._learn_splits(bodies)
        named = await self._named(page, bodies)
        return [
            self._document(one, body, opened.get(one.lineage_id or ""), named.get(one.trace))
            for one, body in zip(page, bodies, strict=True)
            # a transaction that was held on its way is routed once more: it counts where it was routed first
            if one.seq == first.get(one.trace, one.seq)
        ]

    async def _learn_splits(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        for number in {_activation_of(body) for body in bodies} - self._share_by.keys():
            known = await self._activations.activation(number) if self._activations is not None else None
            tables: list[dict[str, Any]] = from_json(known.rules)["tables"] if known is not None else []
            self._share_by[number] = {table["domain"]: table["share_by"] for table in tables}

    async def _named(self, page: Sequence[RoutedEntry], bodies: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """The external ids of the roots of which some allow-list may speak."""
        roots = [
            one.trace
            for one, body in zip(page, bodies, strict=True)
            if body.get("pinned") is not True and (body.get("facts") or {}).get("domain") in self._listed
        ]
        return await self._reads.external_ids(roots) if roots else {}

    async def _open_of(self, page: Sequence[RoutedEntry]) -> dict[str, OpenMoney]:
        if self._opened is None:
            return {}
        # Roots come before what follows them, so the first document of a lineage tells what of it is open.
        new = [name for name in dict.fromkeys(one.lineage_id for one in page) if name and name not in self._told]
        found = dict(await self._opened.open_money(new)) if new else {}
        self._told.update(found)
        return found

    def _document(
        self, entry: RoutedEntry, body: Mapping[str, Any], opened: OpenMoney | None, named: str | None
    ) -> RecordedDocument:
        recorded: dict[str, Any] = body.get("facts") or {}
        facts, undetermined = _facts(recorded)
        if named is not None:
            facts = replace(facts, root_external_id=named)
        is_root = body.get("pinned") is not True
        asked = self._split.get(facts.domain)
        if asked is not None and is_root and self._share_by[_activation_of(body)].get(facts.domain) != asked:
            undetermined = ("bucket",)
        system_id: str | None = body.get("systemId")
        day = facts.posting_date
        tells = opened is not None and opened.currency_code == facts.currency
        return RecordedDocument(
            transaction_id=entry.trace,
            lineage_id=entry.lineage_id or entry.trace,
            is_root=is_root,
            facts=facts,
            minute=entry.at // _MINUTE,
            calls=self._calls_of(facts.domain, facts.operation, system_id),
            undetermined=undetermined,
            pinned_system=None if is_root else system_id,
            period=None if day is None else self._period_of(facts.company_code, day),
            customer=opened.customer if opened is not None and tells else None,
            open_amount=opened.amount if opened is not None and tells else None,
        )

    def _period(self, company_code: str | None, day: date) -> str | None:
        calendar = None if company_code is None else calendar_of(self._governance, company_code)
        try:
            return None if calendar is None else calendar.period_of(day).id
        except PeriodUnknown:
            return None


def _shared(rulebook: Rulebook) -> dict[str, str]:
    """What the domains split by in which some row has a share."""
    return {
        domain: table.share_by
        for domain, table in rulebook.tables.items()
        if any(row.outcome.share is not None for row in table.rows)
    }


def _with_a_list(rulebook: Rulebook) -> frozenset[str]:
    """The domains in which some row lists roots that go to the cloud."""
    return frozenset(
        domain for domain, table in rulebook.tables.items() if any(row.outcome.allow for row in table.rows)
    )


def _activation_of(body: Mapping[str, Any]) -> int:
    """Under which activation the entry was written; 0 if it does not say."""
    number = (body.get("rule") or {}).get("activationNumber")
    return number if isinstance(number, int) else 0


def facts_of_entry(body: Mapping[str, Any]) -> tuple[Facts, tuple[str, ...]]:
    """The deciding facts of a `routed` entry, and what of them was not recorded."""
    return _facts(body.get("facts") or {})


def _facts(recorded: Mapping[str, Any]) -> tuple[Facts, tuple[str, ...]]:
    read = recorded.get
    unknown = NOT_RECORDED.get(read("schemaVersion", 0))
    if unknown is None:
        return _readable(recorded), ("schema_version",)
    amount, day = read("amount"), read("postingDate")
    try:
        facts = Facts(
            domain=recorded["domain"],
            operation=recorded["operation"],
            business_unit=read("businessUnit"),
            geography=read("geography"),
            company_code=read("companyCode"),
            document_type=read("documentType"),
            customer_segment=read("customerSegment"),
            amount=None if amount is None else Decimal(amount),
            currency=read("currencyCode"),
            posting_date=None if day is None else date.fromisoformat(day),
            recorded_bucket=read("bucket"),
            recorded_allow_hit=read("allowHit"),
        )
    except (FactsInvalid, KeyError, TypeError, ValueError, DecimalException):
        return _readable(recorded), ("facts",)
    return facts, unknown


def _readable(recorded: Mapping[str, Any]) -> Facts:
    """What of facts of an unknown form can be told all the same: their money."""
    domain, operation, currency = (recorded.get(name) for name in ("domain", "operation", "currencyCode"))
    try:
        amount: Decimal | None = Decimal(str(recorded["amount"]))
        known = Facts(domain="", operation="", amount=amount)
    except (FactsInvalid, KeyError, DecimalException):
        known = Facts(domain="", operation="")
    return Facts(
        domain=domain if isinstance(domain, str) else "",
        operation=operation if isinstance(operation, str) else "",
        amount=known.amount,
        currency=currency if isinstance(currency, str) else None,
    )


def _calls(domain: str, operation: str, system_id: str | None) -> int:
    """Calls to the ERP that the plan makes; none where the gateway keeps the document itself."""
    return 0 if system_id in {None, HOME} else len(plan("", domain, operation, system_id or ""))
