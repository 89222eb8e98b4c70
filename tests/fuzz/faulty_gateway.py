"""The gateway with faults planted around it, to see that the fuzzing finds them.

`python -m tests.fuzz.faulty_gateway DATA` in place of `erp-gateway serve --data DATA`. Nothing of the gateway is
changed: an ASGI layer in front of the real application changes requests and answers.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from adapters.canonical import Customer
from gateway.app import create_app
from gateway.server import serve
from gateway.settings import load_settings
from gateway.wiring.runtime import open_runtime

Message = dict[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]

ONE_DOCUMENT = re.compile(r"/v1/(\w+)/(doc_\w+)")
CUSTOMER = {str(one.alias) for one in Customer.model_fields.values()} | {"idempotencyKey", "replaces"}
AMOUNTS = frozenset({"amount", "netAmount", "unitPrice"})

PLACES = "^/v1/(payments|lineages/.*|invoices|routing/explain|customers|transactions|products|products/[^/]*)$"
"""Only these addresses have one."""
FAULTS = {
    "an amount of nothing is a crash": ("not_a_server_error", "POST /v1/payments"),
    "a status that is not in the document": ("status_code_conformance", "GET /v1/lineages/{lineageId}"),
    "a member of another type": ("response_schema_conformance", "GET /v1/invoices"),
    "another media type": ("content_type_conformance", "GET /v1/routing/explain"),
    "a member that nobody knows is taken": ("negative_data_rejection", "POST /v1/customers"),
    "a token is not asked for": ("ignored_auth", "GET /v1/transactions"),
    "what was just created is not there": ("created_is_there", "GET /v1/products/{documentId}"),
}
"""By name: the check that must find it, and where."""


@dataclass
class Exchanged:
    """One request, and what the application answers to it."""

    method: str
    path: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    status: int = 0
    answer_headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    answer: bytes = b""

    def say(self, status: int, body: bytes, media_type: bytes = b"application/json") -> None:
        """Another answer in place of the application's."""
        self.status, self.answer = status, body
        self.answer_headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(body))]


class Faulty:
    """All faults at once, each at a place of its own."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner
        self._token = b""
        self._created: set[str] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        one = Exchanged(scope["method"], scope["path"], list(scope["headers"]), await _whole(receive))
        self._before(one)
        if not one.status:
            await self._ask(one, scope)
            self._after(one)
        await send({"type": "http.response.start", "status": one.status, "headers": one.answer_headers})
        await send({"type": "http.response.body", "body": one.answer, "more_body": False})

    async def _ask(self, one: Exchanged, scope: Any) -> None:
        pending = [{"type": "http.request", "body": one.body, "more_body": False}]

        async def receive() -> Message:
            return pending.pop() if pending else await asyncio.Event().wait()  # type: ignore[return-value]

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                one.status, one.answer_headers = message["status"], list(message["headers"])
            else:
                one.answer += message.get("body", b"")

        length = (b"content-length", b"%d" % len(one.body))
        headers = [pair if pair[0] != b"content-length" else length for pair in one.headers]
        await self._inner({**scope, "headers": headers}, receive, send)

    def _before(self, one: Exchanged) -> None:
        if (one.method, one.path) == ("POST", "/v1/payments") and _amount_of_nothing(_json(one.body)):
            one.say(500, b'{"detail":"division by zero"}')
        if (one.method, one.path) == ("POST", "/v1/customers"):
            body = _json(one.body)
            if isinstance(body, dict):
                one.body = json.dumps({name: value for name, value in body.items() if name in CUSTOMER}).encode()
        token = dict(one.headers).get(b"authorization", b"")
        if one.path == "/v1/transactions":
            one.headers = [pair for pair in one.headers if pair[0] != b"authorization"]
            one.headers.append((b"authorization", self._token))
        elif not self._token and token.startswith(b"Bearer ey"):
            self._token = token

    def _after(self, one: Exchanged) -> None:
        if one.path.startswith("/v1/lineages/") and one.status == 404:
            one.say(410, one.answer)
        elif one.path == "/v1/invoices" and one.method == "GET" and one.status == 200:
            page = json.loads(one.answer)
            for item in page["items"]:
                item["createdAt"] = 0
            one.say(200, json.dumps(page).encode())
        elif one.path == "/v1/routing/explain" and one.status == 200:
            one.say(200, one.answer, b"text/plain")
        elif one.path == "/v1/products" and one.method == "POST" and one.status == 201:
            self._created.add(json.loads(one.answer)["documentId"])
        found = ONE_DOCUMENT.fullmatch(one.path)
        if found is not None and found[1] == "products" and found[2] in self._created:
            problem = {"type": "/problems/not-found", "title": "-", "status": 404, "detail": "-", "instance": one.path}
            problem |= {"code": "not-found", "remedy": "-", "errors": [], "traceId": "-", "retryAfterS": None}
            one.say(404, json.dumps(problem).encode())


async def _whole(receive: Any) -> bytes:
    body = b""
    while True:
        message: Message = await receive()
        body += bytes(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return body


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _amount_of_nothing(value: Any) -> bool:
    if isinstance(value, dict):
        amounts = (one for name, one in value.items() if name in AMOUNTS)
        return "0" in amounts or _amount_of_nothing(list(value.values()))
    return isinstance(value, list) and any(_amount_of_nothing(one) for one in value)


async def _serve(data: Path) -> None:
    settings = load_settings(data)
    runtime = await open_runtime(data, settings)
    runtime.start()
    try:
        await serve(Faulty(create_app(runtime.app_parts)), settings.http.host, settings.http.port)  # type: ignore[arg-type]
    finally:
        await runtime.stop()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(Path(sys.argv[1])))
