"""The only HTTP client that speaks to ERPs.

What is known of a call that failed is decided here once, for all drivers: either certainly nothing was sent
(`NotSent`), or it may have happened (`OutcomeUnknown`, `Garbled`).
"""

from __future__ import annotations

import asyncio
import io
import math
import ssl
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import aiohttp
from opentelemetry import trace

from adapters.errors import ErpError, Garbled, Misconfigured, NotSent
from adapters.port import Permit
from adapters.transport_address import Address, template_of
from adapters.transport_once import Gate, OnceRequest
from adapters.transport_verdict import verdict

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from yarl import URL

_OURS: Final = frozenset({"accept-encoding", "connection", "content-length", "expect", "host", "transfer-encoding"})
"""Headers that the transport alone decides."""
_LINE_BYTES: Final = 16_384
"""Longest status line and longest header line of an answer; SAP's cookies and `sap-message` stay far below."""
_HEADERS: Final = 128
"""Most header lines of an answer."""
_WHOLE_BYTES: Final = 1_000_000
"""Bodies up to this size are written in one piece; larger ones in pieces, so that the event loop stays free."""


@dataclass(frozen=True, slots=True)
class TransportLimits:
    """Limits of one system's calls: times in seconds, sizes in bytes.

    `total_s` ends any call, however slowly the peer drips. `pool` calls run at once; a further one waits at most
    `pool_wait_s`, which `total_s` does not count, and is then `NotSent`. `connect_s` is for name, TCP and TLS
    together. A connection that lay idle for `idle_s` is not used again: shorter than what common servers keep theirs
    (Node and Apache 5 s), because a request that crosses the peer's close on its way has an unknown outcome.
    """

    total_s: float = 60.0
    connect_s: float = 5.0
    pool: int = 16
    pool_wait_s: float = 5.0
    body_bytes: int = 8_000_000
    idle_s: float = 4.0


@dataclass(frozen=True, slots=True)
class ErpRequest:
    """One request. `path` is joined to the system's address; `query` values are percent-encoded (a blank is %20).

    In `path` a `%XX` is kept, so a driver quotes values that it puts there. `template` names the path in spans; the
    path without its keys and numbers if it is not given.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    template: str = ""


@dataclass(frozen=True, slots=True)
class ErpResponse:
    """A complete answer. Header names are lower case; of repeated ones `headers` holds the last, `cookies` the
    Set-Cookie values in order."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()


