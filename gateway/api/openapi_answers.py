"""Answers and problems in the description, each with its headers and an example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.api.contract.deprecation import DEPRECATION_HEADERS
from gateway.api.operations import Operation
from gateway.api.problems import KINDS
from gateway.api.shapes import PROBLEM_REF, Shapes

_MERGE_PATCH: Final = "application/merge-patch+json"
_EVERYWHERE: Final = (
    "invalid-request",
    "method-not-allowed",
    "too-large",
    "rate-limited",
    "internal-error",
    "not-ready",
)
_PROTECTED: Final = ("unauthenticated", "forbidden")
_MEANINGS: Final = {
    200: "As it stands.",
    201: "Posted in the ERP by this request.",
    202: "Accepted durably, and not at its end yet: read the transaction again.",
    304: "What the caller has still holds; there is no body.",
}
_HEADERS: Final[Mapping[str, str]] = {
    "Location": "Where the result can be read; also `documentUrl`, or `statusUrl` while pending, in the body.",
    "Retry-After": "Seconds; also `retryAfterS` in the body.",
    "ETag": "Names what the document says; also `etag` in the body, without the quotes.",
    "Preference-Applied": "What of Prefer was done (RFC 7240); also `preferenceApplied` in the body.",
    "tracestate": "W3C Trace Context, as it was sent; also `traceState` in the body.",
    "Cache-Control": "`no-store`: answers are the caller's own and change by themselves.",
    "traceparent": "W3C Trace Context; its trace id is `requestTraceId` or `traceId` in the body.",
    "RateLimit-Policy": "The caller's quota (draft-ietf-httpapi-ratelimit-headers); also `rateLimit` in the body.",
    "RateLimit": "What is left of it; also `rateLimit` in the body.",
    "WWW-Authenticate": "How to authenticate (RFC 6750); also `code`, `tokenMissing`, `requiredScopes` in the body.",
    "Allow": "The methods of the address; also `allowedMethods` in the body.",
    "Accept-Patch": "The same for a change (RFC 5789); also `acceptedMediaTypes` in the body.",
    "Accept": "The media types that are taken; also `acceptedMediaTypes` in the body.",
    "Deprecation": "Since when this is not to be built on (RFC 9745): `@` and seconds since 1970; also `deprecation`.",
    "Sunset": "When this may be gone (RFC 8594): an HTTP date; also `deprecation`.",
    "Content-Security-Policy": "A page runs no script and fetches nothing from anywhere (CSP level 3).",
    "Link": "With rel=deprecation, where it is told what to use instead; also `deprecation`.",
}
_OF_STATUS: Final[Mapping[int, tuple[str, ...]]] = {
    201: ("Location",),
    202: ("Location", "Retry-After"),
    304: ("ETag",),
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    405: ("Allow",),
    409: ("Retry-After",),
    415: ("Accept",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
_RATE_HEADERS: Final = ("RateLimit-Policy", "RateLimit")
_ALWAYS: Final = ("traceparent", "tracestate", "Cache-Control")


def responses(operation_id: str, operation: Operation, path: str, shapes: Shapes, *, is_public: bool) -> dict[str, Any]:
    """By status: what the operation answers, and what any operation may."""
    slugs = {*_EVERYWHERE, *operation.problems, *(() if is_public else _PROTECTED)}
    limited = () if is_public else _RATE_HEADERS
    return {
        **{
            str(status): {
                "description": _MEANINGS[status],
                "headers": _headers(status, operation, limited),
                **_content(operation_id, status, operation, shapes),
            }
            for status in operation.answers
        },
        **_problems(slugs, operation, limited, path),
    }


def _content(operation_id: str, status: int, operation: Operation, shapes: Shapes) -> dict[str, Any]:
    if status == 304:
        return {}
    model = operation.answers[status]
    content: dict[str, Any] = {"schema": {"type": "string"} if model is None else shapes.answer(operation_id, model)}
    if status in operation.answer_examples:
        content["examples"] = {"plain": {"value": operation.answer_examples[status]}}
    return {"content": {operation.answer_media_type: content}}


def _headers(status: int, operation: Operation, limited: tuple[str, ...]) -> dict[str, Any]:
    names = _OF_STATUS.get(status, ()) + tuple(operation.answer_headers.get(status, ()))
    if status == 415 and _MERGE_PATCH in operation.body_media_types:
        names += ("Accept-Patch",)
    if "Prefer" in operation.headers:
        names += ("Preference-Applied",)
    if operation.deprecation is not None:
        names += DEPRECATION_HEADERS
    names += (*_ALWAYS, *limited)
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}


def _problems(slugs: set[str], operation: Operation, limited: tuple[str, ...], path: str) -> dict[str, Any]:
    """One response per status, which lists the problems that it can be."""
    by_status: dict[int, list[str]] = {}
    for kind in KINDS.values():
        if kind.slug in slugs:
            by_status.setdefault(kind.status, []).append(kind.slug)
    return {
        str(status): {
            "description": "; ".join(f"`{slug}`: {KINDS[slug].title}" for slug in found),
            # Refusals of callers whom nobody knows are counted on public addresses as well.
            "headers": _headers(status, operation, _RATE_HEADERS if status < 500 else limited),
            "content": {
                "application/problem+json": {"schema": PROBLEM_REF},
                # The same bodies, shown once: they are many.
                "application/json": {
                    "schema": PROBLEM_REF,
                    "examples": {slug: {"value": _example(slug, path)} for slug in found},
                },
            },
        }
        for status, found in by_status.items()
    }


def _example(slug: str, path: str) -> dict[str, Any]:
    kind = KINDS[slug]
    return {
        "type": kind.uri,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.title + ".",
        "instance": path.partition("/{")[0],
        "code": slug,
        "remedy": kind.remedy,
        "errors": [],
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "retryAfterS": 7 if kind.status in {429, 503} else None,
        "rateLimit": None,
    }
