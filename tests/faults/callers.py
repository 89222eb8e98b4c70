"""The systems that submit, as they behave beside a gateway that dies: what was not answered is sent again, the same."""

from __future__ import annotations

import asyncio
import time
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
AGAIN_S: Final = 60.0
PAUSE_S: Final = 0.5
PLACES: Final = (("Western", "US"), ("Northern", "FR"), ("Eastern", "DE"))
"""Cloud, legacy, and a pilot by customer."""
_SOURCE: Final = {"orders": "salesforce", "invoices": "billing"}


@dataclass
class Asked:
    """A document that is to be posted once. `transaction_id`: of the first 2xx; None: nobody took it."""

    domain: str
    external_id: str
    body: dict[str, Any]
    transaction_id: str | None = None


@dataclass
class Callers:
    """All that submit to one world, by any of its addresses. `invoices`: what follows orders, too. `again`: of the
    requests send what nobody has answered, if there is such a thing."""

    urls: Sequence[str]
    tokens: Mapping[str, str]
    chance: Random
    invoices: bool = True
    patience_s: float = 12.0
    again: float = 0.4
    asked: list[Asked] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    _unanswered: dict[str, Asked] = field(default_factory=dict)

    async def call(self, enough: asyncio.Event) -> None:
        """Submit until it is enough."""
        await asyncio.gather(*(self._call(enough) for _ in range(CALLERS)))

    async def ask_again(self) -> None:
        """Send again what nobody answered, for a while: a process that has just started may have no answer yet."""
        ends = time.monotonic() + AGAIN_S
        async with self._http() as http:
            while self.unanswered and time.monotonic() < ends:
                for one in self.unanswered:
                    await self._send(http, one, "wait=0")
                await asyncio.sleep(PAUSE_S)

    @property
    def accepted(self) -> list[Asked]:
        """What was answered with 2xx."""
        return [one for one in self.asked if one.transaction_id is not None]

    @property
    def unanswered(self) -> list[Asked]:
        """What has got no answer that ends it, in the order of asking."""
        return list(self._unanswered.values())

    def headers(self, one: Asked, prefer: str) -> dict[str, str]:
        """Of every request for this document."""
        return {
            "Authorization": f"Bearer {self.tokens[_SOURCE[one.domain]]}",
            "Idempotency-Key": f"key-{one.external_id}",
            "Prefer": prefer,
        }

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
        if waiting and self.chance.random() < self.again:
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
        self._unanswered[one.external_id] = one
        return one

    async def _send(self, http: httpx.AsyncClient, one: Asked, prefer: str) -> bool:
        """Whether there was an answer."""
        url = f"{self.chance.choice(self.urls)}/v1/{one.domain}"
        try:
            answer = await http.post(url, json=one.body, headers=self.headers(one, prefer))
        except httpx.HTTPError:
            await asyncio.sleep(0.05)
            return False
        self.answers[answer.status_code] += 1
        if answer.status_code in {200, 201, 202}:
            transaction_id = answer.json()["transactionId"]
            if one.transaction_id not in {None, transaction_id}:
                self.violations.append(f"{one.external_id} is {one.transaction_id} and {transaction_id}")
            self._ends(one, transaction_id)
        elif answer.status_code in {409, 422}:
            self._refused(one, answer)
        elif answer.status_code != 503:
            self.violations.append(f"{one.external_id}: {answer.status_code} {answer.text[:300]}")
        return True

    def _refused(self, one: Asked, answer: httpx.Response) -> None:
        """A refusal of the ERP's comes with the transaction that it ended; an invoice of a refused order has none."""
        body = answer.json()
        if "transactionId" in body:
            self._ends(one, body["transactionId"])
        elif one.domain == "invoices":
            self._ends(one, None)
        else:
            self.violations.append(f"{one.external_id}: {answer.status_code} {answer.text[:300]}")

    def _ends(self, one: Asked, transaction_id: str | None) -> None:
        """It has an answer; without a transaction it was turned away."""
        one.transaction_id = transaction_id
        self._unanswered.pop(one.external_id, None)
