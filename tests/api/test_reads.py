"""Reading back: within the caller's data scope, page by page."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from gateway.api import schemas
from gateway.domain.caller import DataScope
from gateway.domain.transaction import Status
from tests.api.conftest import HttpClient, World
from tests.api.fakes import an_id, transaction

GERMANY = DataScope(None, frozenset({"EMEA"}))
AMERICA = DataScope(None, frozenset({"US"}))


@pytest.fixture
def stored(world: World) -> None:
    for number in range(1, 8):
        world.reads.hold(transaction(number))
    world.reads.hold(transaction(8, geography="US", status=Status.HELD, retry_after_s=60, erp_document_number=None))


ONE = [
    ("/v1/transactions/" + an_id("txn", 1), schemas.TransactionAnswer),
    ("/v1/transactions/" + an_id("txn", 1) + "/trace", schemas.TraceAnswer),
    ("/v1/lineages/" + an_id("lin", 1), schemas.LineageAnswer),
    ("/v1/orders/" + an_id("doc", 1), schemas.DocumentAnswer),
]


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(("path", "model"), ONE)
async def test_one(client: HttpClient, world: World, path: str, model: Any) -> None:
    answer = await client.get(path, headers=world.token(data=GERMANY))
    assert answer.status_code == 200
    _matches(answer.json(), model)
    for scope in (AMERICA, DataScope(frozenset(), None)):
        hidden = await client.get(path, headers=world.token(data=scope))
        missing = await client.get(path.replace("00001", "00009"), headers=world.token())
        assert hidden.status_code == missing.status_code == 404
        assert hidden.json()["detail"] == missing.json()["detail"], "the answer tells whether it exists"


def _matches(body: Any, model: Any) -> None:
    """Every member is declared, and every declared one that must be is there."""
    fields = model.model_fields.values()
    assert {field.alias for field in fields if field.is_required()} <= set(body)
    assert set(body) <= {field.alias for field in fields}
    model.model_validate(body, by_alias=True, by_name=False)


@pytest.mark.usefixtures("stored")
async def test_a_document(client: HttpClient, world: World) -> None:
    path = "/v1/orders/" + an_id("doc", 1)
    body = (await client.get(path, headers=world.token())).json()
    assert (body["status"], body["contentState"], body["content"]) == ("posted", "present", {"externalId": "SO-1"})
    assert [one["documentNumber"] for one in body["erpNumbers"]] == ["4500000001"]
    payload = world.reads.payloads[an_id("pay", 1)]
    world.reads.payloads[payload.payload_id] = replace(payload, body=None, erased_at=1)
    body = (await client.get(path, headers=world.token())).json()
    assert (body["contentState"], body["content"]) == ("erased", None)
    world.reads.payloads[payload.payload_id] = replace(payload, body=None)
    body = (await client.get(path, headers=world.token())).json()
    assert (body["contentState"], body["content"], body["isContentMissing"]) == ("not_recorded", None, True)
    document = world.reads.documents_held[0]
    world.reads.documents_held[0] = replace(document, payload_id=None, transaction_id=None)
    body = (await client.get(path, headers=world.token())).json()
    assert (body["contentState"], body["status"], body["statusUrl"]) == ("not_recorded", None, None)
    assert "isContentMissing" not in body


@pytest.mark.usefixtures("stored")
async def test_a_document_of_another_domain_is_not_there(client: HttpClient, world: World) -> None:
    assert (await client.get("/v1/invoices/" + an_id("doc", 1), headers=world.token())).status_code == 404


@pytest.mark.usefixtures("stored")
async def test_a_pending_transaction_says_when_to_look_again(client: HttpClient, world: World) -> None:
    answer = await client.get("/v1/transactions/" + an_id("txn", 8), headers=world.token())
    assert (answer.status_code, answer.headers["retry-after"]) == (200, "60")
    assert (answer.json()["retryAfterS"], answer.json()["erpNumber"]) == (60, None)


@pytest.mark.usefixtures("stored")
async def test_the_trace_can_be_verified(client: HttpClient, world: World) -> None:
    body = (await client.get(f"/v1/transactions/{an_id('txn', 1)}/trace", headers=world.token())).json()
    entry = body["entries"][0]
    hashed = base64.b64decode(entry["hashedBytes"])
    assert hashlib.sha256(b"\x00" + hashed).hexdigest() == entry["leafHash"]
    assert entry["entry"]["kind"] == entry["kind"] == "accepted"


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("path", "model", "item"),
    [
        ("/v1/transactions", schemas.TransactionPage, schemas.TransactionAnswer),
        ("/v1/orders", schemas.DocumentPage, schemas.DocumentSummary),
    ],
)
async def test_pages(client: HttpClient, world: World, path: str, model: Any, item: Any) -> None:
    seen: list[str] = []
    query = "?pageSize=3"
    for _ in range(5):
        body = (await client.get(path + query, headers=world.token(data=GERMANY))).json()
        _matches(body, model)
        for one in body["items"]:
            _matches(one, item)
        seen += [one["transactionId"] for one in body["items"]]
        if body["nextCursor"] is None:
            break
        query = f"?pageSize=2&cursor={body['nextCursor']}"
    assert seen == [an_id("txn", number) for number in range(7, 0, -1)]


@pytest.mark.usefixtures("stored")
async def test_a_cursor_belongs_to_its_question(client: HttpClient, world: World) -> None:
    first = await client.get("/v1/transactions?pageSize=1&status=posted", headers=world.token())
    cursor = first.json()["nextCursor"]
    for other in ("/v1/transactions?status=held", "/v1/transactions?x", "/v1/transactions?pageSize=1", "/v1/orders?"):
        path = f"{other}&cursor={cursor}".replace("?x&", "?").replace("?&", "?")
        answer = await client.get(path, headers=world.token())
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")
    same = await client.get(f"/v1/transactions?status=posted&pageSize=5&cursor={cursor}", headers=world.token())
    assert same.status_code == 200


@pytest.mark.usefixtures("stored")
async def test_a_cursor_grants_nothing(client: HttpClient, world: World) -> None:
    cursor = (await client.get("/v1/transactions?pageSize=1", headers=world.token())).json()["nextCursor"]
    body = (await client.get(f"/v1/transactions?cursor={cursor}", headers=world.token(data=AMERICA))).json()
    assert body["items"] == []


async def test_filters_reach_the_store(client: HttpClient, world: World) -> None:
    query = (
        "externalId=SO-1&source=salesforce&erpNumber=45&systemId=legacy-main&status=posted&domain=orders"
        "&businessUnit=Western&geography=EMEA&acceptedFrom=2026-11-23T00:00:00Z"
        f"&acceptedUntil=2026-11-24T00:00:00.5%2B01:00&lineageId={an_id('lin', 1)}"
    )
    assert (await client.get(f"/v1/transactions?{query}", headers=world.token())).status_code == 200
    where: Any = world.reads.filters[0]
    assert (where.external_id, where.source, where.erp_document_number) == ("SO-1", "salesforce", "45")
    assert (where.system_id, where.status, where.domain) == ("legacy-main", "posted", "orders")
    assert where.business_units == {"Western"}
    assert where.geographies == {"EMEA", "DE", "FR"}
    assert where.accepted_from == 1_795_392_000_000_000
    assert where.accepted_until == 1_795_392_000_000_000 + (23 * 3_600) * 1_000_000 + 500_000
    assert where.lineage_id == an_id("lin", 1)


async def test_a_filter_on_an_unknown_node(client: HttpClient, world: World) -> None:
    for path in ("/v1/transactions", "/v1/orders"):
        answer = await client.get(f"{path}?geography=atlantis", headers=world.token())
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown-node")


async def test_without_a_store(client: HttpClient, world: World) -> None:
    world.reads.down = True
    answer = await client.get("/v1/transactions", headers=world.token())
    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
    assert "/var" not in answer.text
    metrics = await client.get("/metrics", headers=world.token())
    assert metrics.status_code == 200
    assert "erp_gateway_store_readable 0.0" in metrics.text


async def test_explaining_a_decision(client: HttpClient, world: World) -> None:
    query = (
        "domain=orders&businessUnit=Western&geography=DE&companyCode=1000&amount=12.50&currencyCode=EUR"
        "&postingDate=2026-11-23&documentType=standard_order&customerSegment=vip&shareKey=doc_1&rootExternalId=SO-1"
    )
    answer = await client.get(f"/v1/routing/explain?{query}", headers=world.token())
    assert answer.json()["result"] == "decision"
    facts = world.line.explained[0]
    assert (facts.operation, str(facts.amount), facts.currency, str(facts.posting_date)) == (
        "create",
        "12.50",
        "EUR",
        "2026-11-23",
    )


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("geography=DE", 400, "domain"),
        ("domain=orders&amount=1", 400, "currencyCode"),
        ("domain=orders&amount=1e5&currencyCode=EUR", 400, "amount"),
        ("domain=orders&postingDate=2026-02-30", 400, "postingDate"),
        ("domain=hats", 400, "domain"),
        ("domain=orders&geography=US", 403, "geography"),
        ("domain=orders", 403, "geography"),
    ],
)
async def test_facts_that_are_refused(client: HttpClient, world: World, query: str, status: int, field: str) -> None:
    answer = await client.get(f"/v1/routing/explain?{query}", headers=world.token(data=GERMANY))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)
    assert world.line.explained == []
