"""RFC 8785 canonical JSON, by the standard library's encoder where it writes the same bytes.

That is so for what entries are made of: text, whole numbers that every reader can hold (RFC 8785 section 3.2.2.3), and
members with ASCII names, which sort alike by code points and by UTF-16 units (section 3.2.3). The rest is left to
`rfc8785`, at some ten times the cost.
"""

from __future__ import annotations

import json
from typing import Any, Final

import rfc8785

_MOST: Final = 2**53 - 1
_encode: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def canonical_json(value: Any) -> bytes:
    """The canonical bytes. Raises `rfc8785.CanonicalizationError` for what has none."""
    if _is_plain(value):
        try:
            return _encode(value).encode()
        except UnicodeEncodeError:
            pass  # a lone surrogate: it has no canonical form, and the library says so in its own words
    return rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:
    # exactly these types: what only behaves like one of them may be written otherwise
    kind: type = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-_MOST <= value <= _MOST)
    if kind is dict:
        return all(type(name) is str and name.isascii() and _is_plain(member) for name, member in value.items())
    return kind is list and all(map(_is_plain, value))
