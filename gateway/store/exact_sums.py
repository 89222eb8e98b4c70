"""Sums of amounts that are exact on both databases.

Amounts are canonical decimal texts with at most 15 digits before the point and 6 after it. SQLite has no decimals, so
whole units and millionths are summed apart, as integers of 64 bits; PostgreSQL does the same in NUMERIC.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, cast, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from gateway.store.columns import INT

_MILLION: Final = 1_000_000


class whole_of(GenericFunction[int]):  # noqa: N801 (the name of the function)
    """The part of an amount's text before the point."""

    type = Integer()
    inherit_cache = True


class millionths_of(GenericFunction[int]):  # noqa: N801
    """The part after it, in millionths."""

    type = Integer()
    inherit_cache = True


def _inner(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(whole_of, "sqlite")
def _whole_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    # The text's longest start that is a number: without a sign or exponent, what stands before the point.
    return f"CAST({_inner(element, compiler, **options)} AS INTEGER)"


@compiles(whole_of, "postgresql")
def _whole_postgres(element: Any, compiler: Any, **options: Any) -> str:
    return f"trunc(CAST({_inner(element, compiler, **options)} AS NUMERIC))"


@compiles(millionths_of, "sqlite")
def _millionths_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    text = _inner(element, compiler, **options)
    return (
        f"CASE WHEN instr({text}, '.') = 0 THEN 0 "
        f"ELSE CAST(substr(substr({text}, instr({text}, '.') + 1) || '000000', 1, 6) AS INTEGER) END"
    )


@compiles(millionths_of, "postgresql")
def _millionths_postgres(element: Any, compiler: Any, **options: Any) -> str:
    text = _inner(element, compiler, **options)
    return f"trunc((CAST({text} AS NUMERIC) - trunc(CAST({text} AS NUMERIC))) * 1000000)"


def in_millionths(whole: ColumnElement[Any], millionths: ColumnElement[Any]) -> ColumnElement[Any]:
    """Both parts as one number, to be compared with 0: above 9.2e12 SQLite makes it a float, whose sign is right."""
    return whole * _MILLION + millionths


def summed(column: ColumnElement[Any]) -> ColumnElement[int]:
    """The sum as an integer, 0 of nothing. PostgreSQL would give a NUMERIC."""
    return cast(func.coalesce(func.sum(column), 0), INT)


def amount_from(whole: int, millionths: int) -> Decimal:
    """The amount of both sums, without needless zeros."""
    exact = Decimal(whole) + Decimal(millionths).scaleb(-6)
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact.normalize()
