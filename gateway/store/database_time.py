"""The database's own clock: the one that all processes share, whatever their machines' clocks say.

PostgreSQL's `clock_timestamp()` is the wall clock at the call, not at the transaction's begin; SQLite counts
milliseconds. Sources: https://www.postgresql.org/docs/current/functions-datetime.html,
https://sqlite.org/lang_datefunc.html.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from gateway.store.columns import INT
from gateway.store.statement import Query


class database_now(FunctionElement[int]):  # noqa: N801  # named as functions of SQL are
    """µs since 1970 UTC by the database's clock."""

    type = INT
    inherit_cache = True


@compiles(database_now, "sqlite")
def _on_sqlite(_element: database_now, _compiler: Any, **_options: Any) -> str:
    # %f is seconds with three decimals; both calls of one statement see the same moment
    return (
        "(CAST(strftime('%s', 'now') AS INTEGER) * 1000000 + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER) * 1000)"
    )


@compiles(database_now, "postgresql")
def _on_postgres(_element: database_now, _compiler: Any, **_options: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"


DATABASE_NOW: Final = Query(select(database_now().label("now")), int)
