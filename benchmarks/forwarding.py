"""What the gateway is compared with: Litestar on the same server, forwarding the body as it came, keeping no record.

No check, no model, no token, no number: the least that stands between a caller and an ERP. Three HTTP clients:
`httpx`, `aiohttp`, and httpx on aiohttp's connections (`httpx-on-aiohttp`).
Run as a process: `python -m benchmarks.forwarding WAY STUB_URL PORT`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import httpx
import uvloop
from litestar import Litestar, Request, Response, post

from benchmarks.gateway_on_stub import CONNECTIONS
from gateway.server import serve

Forward = Callable[[bytes], Awaitable[tuple[int, bytes]]]
"""Send the body on; status and body of the answer."""
Close = Callable[[], Awaitable[None]]

_HEADERS = {"Content-Type": "application/json"}


class AiohttpTransport(httpx.AsyncBaseTransport):
    """httpx's requests on an aiohttp session, whole bodies only."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = [(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.raw]
        async with self._session.request(
            request.method, str(request.url), headers=headers, data=await request.aread()
        ) as answer:
            return httpx.Response(answer.status, headers=list(answer.headers.items()), content=await answer.read())


def _with_httpx(client: httpx.AsyncClient, url: str) -> Forward:
    async def forward(body: bytes) -> tuple[int, bytes]:
        answer = await client.post(url, content=body, headers=_HEADERS)
        return answer.status_code, answer.content

    return forward


def _with_aiohttp(session: aiohttp.ClientSession, url: str) -> Forward:
    async def forward(body: bytes) -> tuple[int, bytes]:
        async with session.post(url, data=body, headers=_HEADERS) as answer:
            return answer.status, await answer.read()

    return forward


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS), cookie_jar=aiohttp.DummyCookieJar())


def _forward(way: str, url: str) -> tuple[Forward, Close]:
    """How that proxy forwards, and what closes its client."""
    match way:
        case "httpx":
            # httpx keeps 20 idle connections by default; fewer than the callers would cost it new ones.
            limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
            client = httpx.AsyncClient(limits=limits, trust_env=False)
            return _with_httpx(client, url), client.aclose
        case "aiohttp":
            session = _session()
            return _with_aiohttp(session, url), session.close
        case "httpx-on-aiohttp":
            session = _session()
            client = httpx.AsyncClient(transport=AiohttpTransport(session), trust_env=False)
            return _with_httpx(client, url), session.close
        case _:
            raise ValueError(way)


def _application(forward: Forward) -> Litestar:
    @post("/v1/orders")
    async def orders(request: Request[Any, Any, Any]) -> Response[bytes]:
        status, body = await forward(await request.body())
        return Response(body, status_code=status, media_type="application/json")

    return Litestar([orders], openapi_config=None, logging_config=None)


async def _serve(way: str, stub: str, port: int) -> None:
    forward, close = _forward(way, f"{stub}/orders")
    try:
        await serve(_application(forward), "127.0.0.1", port)
    finally:
        await close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
