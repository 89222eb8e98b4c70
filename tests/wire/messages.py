"""Raw HTTP/1.1 messages as the peers of the tests read and write them: whole, undecoded, without a library's mercy."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One HTTP request as its receiver read it. `path` without the query; header names in lower case; `body` may be
    cut by what the receiver records (the peers of this folder hold it whole); `raw` are its bytes, if they are held."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    raw: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """The first value of a header, "" if there is none."""
        return next((value for key, value in self.headers if key == name.lower()), "")


async def read_request(reader: asyncio.StreamReader) -> SeenRequest | None:
    """The next request, None if the sender ended before it was whole."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        start, headers = _parsed(head)
        body = await _read_body(reader, headers)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    method, target, _ = start.split(" ", 2)
    path, _, query = target.partition("?")
    return SeenRequest(method, path, query, tuple(headers), body, head + body)


async def read_answer(reader: asyncio.StreamReader, method: str) -> bytes:
    """One whole answer to a request of `method`, as it came. Raises `asyncio.IncompleteReadError` if it was cut."""
    head = await reader.readuntil(b"\r\n\r\n")
    start, headers = _parsed(head)
    status = start.split(" ")[1]
    if method == "HEAD" or status in {"204", "304"}:
        return head
    names = dict(headers)
    if "content-length" in names or "chunked" in names.get("transfer-encoding", ""):
        return head + await _read_body(reader, headers)
    return head + await reader.read()


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """An answer with its length, e.g. `answer("200 OK", b"{}", "Content-Type: application/json")`."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def _parsed(head: bytes) -> tuple[str, list[tuple[str, str]]]:
    start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return start, [(name.strip().lower(), value.strip()) for name, _, value in pairs]


async def _read_body(reader: asyncio.StreamReader, headers: list[tuple[str, str]]) -> bytes:
    names = dict(headers)
    if "chunked" not in names.get("transfer-encoding", ""):
        return await reader.readexactly(int(names.get("content-length", "0")))
    pieces: list[bytes] = []
    while True:
        size = await reader.readuntil(b"\r\n")
        length = int(size, 16)
        piece = await reader.readexactly(length + 2)
        pieces += (size, piece)
        if not length:
            return b"".join(pieces)
