"""The body of a request: read once, within limits of size and time, and only if it says that it is JSON."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from litestar.types import Receive

from gateway.api.exchange import Exchange
from gateway.api.limits import Limits
from gateway.api.problems import malformed
from gateway.errors import Problem

JSON_ONLY: Final = (b"application/json",)


async def read_body(
    exchange: Exchange, receive: Receive, limits: Limits, media_types: tuple[bytes, ...] = JSON_ONLY
) -> bytes:
    """The bytes of the body, which has one of these media types.

    Raises `unsupported-media-type`, `too-large` (before the first byte is read where Content-Length says so, and
    never with more than the limit in memory), `request-timeout`, `invalid-request` if the caller left.
    """
    _check_kind(exchange, media_types)
    _check_stated_length(exchange, limits)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _read(receive, limits)
    except TimeoutError as error:
        raise Problem("request-timeout", f"The body did not arrive within {limits.body_seconds:g} s.") from error


async def _read(receive: Receive, limits: Limits) -> bytes:
    message: Any = await receive()
    pieces: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limits.body_bytes:
            raise _too_large(limits)
        pieces.append(piece)
        if not message.get("more_body"):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        message = await receive()
    raise malformed("", "the connection ended before the body did", "Send the whole body.")


def _check_kind(exchange: Exchange, media_types: tuple[bytes, ...]) -> None:
    kind = exchange.header(b"content-type")
    media_type, _, parameters = (kind or b"").partition(b";")
    charset = parameters.strip().lower().replace(b'"', b"")
    accepted = [one.decode("ascii") for one in media_types]
    if media_type.strip().lower() not in media_types or charset not in {b"", b"charset=utf-8"}:
        raise Problem(
            "unsupported-media-type",
            f"The Content-Type is not {' or '.join(accepted)} in UTF-8.",
            extra={"acceptedMediaTypes": accepted},
        )
    if exchange.header(b"content-encoding") not in {None, b"identity"}:
        raise Problem(
            "unsupported-media-type",
            "The body is compressed; send it with no Content-Encoding.",
            extra={"acceptedMediaTypes": accepted},
        )


def _check_stated_length(exchange: Exchange, limits: Limits) -> None:
    """A length that is stated must be one. Without it the body comes in chunks, or there is none."""
    stated = exchange.header(b"content-length")
    if stated is None:
        return
    if not stated.isdigit() or len(stated) > 19:
        raise malformed("content-length", "the header is no length", "State the length of the body in bytes.")
    if int(stated) > limits.body_bytes:
        raise _too_large(limits)


def _too_large(limits: Limits) -> Problem:
    return Problem(
        "too-large", f"The body is larger than {limits.body_bytes} bytes.", extra={"mostBytes": limits.body_bytes}
    )
