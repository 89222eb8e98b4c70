"""Filters that name something of the rulebook or of a standard: what nobody knows is refused, not answered by an empty
list."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pydantic import TypeAdapter, ValidationError

from adapters.canonical.values import CurrencyCode
from gateway.api.problems import malformed
from gateway.api.query import Query
from gateway.transactions.home import HOME
from routing_rules import Rulebook

MOST_SHOWN: Final = 50
"""Known values that a refusal lists."""

_CURRENCY: Final = TypeAdapter[str](CurrencyCode)


def check_filters(query: Query, rulebook: Rulebook) -> None:
    """Raises `invalid-request` for a system or a company code that the rulebook in force does not have, and for a
    currency that ISO 4217 does not. A rulebook without company codes knows nothing about them."""
    _check(query, "systemId", [*rulebook.systems, HOME], "is not a system of the rulebook")
    if rulebook.company_codes:
        _check(query, "companyCode", rulebook.company_codes, "is not a company code of the rulebook")
    if "currencyCode" in query:
        try:
            _CURRENCY.validate_python(query["currencyCode"])
        except ValidationError as error:
            books = sorted({one.currency for one in rulebook.company_codes.values() if one.currency is not None})
            known = f"; company codes keep their books in {', '.join(books)}" if books else ""
            raise malformed("currencyCode", "is not a currency", f"Use a code of ISO 4217{known}.") from error


def _check(query: Query, name: str, known: Collection[str], message: str) -> None:
    if name in query and query[name] not in known:
        shown = sorted(known)[:MOST_SHOWN]
        more = f", and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
        raise malformed(name, f"{query[name]!r} {message}", f"Known: {', '.join(shown)}{more}.")
