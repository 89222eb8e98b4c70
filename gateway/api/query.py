"""Query parameters: each route names its own, and anything else is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from gateway.api.limits import Limits
from gateway.api.problems import malformed


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter: its wire name, what its text must match (the whole of it), and what it means.

    `form`: `date` or `date-time` (RFC 3339) where the pattern alone admits days that do not exist. Parameters that were
    released without one have none, for generated clients would take another type for them; `meaning` says it there.
    """

    name: str
    pattern: str
    meaning: str
    example: str
    required: bool = False
    values: tuple[str, ...] = ()
    form: str = ""

    def check(self, text: str) -> None:
        """Raises `invalid-request`."""
        if self.values and text not in self.values:
            raise malformed(self.name, "is not one of the values that are known here", f"Use {', '.join(self.values)}.")
        if re.fullmatch(self.pattern, text) is None:
            raise malformed(self.name, "is not of the form that is asked for", f"An example is {self.example}")


NODE: Final = r"[A-Za-z0-9_-]{1,32}"
EXTERNAL_ID: Final = r"[!-~]([ -~]{0,62}[!-~])?"
INSTANT: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
AMOUNT: Final = r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?"

CURSOR: Final = Parameter("cursor", r"[A-Za-z0-9_-]{1,200}", "nextCursor of the page before, as it was given.", "AAAA")
PAGE_SIZE: Final = Parameter("pageSize", r"[1-9][0-9]{0,3}", "Records of one page.", "50")

Query = dict[str, str]
T = TypeVar("T")


def read_query(raw: bytes, known: Sequence[Parameter], limits: Limits) -> Query:
    """The parameters by name. Raises `invalid-request` for unknown, repeated, missing and malformed ones."""
    by_name = {one.name: one for one in known}
    found: Query = {}
    if raw:
        for name, text in _pairs(raw, limits):
            parameter = by_name.get(name)
            if parameter is None:
                listed = f"Known here: {', '.join(by_name)}." if by_name else "None are known here."
                raise malformed(name[:64], "is not a query parameter that is known here", listed)
            if name in found:
                raise malformed(name, "is given more than once", "Give it once.")
            parameter.check(text)
            found[name] = text
    for one in known:
        if one.required and one.name not in found:
            raise malformed(one.name, "is missing", f"Add it to the query; an example is {one.example}")
    return found


def _pairs(raw: bytes, limits: Limits) -> list[tuple[str, str]]:
    if len(raw) > limits.query_bytes:
        raise malformed("", f"the query is longer than {limits.query_bytes} bytes", "Use fewer or shorter filters.")
    try:
        return parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=50,
        )
    except ValueError as error:  # includes what is not ASCII, not UTF-8 after decoding, or no name=value
        raise malformed("", "the query cannot be read", "Send name=value pairs, percent-encoded in UTF-8.") from error


def page_size(query: Query, limits: Limits) -> int:
    """How many records the caller wants; refused above the limit, not silently cut."""
    size = int(query.get("pageSize", limits.default_page))
    if size > limits.page:
        raise malformed(
            "pageSize", f"is more than {limits.page}", f"Ask for at most {limits.page} and follow nextCursor."
        )
    return size


def instant(query: Query, name: str) -> int | None:
    """Microseconds since 1970 UTC."""
    moment = _read(query, name, datetime.fromisoformat)
    if moment is None:
        return None
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def day(query: Query, name: str) -> date | None:
    """A date of the calendar."""
    return _read(query, name, date.fromisoformat)


def amount(query: Query, name: str) -> Decimal | None:
    """A decimal amount."""
    return _read(query, name, Decimal)


def _read(query: Query, name: str, kind: Callable[[str], T]) -> T | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return kind(text)
    except (ValueError, OverflowError) as error:
        raise malformed(name, "is of the right form, but does not exist", "Correct the value.") from error
