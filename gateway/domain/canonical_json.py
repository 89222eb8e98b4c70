"""RFC 8785 canonical JSON, by msgspec's encoder where it writes the same bytes.

That is so for what entries are made of: text, whole numbers that every reader can hold (RFC 8785 section 3.2.2.3), and
members with ASCII names, which sort alike by code points and by UTF-16 units (section 3.2.3). The rest is left to
`rfc8785`, at some thirty times the cost.
"""

from __future__ import annotations

from types import NoneType
from typing import Any, Final

import msgspec
import rfc8785

_MOST: Final = 2**53 - 1
_SIMPLE: Final = frozenset({str, bool, NoneType})
_encode: Final = msgspec.json.Encoder(order="sorted").encode


def canonical_json(value: Any) -> bytes:
    """The canonical bytes. Raises `rfc8785.CanonicalizationError` for what has none."""
    if _is_plain(value):
        try:
            return _encode(value)
        except UnicodeEncodeError:
            pass  # a lone surrogate: it has no canonical form, and the library says so in its own words
    return rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:
    # exactly these types: what only behaves like one of them may be written otherwise
    kind: type = type(value)
    if kind in _SIMPLE:
        return True
    if kind is int:
        return bool(-_MOST <= value <= _MOST)
    if kind is dict:
        for name, member in value.items():
            # a look at the members in place: most are texts, and every entry pays for a call
            if type(name) is not str or not name.isascii() or (type(member) not in _SIMPLE and not _is_plain(member)):
                return False
        return True
    return kind is list and all(map(_is_plain, value))
