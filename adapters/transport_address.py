"""Where a request goes: the system's address, a path below it, a query. Pure; nothing is ever sent from here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from yarl import URL

from adapters.errors import Misconfigured

_PATH_SAFE: Final = "/-._~!$&'()*+,;=:@"
"""RFC 3986 `pchar` and the slash; everything else in a path is percent-encoded."""
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f]")
_KEY: Final = re.compile(r"\([^()]*\)")
_NUMBER: Final = re.compile(r"(?<=/)[^/]*\d[^/]*(?=/|\Z)")
_VERSION: Final = re.compile(r"\A(v?\d{1,4}|[A-Za-z_]+\d{0,3}[A-Za-z_]*)\Z")


class Address:
    """A system's address. Its path is kept: requests go below it, never beside it."""

    def __init__(self, base_url: str) -> None:
        """`base_url` is http or https with a host; credentials, query or fragment in it are `Misconfigured`."""
        try:
            parts = urlsplit(base_url)
            port = parts.port
        except ValueError:
            raise Misconfigured("the system's address is not a URL") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Misconfigured("the system's address must be http(s)://host[:port][/path]")
        if parts.username is not None or parts.password is not None:
            # An address is shown in errors, spans and the console; a password in it would be shown too.
            raise Misconfigured("the system's address must not hold credentials")
        if parts.query or parts.fragment or _UNPRINTABLE.search(base_url):
            raise Misconfigured("the system's address must have no query, fragment or blanks")
        _refuse_climbing(parts.path)
        self.host = parts.hostname
        self.port = port or (443 if parts.scheme == "https" else 80)
        self._prefix = f"{parts.scheme}://{parts.netloc}{_encode_path(parts.path.rstrip('/'))}"

    def url(self, path: str, query: Mapping[str, str]) -> URL:
        """The URL of `path` below the address.

        A `%XX` in `path` is kept and everything else that is not a path character is encoded, so a value that may
        hold a slash, a percent sign or a question mark is quoted by who puts it there. Raises `Misconfigured` for
        `.` and `..` segments in any spelling.
        """
        text = f"{self._prefix}/{_checked_path(path)}"
        if query:
            # Not urlencode(): its '+' for a blank is a plus sign to OData V4 servers.
            text += "?" + "&".join(f"{quote(key, safe='$')}={quote(value, safe='')}" for key, value in query.items())
        return URL(text, encoded=True)


@lru_cache(maxsize=1_024)
def template_of(path: str) -> str:
    """`path` without what names one document, for spans: keys in parentheses and segments that look like numbers."""
    without_keys = _KEY.sub("()", "/" + path.lstrip("/"))
    return _NUMBER.sub(lambda match: match[0] if _VERSION.match(match[0]) else "{id}", without_keys)


@lru_cache(maxsize=1_024)
def _checked_path(path: str) -> str:
    """Remembered, because a driver posts to a handful of paths all day."""
    if "?" in path or "#" in path or "\\" in path:
        raise Misconfigured("a path holds a query, a fragment or a backslash")
    _refuse_climbing(path)
    return _encode_path(path.lstrip("/"))


def _encode_path(path: str) -> str:
    pieces: list[str] = []
    end = 0
    for escape in _ESCAPE.finditer(path):
        pieces += (quote(path[end : escape.start()], safe=_PATH_SAFE), escape[0])
        end = escape.end()
    return "".join(pieces) + quote(path[end:], safe=_PATH_SAFE)


def _refuse_climbing(path: str) -> None:
    """Servers decode before they resolve dots, some of them twice."""
    decoded = unquote(unquote(path)).replace("\\", "/")
    if any(segment in {".", ".."} for segment in decoded.split("/")):
        raise Misconfigured("a path climbs out of the system's address")
