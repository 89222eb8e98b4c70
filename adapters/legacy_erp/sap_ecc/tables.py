"""Reading with RFC_READ_TABLE: what is asked, and how an answer becomes rows. Pure.

Source: SAP Help, "RFC_READ_TABLE" (FIELDS, OPTIONS, DATA-WA; an OPTIONS row holds 72 characters and is joined to the
next by a blank; WA is cut by OFFSET and LENGTH). Rows are ordered by key, which GET_SORTED asks for on releases that
would not do it by themselves.

A work area is cut by position, not by a delimiter, because texts may hold any delimiter. Columns that others fill
freely come last, so that nothing in them can shift an amount.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from adapters.canonical import smallest_amount
from adapters.errors import Misconfigured
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import READ_TABLE, Answer, Unreadable, text_of

Row = Mapping[str, str]

_OPTION: Final = 72
_PLACE: Final = re.compile(r"\A[0-9]{1,6}\Z")
_DATS: Final = re.compile(r"\A([0-9]{4})([0-9]{2})([0-9]{2})\Z")
_PACKED: Final = re.compile(r"\A(-?)([0-9]{1,16}(?:\.[0-9]{1,6})?)(-?)\Z")
"""A packed number as characters; ABAP writes the minus behind it."""


def equals(column: str, value: str) -> str:
    """A condition with the value as a literal."""
    return compare(column, "=", value)


def compare(column: str, operator: str, value: str) -> str:
    """A condition with the value as a literal. Raises `Misconfigured` for a value that could end the literal."""
    if "'" in value:
        raise Misconfigured("a value to search for holds a quote")
    return f"{column} {operator} '{value}'"


def read_table(table: str, columns: Sequence[str], conditions: Sequence[str], rows: int = 0) -> Call:
    """The call that reads `columns` of the rows that meet all `conditions`; at most `rows` of them, 0 is all."""
    return Call(
        READ_TABLE,
        {
            "QUERY_TABLE": table,
            "ROWCOUNT": str(rows),
            "GET_SORTED": "X",
            "FIELDS": [{"FIELDNAME": column} for column in columns],
            "OPTIONS": [{"TEXT": text} for text in _options(conditions)],
            "DATA": "",
        },
    )


def _options(conditions: Sequence[str]) -> list[str]:
    """Conditions joined by AND in rows of at most 72 characters, broken between words, never within a literal."""
    rows: list[str] = []
    for index, condition in enumerate(conditions):
        words = ([] if index == 0 else ["AND"]) + _words(condition)
        for word in words:
            if rows and len(rows[-1]) + 1 + len(word) <= _OPTION:
                rows[-1] += f" {word}"
            else:
                rows.append(word)
    return rows


def _words(condition: str) -> list[str]:
    words: list[str] = []
    for index, part in enumerate(condition.split("'")):
        if index % 2:
            words.append(f"'{part}'")
        else:
            words.extend(part.split())
    return words


def rows_of(answer: Answer, columns: Sequence[str]) -> list[Row]:
    """The rows of an answer, by column name as it was asked for. Raises `Unreadable` if the columns are not those."""
    places: list[tuple[str, int, int]] = []
    stated = {text_of(field, "FIELDNAME").strip().upper(): field for field in answer.rows("FIELDS")}
    if not answer.has("FIELDS") or not answer.has("DATA"):
        raise Unreadable("the answer of RFC_READ_TABLE lacks FIELDS or DATA")
    for column in columns:
        field = stated.get(column.upper())
        if field is None:
            raise Unreadable("the answer of RFC_READ_TABLE lacks a column")
        offset, length = text_of(field, "OFFSET").strip(), text_of(field, "LENGTH").strip()
        if _PLACE.match(offset) is None or _PLACE.match(length) is None:
            raise Unreadable("the answer of RFC_READ_TABLE states no positions")
        places.append((column, int(offset), int(length)))
    areas = [text_of(row, "WA") for row in answer.rows("DATA")]
    return [{column: area[at : at + length].strip() for column, at, length in places} for area in areas]


def dated(column: str, first: date | None, last: date | None, literal: str) -> list[str]:
    """Conditions for a range of days, both ends included. The upper one is 'before the next day', because a table
    may hold a time of day beside the date."""
    conditions = []
    if first is not None:
        conditions.append(compare(column, ">=", first.strftime(literal)))
    if last is not None:
        conditions.append(compare(column, "<", (last + timedelta(days=1)).strftime(literal)))
    return conditions


def any_of(column: str, values: Iterable[str]) -> str:
    """A condition that the column has one of these values."""
    return "( " + " OR ".join(equals(column, value) for value in values) + " )"


def amount_of(text: str) -> Decimal:
    """A packed number. Raises `Unreadable` for what is none."""
    match = _PACKED.match(text)
    if match is None:
        raise Unreadable("an amount is not a number")
    amount = Decimal(match[2])
    return -amount if match[1] or match[3] else amount


def trimmed(amount: Decimal, currency_code: str) -> Decimal:
    """The amount with its currency's decimals, where more of them are zeros (tables may state three)."""
    short = amount.quantize(smallest_amount(currency_code))
    return short if short == amount else amount


def day_of(text: str) -> date | None:
    """A date in DATS; None for the initial one. Raises `Unreadable` for what is none."""
    if not text.strip("0"):
        return None
    match = _DATS.match(text)
    if match is None:
        raise Unreadable("a date is not a date")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise Unreadable("a date is not a date") from None
