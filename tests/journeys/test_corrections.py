"""Northwind lineages corrected on both sides: credit notes, reversals, cancelled orders; read back and tied out.

The ERPs are read over their own interfaces, and the same requests sent again change nothing."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.canonical import Invoice
from gateway.demo.erps import CLOUD, LEGACY, Erp
from gateway.demo.gateway_process import tokens
from gateway.demo.northwind import BILLING, SALESFORCE, Lineage, load_northwind
from gateway.demo.odata import Entity, expanded, session
from gateway.demo.places import Places
from tests.ports import reserved_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SIDES = (LEGACY, CLOUD)
EACH = 3
"""Lineages of a side that get a credit note, and as many others that are reversed."""


@dataclass
class World:
    """The running demo. `systems`: where each order's lineage is; `done`: answers by idempotency key."""

    places: Places
    http: httpx.Client
    tokens: Mapping[str, str]
    erps: Mapping[str, Erp]
    systems: Mapping[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, str, dict[str, Any], int]] = field(default_factory=list)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        answer = self.http.get(path, params=query, headers=self._headers("auditor"))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def document(self, domain: str, source: str, external_id: str) -> dict[str, Any]:
        items = self.get(f"/v1/{domain}", externalId=external_id, source=source)["items"]
        assert len(items) == 1, external_id
        return self.get(f"/v1/{domain}/{items[0]['documentId']}")

    def send(self, client: str, method: str, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
        """A request that must be done, now or a little later; the transaction as it ended."""
        answer = self._request(client, method, path, body, key)
        assert answer.status_code in {200, 201, 202}, answer.text
        self.requests.append((client, method, path, body, answer.status_code))
        transaction: dict[str, Any] = answer.json()
        deadline = time.monotonic() + 240
        while transaction["status"] not in {"posted", "rejected", "cancelled", "in_doubt"}:
            assert time.monotonic() < deadline, transaction
            time.sleep(0.1)
            transaction = self.get(transaction["statusUrl"])
        assert transaction["status"] == "posted", transaction
        return transaction

    def refused(self, client: str, method: str, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
        answer = self._request(client, method, path, body, key)
        assert 400 <= answer.status_code < 500, answer.text
        problem: dict[str, Any] = answer.json()
        return problem

    def _request(self, client: str, method: str, path: str, body: dict[str, Any], key: str) -> httpx.Response:
        headers = self._headers(client) | {"Idempotency-Key": key}
        return self.http.request(method, path, json=body, headers=headers)

    def _headers(self, client: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[client]}", "Accept": "application/json"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A demo that has sent all of Northwind and serves."""
    places = Places(tmp_path_factory.mktemp("corrections") / "demo")
    log = places.directory.parent / "demo.log"
    command = [Path(sys.executable).with_name("erp-gateway"), "demo", "--data", places.directory, "--fresh"]
    command += ["--port", str(reserved_port())]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait_for_serving(process, log)
        memory = json.loads(places.memory.read_text(encoding="utf-8"))
        erps = {
            LEGACY: Erp(LEGACY, _address(memory["legacy_port"]), (memory["legacy_user"], memory["legacy_password"])),
            CLOUD: Erp(CLOUD, _address(memory["cloud_port"]), (memory["cloud_client"], memory["cloud_secret"])),
        }
        with httpx.Client(base_url=_address(memory["gateway_port"]), timeout=30, trust_env=False) as http:
            found = World(places, http, tokens(places, SALESFORCE, BILLING, "auditor"), erps)
            found.systems = _systems(found)
            yield found
    finally:
        process.terminate()
        process.wait(60)


def _wait_for_serving(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 600
    while "Serving until Ctrl-C" not in log.read_text(encoding="utf-8"):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        time.sleep(0.1)


def _address(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _systems(world: World) -> dict[str, str]:
    """The system of every Northwind order, by external id, from the paged list."""
    found: dict[str, str] = {}
    query = {"domain": "orders", "pageSize": "200"}
    while True:
        page = world.get("/v1/transactions", **query)
        found |= {one["externalId"]: one["routedTo"]["systemId"] for one in page["items"]}
        if page["nextCursor"] is None:
            return found
        query["cursor"] = page["nextCursor"]


def _on(world: World, system_id: str, *, shipped: bool) -> list[Lineage]:
    return [
        one
        for one in load_northwind().lineages
        if world.systems[str(one.order.external_id)] == system_id and (one.invoice is not None) == shipped
    ]


def credit_note(invoice: Invoice) -> dict[str, Any]:
    """The first line of an invoice taken back."""
    line = json.loads(invoice.lines[0].model_dump_json(exclude_none=True))
    body: dict[str, Any] = json.loads(invoice.model_dump_json(exclude_none=True))
    for name in ("freight", "orderReference", "dueDate"):
        body.pop(name, None)
    return body | {
        "externalId": f"CN-{invoice.external_id}",
        "documentType": "credit_note",
        "invoiceReference": {"externalId": invoice.external_id},
        "lines": [line],
        "totals": {"netAmount": line["netAmount"], "grossAmount": line["netAmount"]},
    }


def entries(world: World) -> dict[str, list[Entity]]:
    """All accounting documents of each ERP by reference, from its own OData interface."""

    async def read(erp: Erp) -> list[Entity]:
        async with session(erp) as odata:
            return await odata.all(
                "API_JOURNALENTRY_SRV",
                "A_JournalEntry",
                orderby="AccountingDocument,CompanyCode,FiscalYear",
                expand="to_JournalEntryItem",
            )

    return {system_id: asyncio.run(read(erp)) for system_id, erp in world.erps.items()}


def order_items(world: World) -> dict[str, dict[str, list[Entity]]]:
    """The items of each ERP's orders, by the order's reference."""

    async def read(erp: Erp) -> list[Entity]:
        async with session(erp) as odata:
            return await odata.all("API_SALES_ORDER_SRV", "A_SalesOrder", orderby="SalesOrder", expand="to_Item")

    return {
        system_id: {str(one["PurchaseOrderByCustomer"]): expanded(one, "to_Item") for one in asyncio.run(read(erp))}
        for system_id, erp in world.erps.items()
    }


def customer_balance(documents: Sequence[Entity]) -> Decimal:
    """Debit less credit on customers' accounts."""
    balance = Decimal(0)
    for document in documents:
        for item in expanded(document, "to_JournalEntryItem"):
            if item["Customer"]:
                amount = Decimal(item["AmountInTransactionCurrency"])
                balance += amount if item["DebitCreditCode"] == "S" else -amount
    return balance


def _by_reference(documents: Sequence[Entity]) -> dict[str, list[Entity]]:
    found: dict[str, list[Entity]] = defaultdict(list)
    for document in documents:
        found[str(document["ReferenceDocument"])].append(document)
    return found


def test_corrections_on_both_sides_tie_out_and_happen_once(world: World) -> None:
    before = entries(world)
    credited: dict[str, Decimal] = {}
    references: dict[str, list[str]] = defaultdict(list)
    for system_id in SIDES:
        shipped = _on(world, system_id, shipped=True)
        credited[system_id] = _credit(world, system_id, shipped[:EACH], references)
        _reverse(world, system_id, shipped[EACH : 2 * EACH], references)
        assert _cancel(world, system_id) > 0

    after = entries(world)
    for system_id in SIDES:
        new = len(after[system_id]) - len(before[system_id])
        assert new == EACH + 2 * EACH, "one document a credit note, two mirrors a lineage"
        standing = _by_reference(after[system_id])
        assert all(len(standing[reference]) == 1 for reference in references[system_id])
        # A lineage's invoice and payment cancel out, so a pair of mirrors changes nothing; a credit note does.
        moved = customer_balance(after[system_id]) - customer_balance(before[system_id])
        assert moved == -credited[system_id]

    _nothing_twice(world, after)


def _credit(world: World, system_id: str, lineages: Sequence[Lineage], references: dict[str, list[str]]) -> Decimal:
    credited = Decimal(0)
    for lineage in lineages:
        assert lineage.invoice is not None
        body = credit_note(lineage.invoice)
        done = world.send(BILLING, "POST", "/v1/invoices", body, key=body["externalId"])
        assert done["routedTo"]["systemId"] == system_id
        assert done["documentType"] == "credit_note"
        references[system_id].append(done["erpReference"])
        credited += Decimal(body["totals"]["grossAmount"])
        # More than the invoice was for cannot be taken back.
        whole = json.loads(lineage.invoice.model_dump_json(exclude_none=True))
        too_much = body | {name: whole[name] for name in ("lines", "freight", "totals")} | {"externalId": "CN-TOO-MUCH"}
        assert world.refused(BILLING, "POST", "/v1/invoices", too_much, key="too-much")["code"] == "invalid-document"
    return credited


def _reverse(world: World, system_id: str, lineages: Sequence[Lineage], references: dict[str, list[str]]) -> None:
    reason = {"reason": "Billed to the wrong customer"}
    for lineage in lineages:
        assert lineage.invoice is not None
        assert lineage.payment is not None
        invoice = world.document("invoices", BILLING, str(lineage.invoice.external_id))
        payment = world.document("payments", BILLING, str(lineage.payment.external_id))
        path = f"/v1/invoices/{invoice['documentId']}/reverse"
        early = world.refused(BILLING, "POST", path, reason, key=f"early-{invoice['documentId']}")
        assert early["code"] == "has-follow-ups"
        for domain, document in (("payments", payment), ("invoices", invoice)):
            path = f"/v1/{domain}/{document['documentId']}/reverse"
            done = world.send(BILLING, "POST", path, reason, key=f"reverse-{document['documentId']}")
            assert done["operation"] == "reverse"
            assert done["routedTo"]["systemId"] == system_id
            references[system_id].append(done["erpReference"])
            now = world.get(f"/v1/{domain}/{document['documentId']}")
            assert now["state"] == "reversed"
            assert now["etag"] != document["etag"]


def _cancel(world: World, system_id: str) -> int:
    """Every order of the side that never shipped is called off, and the ERP has nothing of it left to deliver."""
    cancelled: list[str] = []
    for lineage in _on(world, system_id, shipped=False):
        order = world.document("orders", SALESFORCE, str(lineage.order.external_id))
        made = world.get(order["statusUrl"])
        path = f"/v1/orders/{order['documentId']}/cancel"
        done = world.send(SALESFORCE, "POST", path, {"reason": "Never shipped"}, key=f"cancel-{order['documentId']}")
        assert done["routedTo"]["systemId"] == system_id
        assert world.get(f"/v1/orders/{order['documentId']}")["state"] == "cancelled"
        cancelled.append(made["erpReference"])
    there = order_items(world)[system_id]
    for reference in cancelled:
        # The order stands, and nothing of it is left to be delivered.
        assert reference in there
        assert not any(_open(item) for item in there[reference]), reference
    untouched = set(there) - set(cancelled)
    assert all(_open(item) for reference in untouched for item in there[reference])
    return len(cancelled)


def _open(item: Entity) -> bool:
    """Neither rejected nor of no quantity; what the ERP deleted is not there at all."""
    return not item.get("SalesDocumentRjcnReason") and Decimal(item["RequestedQuantity"]) > 0


def _nothing_twice(world: World, after: Mapping[str, Sequence[Entity]]) -> None:
    """The same requests again are answered with the same transactions; nothing more stands in the ERPs."""
    for client, method, path, body, _ in list(world.requests):
        key = _key_of(path, body)
        again = world._request(client, method, path, body, key)
        assert again.status_code == 200, again.text
        assert again.json()["replayed"] is True
        other = world._request(client, method, path, body, f"other-{key}")
        if "externalId" in body:
            assert other.json()["replayed"] is True
        else:
            assert other.status_code == 409, other.text
    assert {name: len(one) for name, one in entries(world).items()} == {name: len(one) for name, one in after.items()}


def _key_of(path: str, body: Mapping[str, Any]) -> str:
    if "externalId" in body:
        return str(body["externalId"])
    *_, document_id, act = path.split("/")
    return f"{act}-{document_id}"
