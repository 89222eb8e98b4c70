"""Reading documents with RFC_READ_TABLE: what is asked, and what the rows say. Pure.

Source: SAP Help, "RFC_READ_TABLE" (FIELDS, OPTIONS, DATA-WA; an OPTIONS row holds 72 characters and is joined to the
next by a blank; WA is cut by OFFSET and LENGTH). Rows are ordered by key, which GET_SORTED asks for on releases that
would not do it by themselves.

A work area is cut by position, not by a delimiter, because texts may hold any delimiter. Columns that others fill
freely come last, so that nothing in them can shift an amount.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from adapters.canonical import ErpNumber, smallest_amount
from adapters.errors import Misconfigured
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.settings import HeaderTable, ItemTable, OrderTable, SapEccSettings
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import READ_TABLE, Answer, Unreadable, text_of
from adapters.port import FoundDocument

Row = Mapping[str, str]
Key = tuple[str, str, str]
"""Number, company code, fiscal year of an accounting document."""

_OPTION: Final = 72
_DATS: Final = re.compile(r"\A([0-9]{4})([0-9]{2})([0-9]{2})\Z")
_PACKED: Final = re.compile(r"\A(-?)([0-9]{1,16}(?:\.[0-9]{1,6})?)(-?)\Z")
"""A packed number as characters; ABAP writes the minus behind it."""
_DEBIT: Final = "S"
_CREDIT: Final = "H"


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
        if not (offset.isdigit() and length.isdigit()):
            raise Unreadable("the answer of RFC_READ_TABLE states no positions")
        places.append((column, int(offset), int(length)))
    areas = [text_of(row, "WA") for row in answer.rows("DATA")]
    return [{column: area[at : at + length].strip() for column, at, length in places} for area in areas]


def order_columns(table: OrderTable) -> tuple[str, ...]:
    """Columns of an order, the caller's free text last."""
    return (
        table.number,
        table.party,
        table.currency,
        table.total,
        table.posting_date,
        table.organisation,
        table.reference,
    )


def header_columns(table: HeaderTable) -> tuple[str, ...]:
    """Columns of an accounting document's header, the caller's free text last."""
    return (
        table.number,
        table.company,
        table.year,
        table.document_type,
        table.posting_date,
        table.period,
        table.currency,
        table.reference,
    )


def item_columns(table: ItemTable) -> tuple[str, ...]:
    """Columns of a customer item."""
    return (table.number, table.company, table.year, table.side, table.amount, table.customer)


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


def found_order(row: Row, settings: SapEccSettings, system_id: str) -> FoundDocument:
    """An order as its row states it. Raises `Unreadable` for an amount or date that is none."""
    table = settings.tables.orders
    return FoundDocument(
        number=ErpNumber(system_id=system_id, document_type="sales_order", document_number=row[table.number]),
        external_reference=row[table.reference],
        party=translate.party(row[table.party]),
        currency_code=row[table.currency],
        total=_trimmed(_amount(row[table.total]), row[table.currency]),
        company_code=settings.company_of(row[table.organisation]),
        posting_date=_day(row[table.posting_date]),
    )


@dataclass(frozen=True, slots=True)
class CustomerTotal:
    """What a document's customer items come to (debit positive), and whose they are: "" if nobody's or several's."""

    party: str = ""
    total: Decimal = Decimal(0)


def customer_totals(rows: Iterable[Row], table: ItemTable) -> dict[Key, CustomerTotal]:
    """Sums of customer items by document. Raises `Unreadable` for an amount or side that is none."""
    sums: dict[Key, CustomerTotal] = {}
    for row in rows:
        side = row[table.side]
        if side not in {_DEBIT, _CREDIT}:
            raise Unreadable("an item is neither debit nor credit")
        key = (row[table.number], row[table.company], row[table.year])
        signed = _amount(row[table.amount]) * (1 if side == _DEBIT else -1)
        one = CustomerTotal(translate.party(row[table.customer]), signed)
        sums[key] = added(sums[key], one) if key in sums else one
    return sums


def added(left: CustomerTotal, right: CustomerTotal) -> CustomerTotal:
    """Items of one document together."""
    return CustomerTotal(left.party if left.party == right.party else "", left.total + right.total)


def header_key(row: Row, table: HeaderTable) -> Key:
    """The key of a header's row."""
    return row[table.number], row[table.company], row[table.year]


def found_document(row: Row, total: CustomerTotal, settings: SapEccSettings, system_id: str) -> FoundDocument:
    """An accounting document as header and customer items state it.

    A header without customer items (one that a failed posting left behind) has party "" and total 0, which agrees
    with nothing. Raises `Unreadable` for a number, date or period that is none.
    """
    table = settings.tables.headers
    number = "/".join(header_key(row, table))
    if translate.ACCOUNTING.match(number) is None or not row[table.period].isdigit():
        raise Unreadable("a header has no number, company code, year or period")
    return FoundDocument(
        number=ErpNumber(system_id=system_id, document_type="accounting_document", document_number=number),
        external_reference=row[table.reference],
        party=total.party,
        currency_code=row[table.currency],
        total=_trimmed(abs(total.total), row[table.currency]),
        company_code=row[table.company],
        posting_date=_day(row[table.posting_date]),
        fiscal_year=int(row[table.year]),
        fiscal_period=int(row[table.period]),
    )


def _amount(text: str) -> Decimal:
    match = _PACKED.match(text)
    if match is None:
        raise Unreadable("an amount is not a number")
    amount = Decimal(match[2])
    return -amount if match[1] or match[3] else amount


def _trimmed(amount: Decimal, currency_code: str) -> Decimal:
    """The amount with its currency's decimals, where more of them are zeros (tables may state three)."""
    short = amount.quantize(smallest_amount(currency_code))
    return short if short == amount else amount


def _day(text: str) -> date | None:
    """A date in DATS; None for the initial one."""
    if not text.strip("0"):
        return None
    match = _DATS.match(text)
    if match is None:
        raise Unreadable("a date is not a date")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise Unreadable("a date is not a date") from None
