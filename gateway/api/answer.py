"""Answers as bytes: built once, sent without further encoding."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from litestar.serialization import encode_json
from litestar.types import Receive, Scope, Send

from gateway.api.counterparts import members_of
from gateway.api.exchange import Exchange, exchange_of
from gateway.api.problems import problem_body
from gateway.errors import Problem

JSON: Final = b"application/json"
PROBLEM_JSON: Final = b"application/problem+json"
MERGE_PATCH: Final = b"application/merge-patch+json"
_QUALITY: Final = re.compile(r";\s*q\s*=\s*0(\.0*)?\s*(;|\Z)", re.IGNORECASE)

_TOLD_AS_WELL: Final = frozenset({304, 404})
"""That a thing is as it was, and that there is none, are answers too."""

Headers = list[tuple[bytes, bytes]]


class Answer:
    """A whole response; Litestar sends it as it is. `rows`: how many things it tells of, for the access log."""

    __slots__ = ("body", "headers", "rows", "status")

    def __init__(
        self,
        status: int,
        body: bytes,
        media_type: bytes = JSON,
        headers: Iterable[tuple[bytes, bytes]] = (),
        rows: int = 1,
    ) -> None:
        self.status = status
        self.body = body
        self.rows = rows
        self.headers: Headers = [
            (b"content-type", media_type),
            (b"content-length", b"%d" % len(body)),
            # Answers are the caller's own and change by themselves; no cache between may keep them.
            (b"cache-control", b"no-store"),
            *headers,
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises StoreUnavailable, before the first byte, if an auditor's read cannot be recorded."""
        record = exchange_of(scope).record_answer
        if record is not None and (rows := self._rows_told()) is not None:
            exchange_of(scope).record_answer = None  # if it fails, the refusal of that is no answer to the question
            await record(self.body, rows)
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})

    def _rows_told(self) -> int | None:
        """Of how many things the asker learns from this; None: the question was refused, which tells nothing."""
        if self.status < 300:
            return self.rows
        return 0 if self.status in _TOLD_AS_WELL else None


class Unchanged(Answer):
    """304: the caller's copy of what has this ETag still holds. There is no body, hence no length and no type of one
    (RFC 9110 section 15.4.5)."""

    __slots__ = ()

    def __init__(self, etag: bytes) -> None:
        super().__init__(304, b"")
        self.headers = [(b"etag", etag), (b"cache-control", b"no-store")]


def json_answer(
    exchange: Exchange,
    content: dict[str, Any],
    status: int = 200,
    headers: Iterable[tuple[bytes, bytes]] = (),
    listed: str = "items",
) -> Answer:
    """`content` as JSON, with the members that say what the answer's headers say. `listed`: its member whose items are
    what it tells of; content without it tells of one thing.

    `traceId` is the trace of this request, unless the content has one of its own; then `requestTraceId` is.
    """
    trace = {"requestTraceId" if "traceId" in content else "traceId": exchange.trace_id}
    rows = len(content[listed]) if isinstance(content.get(listed), list) else 1
    return Answer(status, encode_json(content | trace | members_of(exchange)), JSON, headers, rows)


def problem_answer(exchange: Exchange, problem: Problem) -> Answer:
    """The problem document, in the media type that the caller takes, with the headers that belong to it."""
    body = problem_body(problem, exchange.instance, exchange.trace_id)
    return problem_document(exchange, body, _headers(problem))


def problem_document(exchange: Exchange, body: dict[str, Any], headers: Iterable[tuple[bytes, bytes]] = ()) -> Answer:
    """A problem document as an answer, with the members that say what the answer's headers say."""
    body |= members_of(exchange)
    media_type = PROBLEM_JSON if _takes_problem_json(exchange.header(b"accept")) else JSON
    return Answer(body["status"], encode_json(body), media_type, headers)


def _headers(problem: Problem) -> Headers:
    """What RFC 9110 and RFC 6750 want beside the body."""
    found: Headers = []
    if problem.retry_after_s is not None:
        found.append((b"retry-after", b"%d" % problem.retry_after_s))
    if problem.slug == "unauthenticated":
        error = b"" if problem.extra.get("tokenMissing") else b', error="invalid_token"'
        found.append((b"www-authenticate", b'Bearer realm="erp-gateway"' + error))
    elif problem.slug == "forbidden":
        scopes = " ".join(str(one) for one in _listed(problem.extra.get("requiredScopes")))
        found.append(
            (b"www-authenticate", f'Bearer realm="erp-gateway", error="insufficient_scope", scope="{scopes}"'.encode())
        )
    elif problem.slug == "method-not-allowed":
        found.append((b"allow", ", ".join(_listed(problem.extra.get("allowedMethods"))).encode("ascii")))
    elif problem.slug == "unsupported-media-type":
        kinds = ", ".join(_listed(problem.extra.get("acceptedMediaTypes"))).encode("ascii")
        found.append((b"accept", kinds))  # RFC 9110 section 15.5.16
        if MERGE_PATCH in kinds:
            found.append((b"accept-patch", kinds))  # RFC 5789 section 2.2
    return found


def _listed(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _takes_problem_json(accept: bytes | None) -> bool:
    """False only for a caller whose Accept admits application/json and not application/problem+json (RFC 9110
    section 12.5.1): Salesforce's External Services know no other media type."""
    if accept is None:
        return True
    admitted = {
        part.split(";", 1)[0].strip()
        for part in accept.decode("latin-1").lower().split(",")
        if _QUALITY.search(part) is None
    }
    if not admitted.isdisjoint({"application/problem+json", "application/*", "*/*"}):
        return True
    return "application/json" not in admitted
