"""Ids in addresses: prefix, underscore, 26 characters of Crockford base32."""

from __future__ import annotations

import re
from typing import Final

from gateway.api.problems import malformed

ID_PATTERN: Final = r"[a-z]{1,8}_[0-9A-HJKMNP-TV-Z]{26}"
_ID: Final = re.compile(rf"\A{ID_PATTERN}\Z")  # not $, which would let a line feed at the end pass


def is_id(text: str) -> bool:
    """Whether this is of the form of an id."""
    return _ID.match(text) is not None


def checked_id(name: str, text: str) -> str:
    """The id of an address. Raises `invalid-request` for what no id can be."""
    if not is_id(text):
        raise malformed(name, "is not an id", "Use the id exactly as the gateway gave it.")
    return text
