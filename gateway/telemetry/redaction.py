"""What never enters a log line: secrets and payloads."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

REDACTED: Final = "[redacted]"
MAX_TEXT: Final = 2_000
"""Characters of one value; a longer text is a payload in disguise."""
MAX_ITEMS: Final = 50
MAX_DEPTH: Final = 4

_SECRET_KEYS: Final = re.compile(
    r"authori[sz]ation|token|secret|passw|credential|cookie|api_?key|private_?key|assertion|\Abody\Z|_body\Z|payload"
    r"|\Adocument\Z|idempotency_?key|\Aheaders\Z|external_?id",
    re.IGNORECASE,
)
_SECRET_TEXTS: Final = re.compile(
    r"(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"  # an Authorization header, wherever it was quoted
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"  # a JWT
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",  # credentials in an address
    re.IGNORECASE,
)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: values under telling names are dropped, telling texts inside others are blotted out."""
    for key, value in event.items():
        event[key] = REDACTED if _is_secret(key) else _clean(value, 0)
    return event


def _is_secret(key: str) -> bool:
    return _SECRET_KEYS.search(key) is not None


def _clean(value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, str):
        text = _SECRET_TEXTS.sub(REDACTED, value)
        return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}[{len(text) - MAX_TEXT} more]"
    if depth >= MAX_DEPTH:
        return f"[{type(value).__name__}]"
    if isinstance(value, Mapping):
        kept = list(value.items())[:MAX_ITEMS]
        return {str(key): REDACTED if _is_secret(str(key)) else _clean(one, depth + 1) for key, one in kept}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(one, depth + 1) for one in list(value)[:MAX_ITEMS]]
    # An object's text can hold anything (a pydantic error quotes its input): only its kind is told.
    return f"[{type(value).__name__}]"
