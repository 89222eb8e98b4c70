"""One request and its answer: the headers that count, its place in a trace, and who calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, cast
from urllib.parse import quote

from gateway.api.addresses import Network, client_address
from gateway.api.contract.deprecation import Deprecation
from gateway.api.problems import malformed
from gateway.api.rates import Quota
from gateway.api.trace_state import read_trace_state
from gateway.auth import Identity
from gateway.errors import Problem
from gateway.ledger.api_uses import ApiUse
from gateway.telemetry import TraceContext, fresh_trace, parse_traceparent

_KEY: Final = "gateway_exchange"
_SINGLE: Final = frozenset(
    {
        b"host",
        b"authorization",
        b"idempotency-key",
        b"content-type",
        b"content-length",
        b"content-encoding",
        b"transfer-encoding",
    }
)
"""Headers that two readers would read differently if they came twice (RFC 9110 section 5.3, RFC 9112 section 6.3)."""


class Exchange:
    """What the layers between door and handler share about one request.

    Set on the way: `identity` and `quota` by the guard (`quota` by the door where nobody is known), `deprecation` by
    the guard, `preference_applied` by the handler; `record_answer` by the guard: it takes the answer's body and its
    number of rows, and is awaited before the first byte is sent; `use` by the guard: what the request is counted as.
    """

    __slots__ = (
        "_headers", "deprecation", "doubled", "header_bytes", "identity", "needs_host", "path", "peer",
        "preference_applied", "quota", "record_answer", "trace", "trace_state", "use",
    )  # fmt: skip

    def __init__(self, headers: list[tuple[bytes, bytes]], path: str, http_version: str, peer: str = "") -> None:
        found: dict[bytes, bytes] = {}
        self.doubled: bytes | None = None
        self.header_bytes = 0
        for raw_name, value in headers:
            name = raw_name.lower()
            self.header_bytes += len(name) + len(value)
            if name not in found:
                found[name] = value
            elif name in _SINGLE:
                self.doubled = name
            else:
                found[name] = found[name] + b", " + value
        self._headers = found
        self.path = path
        # HTTP/1.0 has no Host, and simple load balancers still ask for /health with it.
        self.needs_host = http_version != "1.0"
        parent = found.get(b"traceparent")
        context = parse_traceparent(parent) if parent is not None else None
        self.trace: TraceContext = fresh_trace() if context is None else context.child()
        # Without a valid parent there is no trace that a state could belong to (Trace Context, section 3.3).
        self.trace_state = None if context is None else read_trace_state(found.get(b"tracestate"))
        self.peer = peer
        self.identity: Identity | None = None
        self.quota: Quota | None = None
        self.deprecation: Deprecation | None = None
        self.preference_applied: str | None = None
        self.record_answer: Callable[[bytes, int], Awaitable[None]] | None = None
        self.use: ApiUse | None = None

    @property
    def trace_id(self) -> str:
        return self.trace.trace_id

    @property
    def instance(self) -> str:
        """The address as a URI reference (RFC 3986), shortened."""
        return quote(self.path[:256])

    def header(self, name: bytes) -> bytes | None:
        """The header's value, lists joined; None if it is absent. `name` in lower case."""
        return self._headers.get(name)

    def address(self, proxies: Sequence[Network]) -> str:
        """Where the request comes from, with what these proxies say of it."""
        return client_address(self.peer, self.header(b"x-forwarded-for"), proxies)

    def refusal(self, most_header_bytes: int) -> Problem | None:
        """Why a request with these headers is not looked at, if it is not."""
        if self.doubled is not None:
            name = self.doubled.decode("ascii")
            return malformed(name, "the header is given more than once", "Send it exactly once.")
        if self.needs_host and not self._headers.get(b"host"):  # granian puts an empty one where there is none
            return malformed("host", "the header is missing", "Send it exactly once (RFC 9112 section 3.2).")
        if self.header_bytes > most_header_bytes:
            return Problem("too-large", f"The headers are larger than {most_header_bytes} bytes.")
        return None


def enter(scope: Any) -> Exchange:
    """Begin the exchange of an ASGI scope."""
    peer = scope.get("client") or ("",)
    exchange = Exchange(scope["headers"], scope["path"], scope.get("http_version", "1.1"), str(peer[0]))
    scope["state"][_KEY] = exchange
    return exchange


def exchange_of(scope: Any) -> Exchange:
    """The exchange that the door began."""
    return cast("Exchange", scope["state"][_KEY])
