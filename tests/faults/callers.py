"""The systems that submit, as they behave beside a gateway that dies: what was not answered is sent again, the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import httpx

from tests.faults.directory import CUSTOMERS
from tests.line.rig import invoice, order

CALLERS: Final = 3
THINK_S: Final = 0.12
PLACES: Final = (("Western", "US"), ("Northern", "FR"), ("Eastern", "DE"))
"""Cloud, legacy, and a pilot by customer."""
_SOURCE: Final = {"orders": "salesforce", "invoices": "billing"}


@dataclass
class Asked:
    """A document that is to be posted once. `transaction_id`: of the first 2xx; None: nobody has answered yet."""

    domain: str
    external_id: str
    body: dict[str, Any]
    transaction_id: str | None = None
    turned_away: bool = False


@dataclass
class Callers:
    """All that submit to one world, by any of its addresses. `invoices`: what follows orders, too."""

    urls: Sequence[str]
    tokens: Mapping[str, str]
    chance: Random
    invoices: bool = True
    patience_s: float = 12.0
    asked: list[Asked] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)

    async def call(self, enough: asyncio.Event) -> None:
        """Submit until it is enough."""
        await asyncio.gather(*(self._call(enough) for _ in range(CALLERS)))

    async def ask_again(self) -> None:
        """Send once more what nobody answered."""
        async with self._http() as http:
            for one in self.unanswered:
                await self._send(http, one, "wait=0")

    @property
    def accepted(self) -> list[Asked]:
        """What was answered with 2xx."""
        return [one for one in self.asked if one.transaction_id is not None]

    @property
    def unanswered(self) -> list[Asked]:
        return [one for one in self.asked if one.transaction_id is None and not one.turned_away]

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=self.patience_s, limits=httpx.Limits(max_connections=len(self.urls)))

    async def _call(self, enough: asyncio.Event) -> None:
        async with self._http() as http:
            while not enough.is_set():
                prefer = "respond-async" if self.chance.random() < 0.15 else "wait=1"
                await self._send(http, self._next(), prefer)
                await asyncio.sleep(THINK_S * self.chance.random())

    def _next(self) -> Asked:
        waiting = self.unanswered
        if waiting and self.chance.random() < 0.4:
            return self.chance.choice(waiting)
        number = len(self.asked)
        orders = [one for one in self.asked[-40:] if one.domain == "orders" and one.transaction_id is not None]
        if orders and self.invoices and self.chance.random() < 0.45:
            of = self.chance.choice(orders)
            body = invoice(f"IV-{number}", of.external_id)
            body |= {name: of.body[name] for name in ("businessUnit", "geography")}
            body["customer"] = {**of.body["customer"], "source": "salesforce"}
            one = Asked("invoices", f"IV-{number}", body)
        else:
            unit, geography = self.chance.choice(PLACES)
            body = order(f"SO-{number}", businessUnit=unit, geography=geography)
            body["customer"] = {"externalId": f"C{self.chance.randrange(CUSTOMERS)}"}
            one = Asked("orders", f"SO-{number}", body)
        self.asked.append(one)
        return one

    async def _send(self, http: httpx.AsyncClient, one: Asked, prefer: str) -> None:
        headers = {
            "Authorization": f"Bearer {self.tokens[_SOURCE[one.domain]]}",
            "Idempotency-Key": f"key-{one.external_id}",
            "Prefer": prefer,
        }
        try:
            answer = await http.post(f"{self.chance.choice(self.urls)}/v1/{one.domain}", json=one.body, headers=headers)
        except httpx.HTTPError:
            await asyncio.sleep(0.05)
            return
        self.answers[answer.status_code] += 1
        if answer.status_code in {200, 201, 202}:
            transaction_id = answer.json()["transactionId"]
            if one.transaction_id not in {None, transaction_id}:
                self.violations.append(f"{one.external_id} is {one.transaction_id} and {transaction_id}")
            one.transaction_id = transaction_id
        elif answer.status_code in {409, 422}:
            self._refused(one, answer)
        elif answer.status_code != 503:
            self.violations.append(f"{one.external_id}: {answer.status_code} {answer.text[:300]}")

    def _refused(self, one: Asked, answer: httpx.Response) -> None:
        """A refusal of the ERP's comes with the transaction that it ended; an invoice of a refused order has none."""
        body = answer.json()
        if "transactionId" in body:
            one.transaction_id = body["transactionId"]
        elif one.domain == "invoices":
            one.turned_away = True
        else:
            self.violations.append(f"{one.external_id}: {answer.status_code} {answer.text[:300]}")