class Transport(Protocol):
    """Sends one request once."""

    async def send(self, request: ErpRequest, permit: Permit | None = None) -> ErpResponse:
        """Send `request` at most once and read the whole answer.

        `permit` is called after a connection is had, right before the first byte; what it raises comes out unchanged
        and nothing was sent. Raises NotSent, OutcomeUnknown, Garbled, Misconfigured; any HTTP status, a redirect
        too, is an answer, not an error.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class HttpTransport:
    """`Transport` on one aiohttp session, for one system.

    Whether a failure is `NotSent` is decided by where it came, not by its class: before the gate in front of the
    first byte opened, nothing was sent; after it, nobody knows. aiohttp's own classes do not say that reliably.
    """

    def __init__(
        self,
        base_url: str,
        limits: TransportLimits | None = None,
        *,
        system_id: str = "",
        ssl_context: ssl.SSLContext | None = None,
        tracer: trace.Tracer | None = None,
    ) -> None:
        """`base_url` may have a path, which is kept. `system_id` is for errors and spans. `ssl_context` is for an own
        certificate authority or a client certificate; without one the machine's authorities are trusted. `tracer`
        makes the spans, by default the process's own. Raises `Misconfigured` for an address that is none.
        """
        self._address = Address(base_url)
        self._limits = limits or TransportLimits()
        self._system_id = system_id or self._address.host
        self._ssl = ssl_context
        self._tracer = tracer or trace.get_tracer("adapters.transport")
        self._pool = self._limits.pool
        self._slots = asyncio.Semaphore(self._pool)
        self._surplus = 0
        self._used: weakref.WeakSet[ResponseHandler] = weakref.WeakSet()
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def send(self, request: ErpRequest, permit: Permit | None = None) -> ErpResponse:
        """See `Transport.send`. Takes at most `pool_wait_s` + `total_s` seconds."""
        url = self._address.url(request.path, request.query)
        headers = _checked(request.headers)
        template = request.template or template_of(request.path)
        attributes = {
            "erp.system_id": self._system_id,
            "http.request.method": request.method,
            "server.address": self._address.host,
            "url.template": template,
        }
        # Not made the current span: nothing below it makes one, and errors are told by class only, because an error's
        # text may be the ERP's own words about a customer.
        span = self._tracer.start_span(
            f"{request.method} {template}", kind=trace.SpanKind.CLIENT, attributes=attributes
        )
        try:
            response = await self._send_in_turn(request.method, url, headers, request.body, permit)
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise
        else:
            span.set_attribute("http.response.status_code", response.status)
            return response
        finally:
            span.end()

    async def aclose(self) -> None:
        """Close the connections; calls under way end as `OutcomeUnknown`."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    def resize(self, pool: int) -> None:
        """So many calls run at once from now on, instead of `TransportLimits.pool`. Those under way go on; what is too
        many goes as they end."""
        self._surplus += self._pool - pool
        self._pool = pool
        for _ in range(-self._surplus):
            self._slots.release()
        self._surplus = max(0, self._surplus)

    async def _send_in_turn(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None, permit: Permit | None
    ) -> ErpResponse:
        limits = self._limits
        await self._take_slot()
        try:
            deadline = asyncio.get_running_loop().time() + limits.total_s
            # On a connection that ended while it lay idle nothing is sent, and another one is taken. Each turn drops
            # one, and there are no more idle ones than slots.
            for _ in range(self._pool + self._surplus + 1):
                gate = Gate(permit, self._used)
                outcome = await self._send_once(method, url, headers, body, gate, deadline)
                if isinstance(outcome, ErpResponse):
                    return outcome
                if not gate.stale:
                    raise outcome
            raise NotSent(self._says("the peer closed every connection before the request was sent"))
        finally:
            self._give_slot_back()

    async def _take_slot(self) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        limits = self._limits
        try:
            async with asyncio.timeout(limits.pool_wait_s):
                await self._slots.acquire()
        except TimeoutError:
            raise NotSent(self._says(f"all {self._pool} connections stayed busy for {limits.pool_wait_s} s")) from None

    def _give_slot_back(self) -> None:
        if self._surplus > 0:
            self._surplus -= 1
        else:
            self._slots.release()

    async def _send_once(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None, gate: Gate, deadline: float
    ) -> ErpResponse | BaseException:
        """The answer, or what the call came to. It is given back to be raised elsewhere, because aiohttp's errors
        hold the request with its credentials, and an error raised while handling one would keep it as its context."""
        try:
            async with asyncio.timeout_at(deadline):
                return await self._exchange(method, url, headers, body, gate)
        except ErpError as error:
            return error
        except Exception as error:
            if gate.refusal is not None:
                return gate.refusal
            return verdict(error, sent=gate.opened, system_id=self._system_id, total_s=self._limits.total_s)

    async def _exchange(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None, gate: Gate
    ) -> ErpResponse:
        data = io.BytesIO(body) if body is not None and len(body) > _WHOLE_BYTES else body
        answer = None
        try:
            answer = await self._opened().request(
                method, url, data=data, headers=headers, allow_redirects=False, middlewares=(gate.attach,)
            )
            received = await self._read(method, answer)
        except BaseException:
            gate.cut(answer)
            raise
        answer.close()  # nothing to a connection that the complete answer has given back; `Gate.open` sees to the rest
        return ErpResponse(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=received,
            cookies=tuple(answer.headers.getall("Set-Cookie", ())),
        )

    async def _read(self, method: str, answer: aiohttp.ClientResponse) -> bytes:
        if answer.status < 200:
            raise Garbled(self._says(f"the peer changed the protocol unasked ({answer.status})"))
        coding = ",".join(answer.headers.getall("Content-Encoding", ())).strip().lower()
        if coding not in {"", "identity"}:
            # Unasked; and a few hundred kB of it may become as many MB.
            raise Garbled(self._says(f"the answer is encoded as {coding[:40]!r}"))
        most = self._limits.body_bytes
        if method != "HEAD" and (answer.content_length or 0) > most:
            raise Garbled(self._says(f"the answer announces more than {most} bytes"))
        received = bytearray()
        async for piece in answer.content.iter_any():
            received += piece
            if len(received) > most:
                raise Garbled(self._says(f"the answer is longer than {most} bytes"))
        return bytes(received)

    def _opened(self) -> aiohttp.ClientSession:
        if self._closed:
            raise NotSent(self._says("the transport is closed"))
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # The slots are the limit: waiting for one has its own time and its own error.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=self._limits.idle_s, ssl=self._ssl or True),
                request_class=OnceRequest,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None, connect=self._limits.connect_s, ceil_threshold=math.inf),
                max_line_size=_LINE_BYTES,
                max_field_size=_LINE_BYTES,
                max_headers=_HEADERS,
                skip_auto_headers=("Content-Type",),
                headers={"User-Agent": "erp-coexistence-gateway"},
            )
            # aiohttp 3.14 sends GET, PUT and DELETE again by itself after a cut; there is no public switch.
            self._session._retry_connection = False  # noqa: SLF001
        return self._session

    def _says(self, what: str) -> str:
        return f"{self._system_id}: {what}"


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` with ours. `Misconfigured` names the header, never its value, which may be a credential."""
    for name, value in headers.items():
        if name.lower() in _OURS or not name.isascii() or any(sign in name + value for sign in "\r\n\0"):
            raise Misconfigured(f"the header {name[:40]!r} cannot be set or holds a line break")
    return {**headers, "Accept-Encoding": "identity"}
