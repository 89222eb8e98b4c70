"""Making the months of the ledger on PostgreSQL: by the owner of its tables, at a start and by command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from gateway.domain.months import TRANSACTION, Month
from gateway.store.partitions import (
    AHEAD,
    PARTED,
    WITHOUT_MONTH,
    in_month,
    month_made,
    month_moved,
    month_of,
)

LOCK_S: Final = 5
"""How long a change of the parts waits for those who read and write; they wait for it meanwhile."""


@dataclass(frozen=True, slots=True)
class MonthPart:
    """A month that has a table: how many entries the last count of the database's statistics found (-1: not counted
    yet), and bytes with its indexes."""

    month: Month
    entries: int
    size: int


def listed_months(connection: Connection) -> Sequence[MonthPart]:
    """The months that have a table, the first first. Needs no rights."""
    rows = connection.execute(
        text(
            "SELECT parts.relname, parts.reltuples::bigint, pg_total_relation_size(parts.oid) FROM pg_inherits "
            "JOIN pg_class AS parts ON parts.oid = inhrelid WHERE inhparent = CAST(:parted AS regclass)"
        ),
        {"parted": PARTED},
    ).all()
    found = [(month_of(name), entries, size) for name, entries, size in rows]
    return sorted(
        (MonthPart(month, entries, size) for month, entries, size in found if month), key=lambda one: one.month
    )


def without_month(connection: Connection) -> int:
    """Entries that lie in the default part, because their month has no table."""
    found: int = connection.execute(text(f"SELECT count(*) FROM {WITHOUT_MONTH}")).scalar_one()  # noqa: S608  our name
    return found


def owns_parts(connection: Connection) -> bool:
    """Whether this role may make months: whether it is the owner of the table, or one of its members."""
    found: bool = connection.execute(
        text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = CAST(:parted AS regclass)"),
        {"parted": PARTED},
    ).scalar_one()
    return found


def make_months(connection: Connection, ahead: int = AHEAD) -> Sequence[Month]:
    """Make this month, the next `ahead` ones, and those of which entries lie in the default part; which were made.

    In the caller's transaction. What came to a month after it was detached stays in the default part.
    """
    gone = {Month.parse(one) for one in connection.execute(text("SELECT month FROM archived_months")).scalars()}
    there = {one.month for one in listed_months(connection)}
    coming = [one for one in months_coming(connection, ahead) if one not in there]
    # With no month missing nothing is locked; late ones may lie in the default part even then.
    wanted = sorted({*coming, *months_written(connection, WITHOUT_MONTH)} - {*there, *gone})
    if wanted:
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_S}s'"))
        connection.execute(text(f"LOCK TABLE {PARTED} IN ACCESS EXCLUSIVE MODE"))
    made = []
    for month in wanted:
        if month in {one.month for one in listed_months(connection)}:  # another process was quicker
            continue
        lies = connection.execute(text(f"SELECT 1 FROM {WITHOUT_MONTH} WHERE {in_month(month)} LIMIT 1")).first()  # noqa: S608  names of ours
        for statement in month_moved(month) if lies else month_made(month):
            connection.execute(text(statement))
        made.append(month)
    return made


def months_written(connection: Connection, table: str) -> Sequence[Month]:
    """The months of which a table with a trace holds entries; a look at its key for each."""
    found: list[Month] = []
    after = TRANSACTION
    while True:
        trace = connection.execute(
            text(f"SELECT min(trace) FROM {table} WHERE trace > :after AND trace < 'txn`'"),  # noqa: S608  a name of ours
            {"after": after},
        ).scalar()
        if trace is None:
            return found
        month = Month.of_trace(trace)
        if month is None:  # no id of ours: it stays in the default part
            after = trace
        else:
            found.append(month)
            after = month.following.first_trace


def months_coming(connection: Connection, ahead: int) -> Sequence[Month]:
    """This month by the database's clock, and the next ones."""
    now = connection.execute(text("SELECT (extract(epoch FROM now()) * 1000000)::bigint")).scalar_one()
    months = [Month.at(now)]
    while len(months) <= ahead:
        months.append(months[-1].following)
    return months
