"""Whatever a header of an answer says, its body says too: callers such as Salesforce cannot read headers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar import Request, get

from gateway.api.answer import Answer, json_answer
from gateway.api.contract.deprecation import Deprecation
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of
from gateway.api.openapi import describe
from gateway.api.operations import Operation, described
from gateway.api.orders import EXAMPLE
from gateway.api.rates import RateLimits
from gateway.api.schemas import LineageAnswer
from gateway.app import routes
from gateway.domain.transaction import Status
from gateway.errors import Problem
from tests.api.conftest import HttpClient, World
from tests.api.fakes import an_id, transaction

AnyRequest = Request[Any, Any, Any]

TRANSPORT = {
    "content-type": "of the body itself",
    "content-length": "of the body itself",
    "cache-control": "for caches between; no caller acts on it",
    "date": "of the server",
    "server": "of the server",
}
"""Headers without a counterpart, and why."""

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SINCE = datetime(2026, 11, 1, tzinfo=UTC)
DEPRECATION = Deprecation(SINCE, SINCE + timedelta(days=365), "getLineage", "/problems/no-rule")


def _rate(body: Any) -> str:
    told = body["rateLimit"]
    return f'"{told["policy"]}";r={told["remaining"]};t={told["resetS"]}'


def _policy(body: Any) -> str:
    told = body["rateLimit"]
    return f'"{told["policy"]}";q={told["quota"]};w={told["windowS"]}'


def _challenge(body: Any) -> str:
    """What RFC 6750 says in WWW-Authenticate."""
    if body["code"] == "forbidden":
        return f'Bearer realm="erp-gateway", error="insufficient_scope", scope="{" ".join(body["requiredScopes"])}"'
    return 'Bearer realm="erp-gateway"' + ("" if body.get("tokenMissing") else ', error="invalid_token"')


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


COUNTERPARTS: dict[str, Callable[[Any], str]] = {
    "traceparent": lambda body: body.get("requestTraceId", body["traceId"]),
    "tracestate": lambda body: body["traceState"],
    "ratelimit": _rate,
    "ratelimit-policy": _policy,
    "location": lambda body: body["statusUrl"] if body["retryAfterS"] else body["documentUrl"],
    "retry-after": lambda body: str(body["retryAfterS"]),
    "etag": lambda body: f'"{body["etag"]}"',
    "preference-applied": lambda body: body["preferenceApplied"],
    "www-authenticate": _challenge,
    "allow": lambda body: ", ".join(body["allowedMethods"]),
    "accept": lambda body: ", ".join(body["acceptedMediaTypes"]),
    "accept-patch": lambda body: ", ".join(body["acceptedMediaTypes"]),
    "deprecation": lambda body: f"@{_at(body['deprecation']['deprecatedAt']).timestamp():.0f}",
    "sunset": lambda body: f"{_at(body['deprecation']['sunsetAt']):%a, %d %b %Y %H:%M:%S} GMT",
    "link": lambda body: f'<{body["deprecation"]["moreUrl"]}>; rel="deprecation"',
}


def _hold(answer: Any) -> set[str]:
    """Compare every header with the body; the names of those that have a counterpart."""
    body, found = answer.json(), set()
    for name, value in answer.headers.items():
        if name in TRANSPORT:
            continue
        assert name in COUNTERPARTS, f"the header {name} has no counterpart in the body: {value}"
        said = value[3:35] if name == "traceparent" else value
        assert COUNTERPARTS[name](body) == said, name
        found.add(name)
    return found


@get(
    "/v1/old",
    operation_id="getOld",
    summary="Old",
    tags=["lineages"],
    opt=described(
        any_scope_of("documents:read"),
        Operation(answers={200: LineageAnswer}, deprecation=DEPRECATION, problems=("no-rule",)),
    ),
)
async def old(request: AnyRequest) -> Answer:
    """One more route, which is deprecated."""
    if request.scope["query_string"]:
        raise Problem("no-rule", "No.")
    return json_answer(exchange_of(request.scope), {"lineageId": "lin_1"})


ORDER, TRANSACTION = "/v1/orders/" + an_id("doc", 1), "/v1/transactions/" + an_id("txn", 1)
PLAIN = {"Content-Type": "text/plain"}
JSON = {"Content-Type": "application/json"}
CHANGE = json.dumps({"quoteReference": "Q", "ifMatch": "v1", "idempotencyKey": "k"})


@dataclass(frozen=True)
class Asked:
    """A request; `scopes` None: without a token."""

    status: int
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    scopes: tuple[str, ...] | None = ()

    async def answer(self, http: HttpClient, world: World) -> Any:
        headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=a:1", **self.headers}
        if self.scopes is not None:
            headers |= world.token(*self.scopes)
        return await http.request(self.method, self.path, content=self.body, headers=headers)


ANSWERS: dict[str, Asked] = {
    "created": Asked(201, "POST", "/v1/orders", JSON, json.dumps(EXAMPLE)),
    "preferred": Asked(201, "POST", "/v1/orders", JSON | {"Prefer": "wait=3, handling=strict"}, json.dumps(EXAMPLE)),
    "a document": Asked(200, "GET", ORDER),
    "a list": Asked(200, "GET", "/v1/orders"),
    "a transaction": Asked(200, "GET", TRANSACTION),
    "one that is held": Asked(200, "GET", "/v1/transactions/" + an_id("txn", 2)),
    "transactions": Asked(200, "GET", "/v1/transactions"),
    "a trace": Asked(200, "GET", f"{TRANSACTION}/trace"),
    "a lineage": Asked(200, "GET", "/v1/lineages/" + an_id("lin", 1)),
    "capabilities": Asked(200, "GET", "/v1/capabilities"),
    "an explanation": Asked(200, "GET", "/v1/routing/explain?domain=orders"),
    "changed": Asked(200, "PATCH", ORDER, JSON, CHANGE),
    "what a problem means": Asked(200, "GET", "/problems/frozen", scopes=None),
    "deprecated": Asked(200, "GET", "/v1/old"),
    "deprecated and refused": Asked(422, "GET", "/v1/old?x"),
    "deprecated and unknown": Asked(401, "GET", "/v1/old", scopes=None),
    "no token": Asked(401, "GET", "/v1/orders", scopes=None),
    "a bad token": Asked(401, "GET", "/v1/orders", {"Authorization": "Bearer a.b.c"}, scopes=None),
    "no scope": Asked(403, "GET", "/v1/orders", scopes=("rules:edit", "ledger:read")),
    "no address": Asked(404, "GET", "/v1/nowhere"),
    "another method": Asked(405, "DELETE", "/v1/orders"),
    "another media type": Asked(415, "POST", "/v1/orders", PLAIN, "x"),
    "another media type of a change": Asked(415, "PATCH", ORDER, PLAIN, "x"),
    "malformed": Asked(400, "POST", "/v1/orders", JSON, "{"),
    "large": Asked(413, "GET", "/v1/orders", {"X-Much": "y" * 20_000}),
}


@pytest.fixture
async def http(world: World) -> AsyncIterator[HttpClient]:
    world.reads.hold(transaction(1))
    world.reads.hold(transaction(2, status=Status.HELD, retry_after_s=60, erp_document_number=None))
    async with world.client(rates=RateLimits(requests=100, refused=100)) as client:
        client.app.register(old)
        yield client


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer(http: HttpClient, world: World, name: str) -> None:
    asked = ANSWERS[name]
    answer = await asked.answer(http, world)
    assert answer.status_code == asked.status, answer.text
    found = _hold(answer)
    if asked.path.startswith("/v1/"):
        assert {"traceparent", "tracestate", "ratelimit", "ratelimit-policy"} <= found
    if name.startswith("deprecated"):
        assert {"deprecation", "sunset", "link"} <= found


LINE: dict[str, tuple[int, dict[str, Any]]] = {
    "pending": (202, {"status": Status.DISPATCHED}),
    "held": (202, {"status": Status.HELD, "retry_after_s": 60}),
    "repeated": (200, {"status": Status.POSTED, "replayed": True}),
    "refused": (422, {"status": Status.REJECTED, "problem": json.dumps({"code": "rejected-by-erp", "detail": "No."})}),
    "frozen": (409, {"failure": Problem("frozen", "No.", retry_after_s=9)}),
    "broken": (500, {"failure": KeyError("x")}),
}


@pytest.mark.parametrize("name", LINE)
async def test_an_answer_of_the_line(http: HttpClient, world: World, order: Any, name: str) -> None:
    status, changes = LINE[name]
    for member, value in changes.items():
        setattr(world.line, member, value)
    headers = world.token() | {"Prefer": "wait=1"}
    answer = await http.post("/v1/orders", json=order, headers=headers)
    assert answer.status_code == status
    _hold(answer)


async def test_too_many(world: World, order: Any) -> None:
    async with world.client(rates=RateLimits(requests=1, refused=1)) as client:
        for headers in (world.token(), {}):
            answers = [await client.get("/v1/orders", headers=headers) for _ in range(2)]
            assert answers[1].status_code == 429
            for one in answers:
                assert "ratelimit" in _hold(one)
            assert "retry-after" in _hold(answers[1])


async def test_every_counterpart_was_seen(http: HttpClient, world: World) -> None:
    """So that no entry of the table is left over."""
    seen = set()
    for asked in ANSWERS.values():
        seen |= _hold(await asked.answer(http, world))
    assert seen == set(COUNTERPARTS)


async def test_the_trace_of_the_request_beside_the_trace_of_the_transaction(http: HttpClient, world: World) -> None:
    world.reads.transactions_held[0] = replace(world.reads.transactions_held[0], trace_id="ab" * 16)
    answer = await http.get("/v1/transactions/" + an_id("txn", 1), headers=world.token())
    body = answer.json()
    assert body["traceId"] == "ab" * 16
    assert body["requestTraceId"] == answer.headers["traceparent"][3:35] != body["traceId"]


def test_the_description_of_what_is_deprecated(world: World) -> None:
    parts = world.parts()
    paths = describe([*routes(parts), old], parts.limits)["paths"]
    operation = paths["/v1/old"]["get"]
    assert (operation["deprecated"], operation["x-sunset"]) == (True, "2027-11-01")
    for status in ("200", "401", "422"):
        assert {"Deprecation", "Sunset", "Link"} <= set(operation["responses"][status]["headers"])
    assert "x-sunset" not in paths["/v1/orders"]["get"]
    assert "Sunset" not in paths["/v1/orders"]["get"]["responses"]["200"]["headers"]
