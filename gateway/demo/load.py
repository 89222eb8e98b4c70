"""The demo's load: Salesforce sends customers, products and orders, billing sends invoices and payments, over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import httpx

from adapters.canonical import CanonicalDocument
from gateway.demo.client import ANSWER_LIMIT_S, Caller, Outcome
from gateway.demo.northwind import BILLING, SALESFORCE, Lineage, Northwind

ORDER_OF_DOMAINS: Final = ("customers", "products", "orders", "invoices", "payments")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """Where to, and how. `tokens` by client; `in_flight` requests at once; `limit_s` for all of it, in seconds.

    `key_prefix` begins every idempotency key. The same prefix again repeats the same requests; another one sends
    the same documents, by their external ids, as new requests. Neither may post anything again.
    """

    base_url: str
    tokens: Mapping[str, str] = field(repr=False)
    in_flight: int = 16
    limit_s: float = 1_200.0
    key_prefix: str = "demo"


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of every document; `seconds` for all of it."""

    outcomes: Sequence[Outcome]
    seconds: float

    @property
    def failures(self) -> list[Outcome]:
        """What was not posted."""
        return [outcome for outcome in self.outcomes if not outcome.posted]

    @property
    def references(self) -> dict[str, str]:
        """The external reference that each posted transaction was answered with, by transaction id."""
        posted = [outcome.body for outcome in self.outcomes if outcome.posted]
        return {str(body["transactionId"]): str(body["erpReference"]) for body in posted if body.get("erpReference")}


async def load(northwind: Northwind, options: LoadOptions, progress: Callable[[Outcome], None]) -> LoadReport:
    """Send everything: masters first, then lineage by lineage, each parent answered before its child is sent.

    A document in flight is no obstacle: the gateway lets its child wait. `progress` is called at each document's end.
    Raises `OutOfTime`.
    """
    begun = time.monotonic()
    limits = httpx.Limits(max_connections=options.in_flight, max_keepalive_connections=options.in_flight)
    outcomes: list[Outcome] = []

    def note(outcome: Outcome) -> None:
        outcomes.append(outcome)
        progress(outcome)

    async with httpx.AsyncClient(
        base_url=options.base_url, limits=limits, timeout=ANSWER_LIMIT_S, trust_env=False
    ) as http:
        ends_at = begun + options.limit_s
        callers = {
            client: Caller(http, token, key_prefix=f"{options.key_prefix}:{client}", ends_at=ends_at)
            for client, token in options.tokens.items()
        }
        everybody: tuple[Sequence[CanonicalDocument], ...] = (northwind.customers, northwind.products)
        for masters in everybody:
            await _each(masters, options.in_flight, lambda one: _one(callers[SALESFORCE], one, note))
        await _each(northwind.lineages, options.in_flight, lambda one: _lineage(callers, one, note))
    return LoadReport(outcomes, time.monotonic() - begun)


async def _one(caller: Caller, document: CanonicalDocument, note: Callable[[Outcome], None]) -> None:
    note(await caller.settle(await caller.send(document)))


async def _lineage(callers: Mapping[str, Caller], lineage: Lineage, note: Callable[[Outcome], None]) -> None:
    """Order, invoice, payment: each is sent when the one before is answered, and all are followed to their end."""
    sent: list[tuple[Caller, Outcome]] = []
    refused = False
    for client, document in (
        (SALESFORCE, lineage.order),
        (BILLING, lineage.invoice),
        (BILLING, lineage.payment),
    ):
        if document is None:
            continue
        if refused:
            note(Outcome(document.domain, str(document.external_id), "not_sent"))
            continue
        outcome = await callers[client].send(document)
        refused = outcome.status == "refused"
        sent.append((callers[client], outcome))
    for caller, outcome in sent:
        note(await caller.settle(outcome))


async def _each(items: Iterable[_T], at_once: int, do: Callable[[_T], Awaitable[None]]) -> None:
    """Call `do` for every item, `at_once` of them at a time, in their order."""
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            await do(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    except ExceptionGroup as several:
        raise several.exceptions[0] from several
