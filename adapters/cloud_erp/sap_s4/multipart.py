"""`multipart/mixed` bodies of OData V2 batches: HTTP requests in one body, HTTP answers in another. Pure.

Sources: RFC 2046 section 5.1 (boundaries), OData.org "Batch Processing (OData Version 2.0)". What does not end with
its closing boundary is not whole and is `Garbled`, on either level.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.errors import Garbled
from adapters.transport import ErpResponse

MAX_PARTS: Final = 10_000
"""Parts on one level; a change of 999 lines has some 4,000 steps."""
_MAX_HEADERS: Final = 64
_BOUNDARY: Final = re.compile(r"boundary=\"?([0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-])\"?\s*(?:;|\Z)")
_STATUS: Final = re.compile(rb"\AHTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\Z")
_HEADER: Final = re.compile(rb"\A([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}):[ \t]*([^\r\n]*)\Z")
_LENGTH: Final = re.compile(r"\A[0-9]{1,9}\Z")
_HTTP: Final = b"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"


@dataclass(frozen=True, slots=True)
class Call:
    """One request inside a batch; `path` is below the service, percent-encoded."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


def encode(changes: Sequence[Call], reading: Call | None) -> tuple[str, bytes]:
    """Media type and body of a batch: one changeset, and a reading behind it.

    The boundaries are made of what they separate, so that it cannot hold them.
    """
    requests = [_request(change) for change in changes]
    mark = hashlib.sha256(b"".join(requests)).hexdigest()[:32]
    outer, inner = f"batch_{mark}", f"changeset_{mark}"
    members = b"".join(
        f"--{inner}\r\n".encode() + _HTTP + f"Content-ID: {place}\r\n\r\n".encode() + request + b"\r\n"
        for place, request in enumerate(requests, 1)
    )
    body = (
        f"--{outer}\r\nContent-Type: multipart/mixed; boundary={inner}\r\n\r\n".encode()
        + members
        + f"--{inner}--\r\n".encode()
    )
    if reading is not None:
        body += f"--{outer}\r\n".encode() + _HTTP + b"\r\n" + _request(reading) + b"\r\n"
    return f"multipart/mixed; boundary={outer}", body + f"--{outer}--\r\n".encode()


def decode(response: ErpResponse) -> list[ErpResponse | list[ErpResponse]]:
    """The answers of a batch in their order; a changeset is a list."""
    answers: list[ErpResponse | list[ErpResponse]] = []
    for headers, content in _parts(response.headers.get("content-type", ""), response.body):
        if headers.get("content-type", "").strip().lower().startswith("multipart/mixed"):
            answers.append([_answer(*part) for part in _parts(headers["content-type"], content)])
        else:
            answers.append(_answer(headers, content))
    return answers


def _request(call: Call) -> bytes:
    headers = dict(call.headers)
    if call.body:
        headers["Content-Length"] = str(len(call.body))
    lines = [f"{call.method} {call.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + call.body


def _parts(content_type: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Headers and content of each part of a multipart body."""
    media_type, _, parameters = content_type.partition(";")
    boundary = _BOUNDARY.search(parameters)
    if media_type.strip().lower() != "multipart/mixed" or boundary is None:
        raise Garbled("the answer is not multipart/mixed")
    delimiter = b"\r\n--" + boundary[1].encode()
    pieces = (b"\r\n" + body).split(delimiter, MAX_PARTS + 2)
    if len(pieces) > MAX_PARTS + 2:
        raise Garbled(f"the batch has more than {MAX_PARTS} parts")
    before, *parts = pieces
    if before.strip() or not parts or not parts[-1].startswith(b"--") or parts[-1][2:].strip():
        raise Garbled("the batch is not whole")
    return [_part(part) for part in parts[:-1]]


def _part(piece: bytes) -> tuple[dict[str, str], bytes]:
    line_end, _, rest = piece.partition(b"\r\n")
    if line_end.strip(b" \t") or not rest:
        raise Garbled("a part of the batch does not begin on a line of its own")
    return _headed(rest)


def _headed(text: bytes) -> tuple[dict[str, str], bytes]:
    """Header lines and what follows the empty line behind them."""
    head, empty, content = (b"\r\n" + text).partition(b"\r\n\r\n")
    if not empty:
        raise Garbled("a part of the batch has no end of its headers")
    lines = head.split(b"\r\n")[1:]
    if len(lines) > _MAX_HEADERS:
        raise Garbled(f"a part of the batch has more than {_MAX_HEADERS} headers")
    headers: dict[str, str] = {}
    for line in lines:
        match = _HEADER.match(line)
        if match is None:
            raise Garbled("a part of the batch has a line that is no header")
        headers[match[1].decode("ascii").lower()] = match[2].decode("latin-1").strip()
    return headers, content


def _answer(part_headers: Mapping[str, str], content: bytes) -> ErpResponse:
    """The HTTP answer in a part."""
    if part_headers.get("content-type", "").partition(";")[0].strip().lower() != "application/http":
        raise Garbled("a part of the batch is no HTTP answer")
    line, _, rest = content.partition(b"\r\n")
    status = _STATUS.match(line)
    if status is None:
        raise Garbled("a part of the batch has no status")
    headers, body = _headed(rest)
    length = headers.get("content-length")
    if length is not None:
        if _LENGTH.match(length) is None or len(body) < int(length) or body[int(length) :].strip():
            raise Garbled("a part of the batch is not as long as it says")
        body = body[: int(length)]
    return ErpResponse(int(status[1]), headers, body)
