"""The application on the real line and record: what a caller reads fits what it may then demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.api.schemas import DocumentAnswer, LineageAnswer, TransactionAnswer
from gateway.store.store import open_store
from tests.api.conftest import World, in_this_loop
from tests.line.documents import TO_CLOUD, contract, credit_note, customer, journal_entry, priced
from tests.line.rig import Rig, invoice, order, payment
from tests.migrated import migrated_file


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    url = migrated_file(tmp_path / "gateway.db")
    store = await open_store(url)
    yield await Rig.on(store)
    await store.close()


@pytest.fixture
async def http(world: World, rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    parts = replace(
        world.parts(),
        submissions=rig.line,
        reads=rig.store.reads,
        rulebook=lambda: rig.parts.rules.rulebook,
        capabilities=lambda: {name: one.port.capabilities() for name, one in rig.line.systems.items()},
    )
    async with in_this_loop(parts) as client:
        client.headers.update(world.token())
        yield client


async def _posted(http: httpx.AsyncClient, domain: str, body: dict[str, Any], **headers: str) -> Any:
    answer = await http.post(f"/v1/{domain}", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    TransactionAnswer.model_validate(answer.json(), by_alias=True, by_name=False)
    return answer.json()


async def _document(http: httpx.AsyncClient, url: str) -> Any:
    answer = await http.get(url)
    assert answer.status_code == 200
    DocumentAnswer.model_validate(answer.json(), by_alias=True, by_name=False)
    return answer.json()


async def test_an_order_is_changed_and_called_off(http: httpx.AsyncClient, rig: Rig) -> None:
    url = (await _posted(http, "orders", order() | {"quoteReference": "Q-1"}))["documentUrl"]
    first = await _document(http, url)
    assert (first["etag"], first["version"], first["state"], first["status"]) == ("v1", 1, "active", "posted")
    change = priced(2) | {"ifMatch": first["etag"], "idempotencyKey": "c-1"}
    changed = await http.patch(url, json=change)
    assert (changed.status_code, changed.json()["operation"], changed.json()["status"]) == (200, "change", "posted")
    again = await http.patch(url, json=change)
    assert (again.status_code, again.json()["replayed"]) == (200, True), "the old etag is the repeat's own"
    assert again.json()["transactionId"] == changed.json()["transactionId"]
    stale = await http.patch(url, json=priced(3) | {"ifMatch": first["etag"], "idempotencyKey": "c-2"})
    assert (stale.status_code, stale.json()["code"], stale.json()["etag"]) == (412, "stale", "v2")
    second = await _document(http, url)
    assert (second["etag"], second["content"]["totals"]["grossAmount"], second["amount"]) == ("v2", "28.00", "28.00")
    copy = await http.get(url, headers={"If-None-Match": '"v2"'})
    assert copy.status_code == 304
    off = await http.post(f"{url}/cancel", json={"reason": "r"}, headers={"If-Match": "*", "Idempotency-Key": "x-1"})
    assert (off.status_code, off.json()["operation"]) == (200, "cancel")
    third = await _document(http, url)
    assert (third["state"], third["etag"]) == ("cancelled", "v3")
    late = await http.patch(url, json=priced(5) | {"ifMatch": "v3", "idempotencyKey": "c-3"})
    assert (late.status_code, late.json()["code"]) == (409, "document-closed")
    listed = (await http.get("/v1/orders?state=cancelled")).json()["items"]
    assert [one["documentUrl"] for one in listed] == [url]
    done = (await http.get(f"/v1/transactions?documentId={third['documentId']}")).json()["items"]
    assert [one["operation"] for one in done] == ["cancel", "change", "create"]


async def test_the_same_key_for_something_else(http: httpx.AsyncClient) -> None:
    url = (await _posted(http, "orders", order()))["documentUrl"]
    headers = {"Idempotency-Key": "c-1", "If-Match": '"v1"'}
    assert (await http.patch(url, json=priced(2), headers=headers)).status_code == 200
    other = await http.patch(url, json=priced(3), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_what_the_erp_cannot_change(http: httpx.AsyncClient) -> None:
    url = (await _posted(http, "orders", order()))["documentUrl"]
    body = {"postingDate": "1996-07-05", "ifMatch": "v1", "idempotencyKey": "c-1"}
    answer = await http.patch(url, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "operation-not-served")
    able = (await http.get("/v1/capabilities?domain=orders")).json()["systems"][0]["domains"][0]["operations"]
    assert "postingDate" not in next(one for one in able if one["operation"] == "change")["changeableMembers"]


async def test_the_chain_from_quote_to_journal_entry(http: httpx.AsyncClient, rig: Rig) -> None:
    ids = {}
    the_order = await _posted(http, "orders", order() | {"quoteReference": "Q-1"})
    ids["orders"] = the_order["documentId"]
    ids["invoices"] = (await _posted(http, "invoices", invoice()))["documentId"]
    ids["payments"] = (await _posted(http, "payments", payment()))["documentId"]
    entry = journal_entry() | {"paymentReference": {"externalId": "PAY-10248"}}
    ids["journal_entries"] = (await _posted(http, "journal_entries", entry))["documentId"]
    answer = (await http.get(f"/v1/lineages/{the_order['lineageId']}")).json()
    LineageAnswer.model_validate(answer, by_alias=True, by_name=False)
    by_domain = {one["domain"]: one for one in answer["documents"]}
    assert {domain: one["documentId"] for domain, one in by_domain.items()} == ids
    assert by_domain["orders"]["quoteReference"] == "Q-1"
    chain = list(ids)
    for before, after in pairwise(chain):
        assert by_domain[after]["follows"] == [ids[before]]
    undone = await http.post(f"/v1/orders/{ids['orders']}/cancel", json={"reason": "r", "idempotencyKey": "x"})
    assert (undone.status_code, undone.json()["code"]) == (409, "has-follow-ups")
    undone = await http.post(
        f"/v1/journal_entries/{ids['journal_entries']}/reverse", json={"reason": "r", "idempotencyKey": "x"}
    )
    assert (undone.status_code, undone.json()["operation"]) == (200, "reverse")


async def test_a_contract_and_what_relates_to_it(http: httpx.AsyncClient) -> None:
    made = await _posted(http, "contracts", contract())
    assert made["routedTo"]["systemId"] == "gateway", "no ERP of the rig takes contracts"
    billed = invoice() | {"contractReference": {"externalId": "SUB-1"}}
    del billed["orderReference"]
    relating = await _posted(http, "invoices", billed)
    shown = (await http.get(f"/v1/lineages/{relating['lineageId']}")).json()
    assert shown["documents"][0]["relates"] == [made["documentId"]]
    assert shown["relations"][0]["field"] == "contractReference"
    ended = await http.patch(
        made["documentUrl"], json={"endDate": "1996-12-31", "ifMatch": "v1", "idempotencyKey": "c"}
    )
    assert ended.status_code == 200, ended.text
    slices = (await http.get("/v1/capabilities?domain=contracts")).json()["slices"]
    assert slices
    assert all(one["keptByGateway"] for one in slices)


async def test_a_credit_note_names_its_invoice(http: httpx.AsyncClient) -> None:
    await _posted(http, "orders", order())
    the_invoice = await _posted(http, "invoices", invoice())
    await _posted(http, "invoices", credit_note("CN-1", "INV-10248"))
    listed = (await http.get("/v1/invoices?documentType=credit_note&currencyCode=USD")).json()["items"]
    assert [one["externalId"] for one in listed] == ["CN-1"]
    assert (await http.get(f"/v1/invoices?customerId={listed[0]['customerId']}")).json()["items"]
    number = the_invoice["erpNumber"]
    found = await http.get(f"/v1/invoices?systemId={number['systemId']}&documentNumber={number['documentNumber']}")
    assert [one["externalId"] for one in found.json()["items"]] == ["INV-10248"]


async def test_an_order_that_waits_is_called_off_by_who_has_read_it(http: httpx.AsyncClient, rig: Rig) -> None:
    rig.cloud.gate = asyncio.Event()  # the customer does not come to be, so its order waits
    new = {"customer": {"externalId": "NEW"}}
    assert (await http.post("/v1/customers", json=customer(), headers={"Prefer": "wait=0"})).status_code == 202
    answer = await http.post("/v1/orders", json=order() | TO_CLOUD | new, headers={"Prefer": "wait=0"})
    assert (answer.status_code, answer.json()["status"]) == (202, "waiting")
    shown = await _document(http, answer.json()["documentUrl"])
    assert shown["etag"].startswith("v1.")
    body = {"reason": "r", "ifMatch": shown["etag"], "idempotencyKey": "x"}
    off = await http.post(f"{shown['documentUrl']}/cancel", json=body)
    assert (off.status_code, off.json()["status"], off.json()["operation"]) == (200, "cancelled", "create")
    rig.cloud.gate.set()
    await rig.settle()
