"""How callers are told that an operation will go: in headers of every answer, and in the description.

Sources: RFC 9745 (`Deprecation`, a date as `@` and seconds since 1970; the link relation `deprecation`), RFC 8594
(`Sunset`, an HTTP date, not before the deprecation).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final

DEPRECATION_HEADERS: Final = ("Deprecation", "Sunset", "Link")


@dataclass(frozen=True, slots=True)
class Deprecation:
    """`since`: when callers should stop to build on it; `sunset`: when it may be gone; both UTC, to the second.

    `instead`: what to use; `link`: where that is told at length, relative to the gateway's address.

    Raises:
        ValueError: a time that is not UTC, or a sunset before the deprecation.
    """

    since: datetime
    sunset: datetime
    instead: str
    link: str

    def __post_init__(self) -> None:
        if self.since.utcoffset() != timedelta(0) or self.sunset.utcoffset() != timedelta(0):
            raise ValueError("deprecation and sunset are in UTC")
        if self.sunset < self.since:
            raise ValueError("the sunset comes before the deprecation")
        if not self.link.startswith("/") or not all("!" <= one <= "~" and one not in '<>"' for one in self.link):
            raise ValueError(f"{self.link!r} is no address below the gateway's")

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What every answer of the operation carries."""
        sunset = format_datetime(self.sunset, usegmt=True)
        return [
            (b"deprecation", b"@%d" % int(self.since.timestamp())),
            (b"sunset", sunset.encode("ascii")),
            (b"link", f'<{self.link}>; rel="deprecation"'.encode("ascii")),
        ]

    @property
    def member(self) -> dict[str, str]:
        """The same in the body of every JSON answer."""
        return {
            "deprecatedAt": self.since.isoformat().replace("+00:00", "Z"),
            "sunsetAt": self.sunset.isoformat().replace("+00:00", "Z"),
            "moreUrl": self.link,
            "useInstead": self.instead,
        }

    @property
    def told(self) -> str:
        """The same in a sentence, for callers that cannot read headers of answers."""
        return f"Deprecated since {self.since:%Y-%m-%d}, may be gone on {self.sunset:%Y-%m-%d}: use {self.instead}."
