"""The caller's own name of a request: the header Idempotency-Key, or the member `idempotencyKey`."""

from __future__ import annotations

import re
from typing import Any, Final

from gateway.api.problems import malformed

KEY_PATTERN: Final = r"[!-~]{1,255}"
"""Stripe allows 255 characters, Zuora fewer."""
_KEY: Final = re.compile(rf"\A{KEY_PATTERN}\Z")


def idempotency_key(header: bytes | None, member: Any) -> str | None:
    """The key of the request. Raises `invalid-request` for one out of form, and for two that differ."""
    in_header, in_body = _of_header(header), _checked("idempotencyKey", member)
    if in_body is not None and in_header is not None and in_body != in_header:
        raise malformed("idempotencyKey", "differs from the header Idempotency-Key", "Send one, or the same twice.")
    return in_header if in_body is None else in_body


def _of_header(header: bytes | None) -> str | None:
    """With or without the quotes that make it a structured field (draft-ietf-httpapi-idempotency-key)."""
    if header is None:
        return None
    text = header.decode("latin-1").strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return _checked("Idempotency-Key", text)


def _checked(field: str, key: Any) -> str | None:
    if key is None:
        return None
    if not isinstance(key, str) or _KEY.match(key) is None:
        raise malformed(field, "is not 1 to 255 printable ASCII characters without blanks", "Use a UUID, for example.")
    return key
