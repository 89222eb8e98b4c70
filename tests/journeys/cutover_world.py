"""What the document of the cutover is walked in: two ERPs, a gateway on a rulebook of its own, and callers."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

import routing_rules
from gateway.demo.children import Children
from gateway.demo.erps import Erp, start_erps
from gateway.demo.gateway_process import Gateway, tokens, write_settings
from gateway.demo.load import LoadOptions, load
from gateway.demo.masters import put_masters
from gateway.demo.northwind import BILLING, SALESFORCE, Lineage, Northwind, load_northwind
from gateway.demo.places import Memory, Places
from gateway.intake.cross_references import CrossReferenceRow, write_rows
from tests.demo_memory import demo_memory
from tests.journeys.quick_erps import say_quick

UNIT, PLACE = "Eastern", "US"
"""The slice of the document; in the sample rulebook no phase has reached it."""
LIMIT_S = 120.0
"""For whatever is waited for; the longest takes some seconds."""
PERSONS = ("order-to-cash-author", "order-to-cash-activator", "operations", "shift-lead", "controller", "auditor")


def slice_lineages() -> tuple[list[Lineage], list[Lineage], list[Lineage]]:
    """Of Northwind, by order date: the slice's lineages that shipped, those that never did, and all others that never
    shipped."""
    everything = load_northwind().lineages
    inside = [one for one in everything if (one.order.business_unit, one.order.geography) == (UNIT, PLACE)]
    never = [one for one in everything if one.invoice is None]
    return (
        [one for one in inside if one.invoice is not None],
        [one for one in inside if one.invoice is None],
        [one for one in never if one not in inside],
    )


def needed() -> Northwind:
    """Only what the journey sends, with its masters."""
    shipped, never, others = slice_lineages()
    lineages = (*shipped, *never, *others)
    customers = {str(one.order.customer.external_id) for one in lineages}
    products = {str(line.product.external_id) for one in lineages for line in one.order.lines if line.product}
    whole = load_northwind()
    return Northwind(
        customers=tuple(one for one in whole.customers if one.external_id in customers),
        products=tuple(one for one in whole.products if one.external_id in products),
        lineages=lineages,
    )


def order_of(lineage: Lineage) -> Lineage:
    """Its order alone."""
    return replace(lineage, invoice=None, payment=None)


def billed(lineage: Lineage) -> Lineage:
    """Its order and its invoice."""
    return replace(lineage, payment=None)


@dataclass
class World:
    """Everything that runs. `rows`: what masters are called in legacy."""

    places: Places
    http: httpx.Client
    tokens: Mapping[str, str]
    legacy: Erp
    cloud: Erp
    rows: Sequence[CrossReferenceRow]

    def get(self, path: str, client: str = "auditor", **query: str) -> dict[str, Any]:
        """What a client reads."""
        answer = self.http.get(path, params=query, headers=self._headers(client))
        assert answer.status_code == 200, f"{path}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def ask(
        self, client: str, method: str, path: str, body: Mapping[str, Any], key: str, prefer: str = "wait=8"
    ) -> httpx.Response:
        """One request of a client."""
        headers = self._headers(client) | {"Idempotency-Key": key, "Prefer": prefer}
        if method == "PATCH":
            headers |= {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
        return self.http.request(method, path, content=json.dumps(body), headers=headers)

    def done(self, answer: httpx.Response, status: str = "posted") -> dict[str, Any]:
        """The transaction of an answer, once it stands so."""
        assert answer.status_code in {200, 201, 202}, answer.text
        transaction: dict[str, Any] = answer.json()
        return until(lambda: self.get(transaction["statusUrl"]), lambda found: found["status"] == status)

    def send(self, lineages: Sequence[Lineage], *, masters: Northwind | None = None) -> dict[str, dict[str, Any]]:
        """Send them as Salesforce and billing do; the answers by external id. What was sent already changes nothing."""
        wanted = Northwind(
            masters.customers if masters else (), masters.products if masters else (), lineages=tuple(lineages)
        )
        options = LoadOptions(
            base_url=str(self.http.base_url),
            tokens={client: self.tokens[client] for client in (SALESFORCE, BILLING)},
            in_flight=8,
            limit_s=120.0,
        )
        report = asyncio.run(load(wanted, options, lambda _: None))
        assert report.failures == [], report.failures[:3]
        return {one.external_id: dict(one.body) for one in report.outcomes}

    def document(self, domain: str, external_id: str, source: str = SALESFORCE) -> dict[str, Any]:
        """A document as the gateway holds it."""
        items = self.get(f"/v1/{domain}", externalId=external_id, source=source)["items"]
        assert len(items) == 1, (domain, external_id, items)
        return self.get(f"/v1/{domain}/{items[0]['documentId']}")

    def _headers(self, client: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.tokens[client]}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }


def until(look: Callable[[], Any], enough: Callable[[Any], bool], limit_s: float = LIMIT_S) -> Any:
    """Look again and again until it is enough."""
    end = time.monotonic() + limit_s
    while not enough(found := look()):
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found


@contextmanager
def running(directory: Path) -> Iterator[World]:
    """All of it started, with the masters of the legacy ERP and the cloud's products in place."""
    places = Places(directory)
    places.prepare(fresh=False)
    first_rulebook(directory / "rulebook")
    memory = demo_memory(places)
    children = Children(places.children, str(places.directory))
    gateway = Gateway(children, places, memory, print)
    try:
        legacy, cloud, rows = asyncio.run(_prepare(children, places, memory))
        asyncio.run(gateway.start())
        with httpx.Client(base_url=gateway.base_url, timeout=30, trust_env=False) as http:
            of = tokens(places, SALESFORCE, BILLING, *PERSONS)
            yield World(places, http, of, legacy, cloud, rows)
    finally:
        children.stop_all()


async def _prepare(children: Children, places: Places, memory: Memory) -> tuple[Erp, Erp, list[CrossReferenceRow]]:
    legacy, cloud = await start_erps(children, places, memory)
    rows = await put_masters(legacy, needed(), lambda: None)
    write_rows(places.cross_references, rows)
    write_settings(places, memory, legacy, cloud)
    say_quick(places.settings)
    return legacy, cloud, rows


def first_rulebook(directory: Path) -> None:
    """The sample rulebook with what the document says of its beginning: the customers of the United States are frozen,
    because legacy keeps them, a freeze window lies over today, whatever day it is, and no number ranges are declared.
    The close windows of the sample are left out."""
    shutil.copytree(Path(routing_rules.__file__).parent / "tables", directory)
    with (directory / "customers.csv").open("a", encoding="utf-8", newline="") as table:
        table.write(
            "c-us,*,*,US,*,*,*,*,,,live,,cloud-main,,,freeze,Phase 6: until then legacy keeps these customers\n"
        )
    text = (directory / "rulebook.yaml").read_text(encoding="utf-8")
    ranges = text.index("# Which numbers are whose"), text.index("company_codes:\n")
    text = text[: ranges[0]] + text[ranges[1] :]
    today = datetime.now(UTC).date()
    calendar, rest = text.index("    close_windows:"), text.index("# Who answers for a domain")
    audit = today - timedelta(days=2), today + timedelta(days=2)
    window = f'    freeze_windows:\n      - {{from: "{audit[0]}", until: "{audit[1]}", note: audit of the year}}\n\n'
    (directory / "rulebook.yaml").write_text(text[:calendar] + window + text[rest:], encoding="utf-8")
