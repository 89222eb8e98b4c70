"""An application on in-memory parts, and tokens for it."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, cast

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from litestar import Litestar
from litestar.testing import AsyncTestClient
from pytest_socket import disable_socket, enable_socket

from gateway.api.openapi import describe
from gateway.api.orders import EXAMPLE
from gateway.api.parts import AppParts
from gateway.api.rates import RateLimits
from gateway.app import create_app, routes
from gateway.auth import Client, EmbeddedIssuer
from gateway.domain.caller import SCOPES, DataScope
from gateway.telemetry import Metrics
from tests.api.declared import Declared
from tests.api.fakes import FakeClock, FakeLine, FakeReads
from tests.api.rules import capabilities, rulebook

EVERYTHING = DataScope(None, None)


class HttpClient(AsyncTestClient[Litestar]):
    """Holds every answer to the description: see `declared`; unless `is_described` is taken back, by tests that make an
    operation answer what it never does."""

    is_described = True

    async def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
        answer = await super().send(request, **how)
        if not self.is_described:
            return answer
        await hold_to_the_description(answer)
        return answer


async def hold_to_the_description(answer: httpx.Response) -> None:
    """Every header of the answer is declared for its status."""
    request = answer.request
    lacking = _declared().lacks(request.method, request.url.path, answer.status_code, answer.headers)
    assert not lacking, f"{request.method} {request.url.path} {answer.status_code}: {sorted(lacking)} not declared"


@cache
def _declared() -> Declared:
    parts = World().parts()
    return Declared(describe(routes(parts), parts.limits))


@dataclass
class World:
    """The parts, and who may do what."""

    line: FakeLine = field(default_factory=FakeLine)
    reads: FakeReads = field(default_factory=FakeReads)
    clock: FakeClock = field(default_factory=FakeClock)
    metrics: Metrics = field(default_factory=Metrics)
    ready: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self.issuer = EmbeddedIssuer(key, "https://issuer.test", "erp-gateway", self.clock.seconds, demo=True)

    def parts(self) -> AppParts:
        book, able = rulebook(), capabilities()
        return AppParts(
            submissions=self.line,
            reads=self.reads,
            authenticator=self.issuer.verifier(),
            rulebook=lambda: book,
            clock=self.clock,
            metrics=self.metrics,
            capabilities=lambda: {"legacy-main": able},
            # So many that the tests, which share an application, never come near.
            rates=RateLimits(requests=1_000_000, refused=1_000_000),
            readiness=self.ready,
        )

    def token(self, *scopes: str, data: DataScope = EVERYTHING, source: str = "salesforce") -> dict[str, str]:
        """An Authorization header; without scopes, all of them."""
        client = Client("salesforce", source, frozenset(scopes or SCOPES), data)
        return {"Authorization": f"Bearer {self.issuer.mint(client)}"}

    def client(self, **changes: Any) -> HttpClient:
        return HttpClient(create_app(replace(self.parts(), **changes)), raise_server_exceptions=True)


def in_this_loop(parts: AppParts) -> httpx.AsyncClient:
    """A client whose application runs in the loop of the test, as a store that was opened there needs it; the other
    clients run theirs in a thread of its own."""
    transport = httpx.ASGITransport(app=cast("Any", create_app(parts)))
    hooks = {"response": [hold_to_the_description]}
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", event_hooks=hooks)


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Only the tests of raw HTTP talk."""
    if request.module.__name__.endswith("test_raw_http"):
        yield
        return
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@cache
def _shared() -> tuple[World, Litestar]:
    """One application for all tests that change none of its parts: building one costs more than most tests."""
    world = World()
    return world, create_app(world.parts())


@pytest.fixture
def world() -> World:
    world, _ = _shared()
    for part in (world.line, world.reads, world.clock):
        part.__init__()  # type: ignore[misc]
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[HttpClient]:
    async with HttpClient(_shared()[1]) as one:
        yield one


async def asgi_request(
    world: World,
    method: str,
    path: str,
    headers: list[tuple[str, str]],
    receive: Callable[[], Awaitable[Any]] | None = None,
    parts: AppParts | None = None,
    version: str = "1.1",
    app: Litestar | None = None,
) -> tuple[int, Any]:
    """Status and JSON body, with exactly these headers: a client would join doubled ones."""
    app = app or create_app(parts or world.parts())
    sent: list[Any] = []

    async def nothing() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "http_version": version,
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "root_path": "",
        "state": {},
    }
    await app(scope, receive or nothing, send)  # type: ignore[arg-type]
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.fixture
def order() -> dict[str, Any]:
    return copy.deepcopy(EXAMPLE)


@pytest.fixture
def submit(world: World, client: HttpClient) -> Callable[..., Any]:
    """Submit raw bytes or a JSON body as an order."""

    async def _submit(body: Any, path: str = "/v1/orders", **headers: str) -> Any:
        wire = {name.replace("_", "-"): value for name, value in headers.items()}
        everything = {"content-type": "application/json", **world.token(), **wire}
        if isinstance(body, bytes):
            return await client.post(path, content=body, headers=everything)
        return await client.post(path, json=body, headers=everything)

    return _submit
