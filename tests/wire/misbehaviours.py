"""How a peer can misbehave on one request that it has read, and what a caller may conclude from it.

Each entry of `MISBEHAVIOURS` writes to the connection what such a peer writes; the peers (`peer.py`, `proxy.py`)
close it afterwards. Whether the request was executed is not in the answer: that is the point.
"""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from adapters.errors import ErpError, Garbled, OutcomeUnknown
from tests.wire.messages import answer

Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Called with the connection after the request was read."""

_TWO_GB: Final = 2_000_000_000
_PIECE: Final = b"x" * 65_536
DRIP_EVERY_S: Final = 0.02
"""Seconds between two bytes of the dripping peer."""


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """`transport`: what the transport must raise; None where it has an answer to give and the driver must judge it.
    `driver`: what a driver may make of it when it answers a posting. `ends_in_time`: False where only the caller's
    total time ends the call."""

    name: str
    act: Act
    transport: type[ErpError] | None
    driver: tuple[type[ErpError], ...]
    ends_in_time: bool = True


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST: what the other side has not read yet is lost."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def until_left(reader: asyncio.StreamReader) -> None:
    """Wait until the other side has closed or reset the connection."""
    try:
        while await reader.read(65_536):
            pass
    except ConnectionError:
        return


def says(*pieces: bytes) -> Act:
    """Writes `pieces`, whatever they are."""

    async def act(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return act


async def _reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset(writer)


async def _never(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await until_left(reader)


async def _drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(DRIP_EVERY_S)


async def _drip_header(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(DRIP_EVERY_S)


def _floods(head: bytes, *, chunked: bool) -> Act:
    async def act(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for _written in range(_TWO_GB // len(_PIECE)):
            writer.write(b"%x\r\n%s\r\n" % (len(_PIECE), _PIECE) if chunked else _PIECE)
            await writer.drain()

    return act


def _bomb() -> bytes:
    body = gzip.compress(bytes(20_000_000))
    return answer("200 OK", body, "Content-Type: application/json", "Content-Encoding: gzip")


_HTML: Final = b"<!DOCTYPE html><html><head><title>Logon</title></head><body><p>Please log on.</body></html>"
_OK: Final = b"HTTP/1.1 200 OK\r\n"
_UNKNOWN: Final = (OutcomeUnknown,)
_GARBLED: Final = (Garbled,)
_EITHER: Final = (OutcomeUnknown, Garbled)

MISBEHAVIOURS: Final = (
    Misbehaviour("reset", _reset, OutcomeUnknown, _UNKNOWN),
    Misbehaviour("close", says(), OutcomeUnknown, _UNKNOWN),
    Misbehaviour("half-header", says(_OK + b"Content-Le"), OutcomeUnknown, _UNKNOWN),
    Misbehaviour("half-body", says(_OK + b"Content-Length: 500\r\n\r\n{"), OutcomeUnknown, _UNKNOWN),
    Misbehaviour("half-chunk", says(_OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{"), OutcomeUnknown, _UNKNOWN),
    Misbehaviour("never", _never, OutcomeUnknown, _UNKNOWN, ends_in_time=False),
    Misbehaviour("drip", _drip, OutcomeUnknown, _UNKNOWN, ends_in_time=False),
    Misbehaviour("drip-header", _drip_header, OutcomeUnknown, _UNKNOWN, ends_in_time=False),
    Misbehaviour("garbage-status-line", says(b"\x00\x01 what is this\r\n\r\n"), Garbled, _GARBLED),
    Misbehaviour("two-lengths", says(_OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), Garbled, _GARBLED),
    Misbehaviour("length-too-short", says(_OK + b"Content-Length: 1\r\n\r\n{}{}"), Garbled, _GARBLED),
    Misbehaviour("bad-chunk", says(_OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"), Garbled, _GARBLED),
    Misbehaviour("long-header", says(_OK + b"X: " + b"a" * 70_000 + b"\r\n\r\n"), Garbled, _GARBLED),
    Misbehaviour("many-headers", says(_OK + b"X: a\r\n" * 5_000 + b"\r\n"), Garbled, _GARBLED),
    Misbehaviour(
        "upgrade", says(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), Garbled, _GARBLED
    ),
    Misbehaviour("two-gb", _floods(_OK + b"Content-Length: %d\r\n\r\n" % _TWO_GB, chunked=False), Garbled, _GARBLED),
    Misbehaviour(
        "two-gb-chunked", _floods(_OK + b"Transfer-Encoding: chunked\r\n\r\n", chunked=True), Garbled, _GARBLED
    ),
    Misbehaviour("two-gb-until-close", _floods(_OK + b"\r\n", chunked=False), Garbled, _GARBLED),
    Misbehaviour("gzip-bomb", says(_bomb()), Garbled, _GARBLED),
    Misbehaviour("html-200", says(answer("200 OK", _HTML, "Content-Type: text/html;charset=utf-8")), None, _EITHER),
    Misbehaviour("html-500", says(answer("500 Oops", _HTML, "Content-Type: text/html")), None, _EITHER),
    Misbehaviour("html-503", says(answer("503 Busy", _HTML, "Content-Type: text/html")), None, _EITHER),
    Misbehaviour("html-404", says(answer("404 Not Found", _HTML, "Content-Type: text/html")), None, _EITHER),
    Misbehaviour("empty-200", says(answer("200 OK")), None, _EITHER),
    Misbehaviour("empty-201", says(answer("201 Created")), None, _EITHER),
    Misbehaviour("json-null", says(answer("201 Created", b"null", "Content-Type: application/json")), None, _EITHER),
    Misbehaviour(
        "wrong-charset",
        says(answer("201 Created", b'{"d": {"\xe4\xff": "\xfc"}}', "Content-Type: application/json;charset=utf-8")),
        None,
        _EITHER,
    ),
    Misbehaviour(
        "deep-json",
        says(answer("201 Created", b"[" * 200_000, "Content-Type: application/json")),
        None,
        _EITHER,
    ),
    Misbehaviour(
        "deep-xml",
        says(answer("200 OK", b"<a>" * 200_000, "Content-Type: text/xml; charset=utf-8")),
        None,
        _EITHER,
    ),
    Misbehaviour("redirect", says(answer("302 Found", b"", "Location: http://127.0.0.1:9/")), None, _EITHER),
)
"""All of them. A redirected posting, HTML from something in between, or an empty success prove nothing either way."""


def by_name(name: str) -> Misbehaviour:
    """The misbehaviour of that name."""
    return next(one for one in MISBEHAVIOURS if one.name == name)
