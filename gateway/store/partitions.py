"""The parts of `ledger_entries` on PostgreSQL: a table for each month, told by the id of the transaction.

The key (trace, seq) is unique over all of them, because a trace lies in one part only. Entries of other traces have a
part below and one above all ids of transactions; what belongs to a month that nobody made lies in the default part
until the month is made. SQLite has no parts (docs/adr/0029).

These are statements of the owner of the tables; the gateway's own role may run none of them (deploy/postgres).
Source: https://www.postgresql.org/docs/current/ddl-partitioning.html.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy import DDL, Table, event

from gateway.domain.months import TRANSACTION, Month

PARTED: Final = "ledger_entries"
WITHOUT_MONTH: Final = f"{PARTED}_without_month"
"""The default part."""
RANGE: Final = "RANGE (trace)"
_BEHIND: Final = "txn`"
"""The text that follows all ids of transactions: ` comes after _."""
AHEAD: Final = 3
"""Months that are made before they begin."""
_NAME: Final = re.compile(rf"{PARTED}_([0-9]{{4}})_([0-9]{{2}})", re.ASCII)


def part_of(month: Month) -> str:
    """The name of a month's table."""
    return f"{PARTED}_{month.year:04d}_{month.number:02d}"


def month_of(part: str) -> Month | None:
    """The month whose table has that name."""
    found = _NAME.fullmatch(part)
    return Month(int(found[1]), int(found[2])) if found else None


def bounds_of(month: Month) -> str:
    """What lies in a month, for ATTACH PARTITION and PARTITION OF."""
    return f"FOR VALUES FROM ('{month.first_trace}') TO ('{month.following.first_trace}')"


def in_month(month: Month) -> str:
    """A condition on `trace`."""
    return f"trace >= '{month.first_trace}' AND trace < '{month.following.first_trace}'"


def standing_parts() -> Sequence[str]:
    """Statements that make the parts that are always there."""
    return [
        *_made(f"{PARTED}_below_months", f"FOR VALUES FROM (MINVALUE) TO ('{TRANSACTION}')"),
        *_made(f"{PARTED}_above_months", f"FOR VALUES FROM ('{_BEHIND}') TO (MAXVALUE)"),
        *_made(WITHOUT_MONTH, "DEFAULT"),
    ]


def with_standing_parts(table: Table) -> None:
    """Make them whenever the table is created from the metadata, after its triggers."""
    for statement in standing_parts():
        # DDL() formats with %: none of the statements has one.
        event.listen(table, "after_create", DDL(statement).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]


def month_made(month: Month) -> Sequence[str]:
    """Statements that make a month of which nothing lies in the default part."""
    return _made(part_of(month), bounds_of(month))


def month_moved(month: Month) -> Sequence[str]:
    """Statements that make a month of which something lies in the default part, and move it; to be run as one."""
    return [
        *month_loaded(month),
        *late_moved(month),
        f"ALTER TABLE {PARTED} ATTACH PARTITION {part_of(month)} {bounds_of(month)}",
    ]


def month_loaded(month: Month) -> Sequence[str]:
    """Statements that make the table of a month beside the ledger, where it can be filled before it is attached."""
    part = part_of(month)
    return [f"CREATE TABLE {part} (LIKE {PARTED} INCLUDING ALL)", _no_truncate(part)]


def late_moved(month: Month) -> Sequence[str]:
    """Statements that move what lies in the default part into a month's table, before it is attached; as one.

    A detached table loses the triggers of the rows that it had as a part, and gets them back as one.
    """
    return [
        f"ALTER TABLE {PARTED} DETACH PARTITION {WITHOUT_MONTH}",
        f"INSERT INTO {part_of(month)} SELECT * FROM {WITHOUT_MONTH} WHERE {in_month(month)}",  # noqa: S608  names of ours
        f"DELETE FROM {WITHOUT_MONTH} WHERE {in_month(month)}",  # noqa: S608  names of ours
        f"ALTER TABLE {PARTED} ATTACH PARTITION {WITHOUT_MONTH} DEFAULT",
    ]


def _made(part: str, bounds: str) -> list[str]:
    return [f"CREATE TABLE {part} PARTITION OF {PARTED} {bounds}", _no_truncate(part)]


def _no_truncate(part: str) -> str:
    """The triggers of rows come with the parent's; one of a whole table does not."""
    return f"CREATE TRIGGER {part}_no_truncate BEFORE TRUNCATE ON {part} EXECUTE FUNCTION {PARTED}_only_grows()"
