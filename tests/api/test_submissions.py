"""From a submitted body to the line, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.api import products
from gateway.api.domains import RESOURCES
from gateway.domain.caller import DataScope
from gateway.domain.lanes import Lane, Queueing
from gateway.domain.transaction import Status
from tests.api.conftest import HttpClient, World
from tests.api.fakes import an_id

TXN = an_id("txn", 9)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.domain)
async def test_posted(world: World, submit: Callable[..., Any], resource: Any) -> None:
    answer = await submit(dict(resource.example), path=f"/v1/{resource.domain}")
    assert answer.status_code == 201
    body = answer.json()
    assert answer.headers["location"] == f"/v1/{resource.domain}/{body['documentId']}"
    assert (body["status"], body["replayed"], body["erpReference"]) == ("posted", False, "0123456789ABCDEF")
    command = world.line.seen[0]
    assert type(command.document) is resource.model
    assert command.caller.source == "salesforce"
    assert command.wait_s == 8.0
    assert body["traceId"] == command.traceparent[3:35] == answer.headers["traceparent"][3:35]


PENDING = [Status.ACCEPTED, Status.WAITING, Status.HELD, Status.ROUTED, Status.DISPATCHED, Status.UNKNOWN,
           Status.IN_DOUBT, Status.COMPENSATING]  # fmt: skip


@pytest.mark.parametrize("status", PENDING)
@pytest.mark.parametrize("replayed", [False, True])
async def test_pending(world: World, submit: Callable[..., Any], order: Any, status: Status, replayed: bool) -> None:
    world.line.status, world.line.replayed, world.line.retry_after_s = status, replayed, 4
    answer = await submit(order)
    assert answer.status_code == 202
    body = answer.json()
    assert answer.headers["location"] == body["statusUrl"]
    assert answer.headers["retry-after"] == "4"
    assert (body["retryAfterS"], body["replayed"]) == (4, replayed)


async def test_pending_without_a_time_from_the_line(world: World, submit: Callable[..., Any], order: Any) -> None:
    world.line.status = Status.ROUTED
    answer = await submit(order)
    assert answer.headers["retry-after"] == str(answer.json()["retryAfterS"]) == "2"


@pytest.mark.parametrize("status", [Status.POSTED, Status.CANCELLED])
async def test_replayed(world: World, submit: Callable[..., Any], order: Any, status: Status) -> None:
    world.line.replayed, world.line.status = True, status
    answer = await submit(order)
    assert answer.status_code == 200
    assert answer.json()["replayed"] is True


@pytest.mark.parametrize("status", [Status.REJECTED, Status.COMPENSATED])
@pytest.mark.parametrize("replayed", [False, True])
async def test_refused_by_the_erp(
    world: World, submit: Callable[..., Any], order: Any, status: Status, replayed: bool
) -> None:
    world.line.status, world.line.replayed = status, replayed
    world.line.problem = json.dumps(
        {
            "code": "rejected-by-erp",
            "status": 422,
            "detail": "V1 302: sold-to party is blocked",
            "errors": [{"field": "customer", "message": "is blocked", "remedy": "Unblock it."}],
            "erpCode": "V1 302",
            "traceId": "not-this-one",
        }
    )
    answer = await submit(order)
    body = answer.json()
    assert answer.status_code == body["status"] == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert (body["code"], body["type"]) == ("rejected-by-erp", "/problems/rejected-by-erp")
    assert (body["detail"], body["erpCode"]) == ("V1 302: sold-to party is blocked", "V1 302")
    assert body["errors"][0]["field"] == "customer"
    assert (body["transactionId"], body["transactionStatus"]) == (an_id("txn", 1), status.value)
    assert body["routedTo"]["systemId"] == "legacy-main"
    assert body["replayed"] is replayed
    assert body["traceId"] == answer.headers["traceparent"][3:35]


async def test_refused_before_any_erp(world: World, submit: Callable[..., Any], order: Any) -> None:
    world.line.status = Status.REJECTED
    world.line.problem = json.dumps({"code": "parent-rejected", "detail": "The order was rejected."})
    answer = await submit(order)
    assert answer.status_code == answer.json()["status"] == 409
    assert answer.json()["type"] == "/problems/parent-rejected"
    assert answer.json()["transactionStatus"] == "rejected"


async def test_refused_without_a_record(world: World, submit: Callable[..., Any], order: Any) -> None:
    world.line.status = Status.REJECTED
    body = (await submit(order)).json()
    assert body["code"] == "rejected-by-erp"
    assert body["remedy"]


PREFERENCES = {
    None: (8.0, None),
    "wait=3": (3.0, "wait=3"),
    "wait=0": (0.0, "wait=0"),
    "wait=100": (8.0, "wait=8"),
    "respond-async": (0.0, "respond-async"),
    "respond-async, wait=5": (5.0, "wait=5"),
    'foo; bar, WAIT="2"': (2.0, "wait=2"),
    "wait=-1": (8.0, None),
    "wait=soon": (8.0, None),
    "wait=99999999999999999999": (8.0, None),
    "nowait=3": (8.0, None),
    "handling=strict": (8.0, "handling=strict"),
    'respond-async, Handling="strict"': (0.0, "respond-async, handling=strict"),
    "handling=lenient, return=minimal": (8.0, None),
    "return=representation, wait=1": (1.0, "wait=1, return=representation"),
    "handling=lenient, handling=strict": (8.0, None),
}


@pytest.mark.parametrize("prefer", PREFERENCES)
async def test_preferences(world: World, submit: Callable[..., Any], order: Any, prefer: str | None) -> None:
    wait_s, applied = PREFERENCES[prefer]
    answer = await submit(order, **({} if prefer is None else {"Prefer": prefer}))
    assert world.line.seen[0].wait_s == wait_s
    assert answer.headers.get("preference-applied") == answer.json().get("preferenceApplied") == applied


QUEUEING = {
    (None, None): Queueing(),
    (None, "u=0"): Queueing(priority=0),
    (None, "u=7, i"): Queueing(priority=7),
    ("wait=0", "u=7"): Queueing(priority=7),
    ("respond-async", None): Queueing(Lane.STANDARD, alone=True),
    ("respond-async", "i, u=1;a=b"): Queueing(Lane.STANDARD, 1, alone=True),
    ("respond-async", "u=7"): Queueing(Lane.BULK, 7, alone=True),
    ("respond-async", "u=1, u=7"): Queueing(Lane.BULK, 7, alone=True),
    ("respond-async", "u=8"): Queueing(Lane.STANDARD, alone=True),
    ("respond-async", "u=-1"): Queueing(Lane.STANDARD, alone=True),
    ("respond-async", "qu=7"): Queueing(Lane.STANDARD, alone=True),
    ("respond-async", "u=7" + " " * 300): Queueing(Lane.STANDARD, alone=True),
    ("respond-async, wait=5", "u=7"): Queueing(priority=7),
}


@pytest.mark.parametrize(("prefer", "priority"), QUEUEING)
async def test_queueing(
    world: World, submit: Callable[..., Any], order: Any, prefer: str | None, priority: str | None
) -> None:
    said = {"Prefer": prefer, "Priority": priority}
    await submit(order, **{name: value for name, value in said.items() if value is not None})
    assert world.line.seen[0].queueing == QUEUEING[prefer, priority]


async def test_a_client_may_have_its_runs_in_the_lane_for_them(world: World, order: Any) -> None:
    async with world.client(bulk_clients=frozenset({"salesforce"})) as client:
        for prefer in ("wait=1", "respond-async"):
            headers = world.token("documents:submit") | {"Prefer": prefer, "Priority": "u=2"}
            assert (await client.post("/v1/orders", json=order, headers=headers)).status_code == 201
    lanes = [command.queueing for command in world.line.seen]
    assert lanes == [Queueing(priority=2), Queueing(Lane.BULK, 2, alone=True)]


@pytest.mark.parametrize(
    ("header", "member", "key"),
    [("k-1", None, "k-1"), ('"k-1"', None, "k-1"), (None, "k-1", "k-1"), ('"k-1"', "k-1", "k-1"), (None, None, None)],
)
async def test_idempotency_keys(
    world: World, submit: Callable[..., Any], order: Any, header: str | None, member: str | None, key: str | None
) -> None:
    headers = {} if header is None else {"Idempotency_Key": header}
    assert (await submit(order | {"idempotencyKey": member, "replaces": TXN}, **headers)).status_code == 201
    command = world.line.seen[0]
    assert (command.idempotency_key, command.replaces) == (key, TXN)
    plain = (await submit(order)).status_code
    assert plain == 201
    assert world.line.seen[1].document == command.document, "the key is no part of the document"


@pytest.mark.parametrize(
    ("changes", "headers", "field"),
    [
        ({"idempotencyKey": "a"}, {"Idempotency_Key": "b"}, "idempotencyKey"),
        ({"idempotencyKey": 7}, {}, "idempotencyKey"),
        ({"idempotencyKey": ""}, {}, "idempotencyKey"),
        ({"idempotencyKey": "a b"}, {}, "idempotencyKey"),
        ({"idempotencyKey": "a" * 256}, {}, "idempotencyKey"),
        ({"idempotencyKey": "a\n"}, {}, "idempotencyKey"),
        ({}, {"Idempotency_Key": "a" * 256}, "Idempotency-Key"),
        ({}, {"Idempotency_Key": '""'}, "Idempotency-Key"),
        ({"replaces": "SO-1"}, {}, "replaces"),
        ({"replaces": TXN + "\n"}, {}, "replaces"),
        ({"replaces": [TXN]}, {}, "replaces"),
    ],
)
async def test_bad_keys(
    world: World, submit: Callable[..., Any], order: Any, changes: Any, headers: dict[str, str], field: str
) -> None:
    answer = await submit(order | changes, **headers)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid-request"
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["errors"][0]["remedy"]
    assert world.line.seen == []


SCOPES = {
    "unit and place": (DataScope(frozenset({"Western"}), frozenset({"DE"})), True),
    "above both": (DataScope(frozenset({"group"}), frozenset({"EMEA"})), True),
    "everything": (DataScope(None, None), True),
    "another unit": (DataScope(frozenset({"wholesale"}), None), False),
    "another place": (DataScope(None, frozenset({"US", "FR"})), False),
    "a node that is gone": (DataScope(None, frozenset({"atlantis"})), False),
}


@pytest.mark.parametrize("name", SCOPES)
async def test_data_scope_on_submit(world: World, client: HttpClient, order: Any, name: str) -> None:
    scope, allowed = SCOPES[name]
    answer = await client.post("/v1/orders", json=order | {"geography": "DE"}, headers=world.token(data=scope))
    if allowed:
        assert answer.status_code == 201
        return
    assert answer.status_code == 403
    assert answer.json()["code"] == "out-of-scope"
    assert answer.json()["errors"]
    assert world.line.seen == []


async def test_a_master_without_a_place_is_at_the_root(world: World, client: HttpClient) -> None:
    token = world.token(data=DataScope(None, frozenset({"DE"})))
    answer = await client.post("/v1/products", json=products.EXAMPLE, headers=token)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, "geography")
    root = world.token(data=DataScope(frozenset({"group"}), frozenset({"world"})))
    assert (await client.post("/v1/products", json=products.EXAMPLE, headers=root)).status_code == 201


async def test_the_source_comes_from_the_token(world: World, client: HttpClient, order: Any) -> None:
    await client.post("/v1/orders", json=order, headers=world.token(source="billing"))
    assert world.line.seen[0].caller.source == "billing"
    refused = await client.post("/v1/orders", json=order | {"source": "billing"}, headers=world.token())
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "source"
