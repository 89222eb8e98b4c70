"""Trace context in and out, spans, numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.api.conftest import HttpClient, World, asgi_request

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def test_the_callers_trace_goes_on(world: World, submit: Callable[..., Any], order: Any) -> None:
    answer = await submit(order, traceparent=f"00-{TRACE}-{SPAN}-01")
    out = answer.headers["traceparent"]
    assert out.startswith(f"00-{TRACE}-")
    assert SPAN not in out
    assert out.endswith("-01")
    assert world.line.seen[0].traceparent == out
    assert answer.json()["traceId"] == TRACE


@pytest.mark.parametrize("bad", ["", "x", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01"])
async def test_an_invalid_one_begins_a_new_trace(client: HttpClient, bad: str) -> None:
    answer = await client.get("/nope", headers={"traceparent": bad})
    trace_id = answer.json()["traceId"]
    assert trace_id != TRACE
    assert len(trace_id) == 32
    assert trace_id == answer.headers["traceparent"][3:35]


STATES: dict[str, str | None] = {
    "a=1": "a=1",
    " a=1 ,, b=2, ": "a=1,b=2",
    "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7": "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
    "1tenant@vendor=x y": "1tenant@vendor=x y",
    ",".join(f"k{number}=v" for number in range(32)): ",".join(f"k{number}=v" for number in range(32)),
    ",".join(f"k{number}=v" for number in range(33)): None,
    "a=1,a=2": None,
    "A=1": None,
    "a=": None,
    "a=1=2": None,
    "a": None,
    "a=\u00e9": None,
    ",".join(f"k{number}={'v' * 250}" for number in range(40)): None,
    "": None,
}


@pytest.mark.parametrize("state", STATES)
async def test_trace_state(client: HttpClient, world: World, state: str) -> None:
    headers = world.token() | {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": state.encode("latin-1")}
    answer = await client.get("/v1/orders", headers=headers)
    assert answer.headers.get("tracestate") == answer.json().get("traceState") == STATES[state]


async def test_trace_state_in_several_headers_is_one_list(world: World) -> None:
    headers = [("Host", "x"), ("traceparent", f"00-{TRACE}-{SPAN}-01"), ("tracestate", "a=1"), ("tracestate", "b=2")]
    _, problem = await asgi_request(world, "GET", "/v1/orders", headers)
    assert problem["traceState"] == "a=1,b=2"


async def test_trace_state_without_a_trace_is_nobodys(client: HttpClient) -> None:
    for bad in ({}, {"traceparent": "x"}):
        answer = await client.get("/nope", headers={"tracestate": "a=1", **bad})
        assert "tracestate" not in answer.headers
        assert "traceState" not in answer.json()


async def test_trace_state_travels_with_the_spans(world: World) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with world.client(tracer=provider.get_tracer("test")) as client:
        headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=a:1"}
        await client.get("/v1/orders", headers=headers)
    (span,) = exporter.get_finished_spans()
    assert span.context.trace_state.to_header() == "vendor=a:1"
    provider.shutdown()


async def test_spans(world: World, order: Any) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with world.client(tracer=provider.get_tracer("test")) as client:
        headers = world.token() | {"traceparent": f"00-{TRACE}-{SPAN}-01"}
        answer = await client.post("/v1/orders", json=order, headers=headers)
        world.line.failure = KeyError("secret")
        await client.post("/v1/orders", json=order, headers=headers)
    first, second = exporter.get_finished_spans()
    assert first.name == "POST /v1/orders"
    assert first.parent is not None
    assert (f"{first.context.trace_id:032x}", f"{first.parent.span_id:016x}") == (TRACE, SPAN)
    assert answer.headers["traceparent"] == f"00-{TRACE}-{first.context.span_id:016x}-01"
    assert world.line.seen[0].traceparent == answer.headers["traceparent"]
    assert dict(first.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/v1/orders",
        "http.response.status_code": 201,
    }
    assert second.status.status_code.name == "ERROR"
    assert "secret" not in second.to_json()
    provider.shutdown()


async def test_requests_are_counted_by_route_not_by_address(client: HttpClient, world: World) -> None:
    for number in range(3):
        await client.get(f"/v1/orders/doc_{number:026d}", headers=world.token())
        await client.get(f"/nope/{number}")
    text = (await client.get("/metrics", headers=world.token())).text
    counted = [line for line in text.splitlines() if line.startswith("erp_gateway_http_requests_total{")]
    assert any('route="/v1/orders/{documentId}",status="404"' in line for line in counted)
    assert any('route="unmatched",status="404"' in line for line in counted)
    assert not any("doc_" in line or "/nope" in line for line in counted)
    assert "erp_gateway_queue_jobs 3.0" in text
