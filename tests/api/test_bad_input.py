"""Whatever is sent: a problem that names field and remedy, and nothing reaches the line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.api.limits import Limits
from gateway.api.strict_json import is_deeper
from tests.api.conftest import HttpClient, World, asgi_request

BODIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "blank": (b" \n ", "empty"),
    "no JSON": (b"{'a': 1}", "not JSON at line 1"),
    "cut": (b'{"externalId": "SO', "not JSON"),
    "a list": (b"[1]", "not a JSON object"),
    "null": (b"null", "not a JSON object"),
    "two values": (b"{} {}", "not JSON"),
    "invalid UTF-8": (b'{"externalId": "\xff"}', "not UTF-8 at byte 16"),
    "UTF-16": ('{"externalId": "a"}'.encode("utf-16"), "not UTF-8"),
    "byte order mark": (b"\xef\xbb\xbf{}", "not JSON"),
    "duplicate member": (b'{"externalId": "a", "externalId": "b"}', "given twice"),
    "duplicate member inside": (b'{"lines": [{"lineNumber": 1, "lineNumber": 2}]}', "given twice"),
    "duplicate by escape": (b'{"externalId": "a", "external\\u0049d": "b"}', "given twice"),
    "NaN": (b'{"amount": NaN}', "NaN is not JSON"),
    "Infinity": (b'{"amount": -Infinity}', "Infinity is not JSON"),
    "many digits": (b'{"lineNumber": ' + b"9" * 4_000 + b"}", "more than 20 characters"),
    "long fraction": (b'{"lineNumber": 1.' + b"9" * 4_000 + b"}", "more than 20 characters"),
    "exponent": (b'{"lineNumber": 1e' + b"9" * 40 + b"}", "more than 20 characters"),
    "deep lists": (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested deeper than 16"),
    "deep objects": (b'{"a": ' * 17 + b"1" + b"}" * 17, "nested deeper than 16"),
    "deep and open": (b"[" * 100_000, "nested deeper than 16"),
    "deep and mixed": (b'[{"a":' * 20_000, "nested deeper than 16"),
    "U+0000": (b'{"externalId": "a\\u0000b"}', "U+0000"),
    "raw control character": (b'{"externalId": "a\x00b"}', "not JSON"),
    "long text": (json.dumps({"externalId": "x" * 10_001}).encode(), "longer than 10000"),
    "long text in a list": (json.dumps({"a": [["x" * 10_001]]}).encode(), "longer than 10000"),
    "long name": (json.dumps({"x" * 10_001: 1}).encode(), "member name is too long"),
    "long list": (json.dumps({"lines": [0] * 10_001}).encode(), "longer than 10000"),
    "many members": (json.dumps({str(n): 0 for n in range(10_001)}).encode(), "more than 10000 members"),
    "unpaired surrogate": (b'{"externalId": "\\ud800"}', "not Unicode"),
    "unpaired surrogate with a key": (b'{"externalId": "\\ud800", "idempotencyKey": "k"}', "not Unicode"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_malformed_bodies(world: World, submit: Callable[..., Any], name: str) -> None:
    body, said = BODIES[name]
    answer = await submit(body)
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert problem["code"] == "invalid-request"
    assert said in problem["detail"]
    assert problem["remedy"]
    assert world.line.seen == []


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"newCustomer": {"name": "x" * 300_000}}, "newCustomer.name"),
        ({"newCustomer": {"addresses": [{}, {"city": "x" * 10_001}]}}, "newCustomer.addresses[1].city"),
        ({"lines": [{"taxes": [0] * 10_001}]}, "lines[0].taxes"),
        ({"lines": [{"a": {str(n): 0 for n in range(10_001)}}]}, "lines[0].a"),
        ({"a": {"x" * 10_001: 1}}, f"a.{'x' * 64}"),
    ],
)
async def test_what_is_too_large_is_named_by_its_path(
    submit: Callable[..., Any], members: dict[str, Any], field: str
) -> None:
    answer = await submit(json.dumps(members).encode())
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (400, [field])


@pytest.mark.parametrize(
    ("raw", "deeper"),
    [
        (b'{"a":"[[[[[[[["}', False),
        (b'{"a":"\\"[[[[[["}', False),
        (b'{"a":"\\\\", "b":[[[]]]}', True),
        (b"[[[]]]", False),
        (b"[[[[]]]]", True),
        (b"[[],[],[],[]]", False),
        (b'[{"a":[1]},{"b":[{}]}]', True),
        (b"[[[[", True),
        (b"]]]]", False),
    ],
)
def test_depth_is_counted_outside_strings(raw: bytes, deeper: bool) -> None:
    assert is_deeper(raw, 3) is deeper


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/xml"}, 415),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        ({"content-type": "application/json;charset=UTF-8"}, 201),
        ({"content-type": 'Application/JSON; charset="utf-8"'}, 201),
        ({"content-type": "application/json", "content-encoding": "gzip"}, 415),
        ({"content-type": "application/json", "content-encoding": "identity"}, 201),
    ],
)
async def test_media_types(client: HttpClient, world: World, order: Any, headers: dict[str, str], code: int) -> None:
    answer = await client.post("/v1/orders", content=json.dumps(order), headers=world.token() | headers)
    assert answer.status_code == code
    if code == 415:
        assert answer.json()["code"] == "unsupported-media-type"


async def test_no_media_type(client: HttpClient, world: World) -> None:
    request = client.build_request("POST", "/v1/orders", content=b"{}", headers=world.token())
    assert "content-type" not in request.headers
    assert (await client.send(request)).status_code == 415


async def test_large_bodies(world: World, client: HttpClient) -> None:
    headers = world.token() | {"content-type": "application/json"}
    stated = await client.post("/v1/orders", content=b" " * 2_000_001, headers=headers)
    assert (stated.status_code, stated.json()["code"]) == (413, "too-large")
    assert stated.json()["mostBytes"] == 2_000_000


async def test_a_body_without_a_length_is_read_up_to_the_limit_only(world: World) -> None:
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 100_000
        return {"type": "http.request", "body": b" " * 100_000, "more_body": True}

    headers = [*world.token().items(), ("Content-Type", "application/json"), ("Host", "x")]
    status, problem = await asgi_request(world, "POST", "/v1/orders", headers, receive)
    assert (status, problem["code"]) == (413, "too-large")
    assert read == 2_100_000


async def test_a_caller_that_leaves_in_its_body(world: World) -> None:
    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    headers = [*world.token().items(), ("Content-Type", "application/json"), ("Host", "x")]
    status, problem = await asgi_request(world, "POST", "/v1/orders", headers, receive)
    assert (status, problem["code"]) == (400, "invalid-request")
    assert world.line.seen == []


async def test_a_body_that_does_not_come(world: World) -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(30)
        return {}

    headers = [*world.token().items(), ("Content-Type", "application/json"), ("Host", "x")]
    parts = replace(world.parts(), limits=Limits(body_seconds=0.05))
    status, problem = await asgi_request(world, "POST", "/v1/orders", headers, receive, parts)
    assert (status, problem["code"]) == (408, "request-timeout")


@pytest.mark.parametrize("length", ["-1", "1_0", "abc", "1" * 30])
async def test_lengths_that_are_none(client: HttpClient, world: World, length: str) -> None:
    headers = world.token() | {"content-type": "application/json", "content-length": length}
    answer = await client.post("/v1/orders", content=b"{}", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "content-length"


@pytest.mark.parametrize("name", ["Host", "Authorization", "Idempotency-Key", "Content-Type", "Content-Length"])
async def test_doubled_headers(world: World, name: str) -> None:
    headers = [
        *world.token().items(),
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "a"),
        ("Content-Length", "2"),
        ("Host", "x"),
    ]
    headers += [one for one in headers if one[0] == name]
    status, problem = await asgi_request(world, "POST", "/v1/orders", headers)
    assert (status, problem["code"]) == (400, "invalid-request")
    assert problem["errors"][0]["field"] == name.lower()
    assert world.line.seen == []


@pytest.mark.parametrize(("version", "host", "code"), [("1.1", None, 400), ("1.1", "", 400), ("1.0", None, 200)])
async def test_a_missing_host(world: World, version: str, host: str | None, code: int) -> None:
    headers = [] if host is None else [("Host", host)]
    status, _ = await asgi_request(world, "GET", "/health/live", headers, version=version)
    assert status == code


async def test_large_headers(client: HttpClient) -> None:
    answer = await client.get("/health/live", headers={"X-Much": "y" * 20_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize("tail", ["%0A", "%00", "%20", "%2F..", "x", "%F0%9F%98%80"])
@pytest.mark.parametrize("path", ["orders/doc_", "transactions/txn_", "lineages/lin_"])
async def test_ids_that_are_none(client: HttpClient, world: World, path: str, tail: str) -> None:
    answer = await client.get(f"/v1/{path}{'0' * 26}{tail}", headers=world.token())
    assert answer.status_code in {400, 404}
    assert answer.headers["content-type"] == "application/problem+json"
    if tail == "%0A":
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["remedy"]


QUERIES = [
    "externalId=a&externalId=b",
    "externalId=",
    "externalId",
    "externalId=%FF",
    "externalId=a%0A",
    "externalId=" + "x" * 65,
    "externalId=" + "x" * 5_000,
    "status=done",
    "domain=hats",
    "systemId=a.b",
    "erpNumber=1",
    "businessUnit=*",
    "pageSize=0",
    "pageSize=201",
    "pageSize=-1",
    "pageSize=%2B5",
    "pageSize=\u0665",
    "cursor=!!",
    "cursor=AAAA",
    "acceptedFrom=yesterday",
    "acceptedFrom=2026-02-30T00:00:00Z",
    "acceptedFrom=2026-02-01T00:00:00",
    "acceptedFrom=2026-02-01T25:00:00Z",
    "lineageId=x",
    "&".join(f"a{n}=1" for n in range(60)),
]


@pytest.mark.parametrize("query", QUERIES)
async def test_bad_queries(client: HttpClient, world: World, query: str) -> None:
    answer = await client.get(f"/v1/transactions?{query}", headers=world.token())
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["remedy"]
    assert world.reads.filters == []


async def test_limits_can_be_set(world: World, order: Any) -> None:
    async with world.client(limits=Limits(body_bytes=100)) as client:
        answer = await client.post("/v1/orders", json=order, headers=world.token())
        assert answer.status_code == 413
