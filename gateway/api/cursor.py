"""Cursors: where a list goes on, for the same question only."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from gateway.api.identifiers import ID_PATTERN
from gateway.api.problems import malformed
from gateway.errors import Problem

_PAGING: Final = frozenset({"cursor", "pageSize"})
_DIGEST_BYTES: Final = 8


def make_cursor(route: str, query: Mapping[str, str], last_id: str) -> str:
    """Opaque for callers. It grants nothing: every page is read with the caller's own data scope."""
    raw = _digest(route, query) + last_id.encode("ascii")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def read_cursor(route: str, query: Mapping[str, str], pattern: str = ID_PATTERN) -> str | None:
    """The id after which the list goes on; `pattern`: what ids of these things match.

    Raises `invalid-request` for a cursor of another question.
    """
    cursor = query.get("cursor")
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        last_id = raw[_DIGEST_BYTES:].decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise _refused("is not a cursor of this gateway") from error
    if re.fullmatch(pattern, last_id) is None:
        raise _refused("is not a cursor of this gateway")
    if raw[:_DIGEST_BYTES] != _digest(route, query):
        raise _refused("belongs to a list with other filters")
    return last_id


def _digest(route: str, query: Mapping[str, str]) -> bytes:
    question = [route, sorted((name, text) for name, text in query.items() if name not in _PAGING)]
    return sha256(json.dumps(question).encode()).digest()[:_DIGEST_BYTES]


def _refused(message: str) -> Problem:
    return malformed("cursor", message, "Use nextCursor as it was given, with the same filters; or start without it.")
