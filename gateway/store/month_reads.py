"""The entries of a month as they are stored, with their places in the log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Boolean, bindparam, func, select, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from gateway.domain.months import Month
from gateway.store.columns import TEXT
from gateway.store.database_time import DATABASE_NOW
from gateway.store.log_schema import log_entries
from gateway.store.partitions import part_of
from gateway.store.reader import Reader
from gateway.store.schema import ledger_entries
from gateway.store.schema_months import archived_months
from gateway.store.statement import Query

PART: Final = 2_048
"""Entries that are read at once: about a megabyte."""
_entry: Final = ledger_entries.c
_place: Final = log_entries.c
_archived: Final = archived_months.c


@dataclass(frozen=True, slots=True)
class MonthEntry:
    """An entry of a month; `log_index` is None where it has no place yet."""

    log_index: int | None
    trace: str
    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class ArchivedMonth:
    """A month whose entries are in files: since when (µs), how many, the signed manifest and what was said of it."""

    month: str
    detached_at: int
    entries: int
    manifest: bytes
    told: bytes


class part_is_there(GenericFunction[bool]):  # noqa: N801 (the name of the function)
    """Whether there is a table of that name; on SQLite, which needs none, always."""

    type = Boolean()
    inherit_cache = True


@compiles(part_is_there, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    (name,) = element.clauses.clauses
    return f"({compiler.process(name, **options)} IS NOT NULL)"


@compiles(part_is_there, "postgresql")
def _on_postgres(element: Any, compiler: Any, **options: Any) -> str:
    (name,) = element.clauses.clauses
    return f"(to_regclass({compiler.process(name, **options)}) IS NOT NULL)"


def _count(column: int) -> int:
    return column


_PART: Final = Query(
    select(_place.log_index, _entry.trace, _entry.seq, _entry.body)
    .select_from(ledger_entries.outerjoin(log_entries, (_entry.trace == _place.trace) & (_entry.seq == _place.seq)))
    .where(
        tuple_(_entry.trace, _entry.seq) > tuple_(bindparam("after_trace"), bindparam("after_seq")),
        _entry.trace < bindparam("until"),
    )
    .order_by(_entry.trace, _entry.seq)
    .limit(bindparam("most")),
    MonthEntry,
)
_COUNT: Final = Query(
    select(func.count().label("entries")).where(_entry.trace >= bindparam("first"), _entry.trace < bindparam("until")),
    _count,
)
_IS_MADE: Final = Query(select(part_is_there(bindparam("part", type_=TEXT)).label("made")), bool)
_ARCHIVED: Final = Query(
    select(_archived.month, _archived.detached_at, _archived.entries, _archived.manifest, _archived.told).order_by(
        _archived.month
    ),
    ArchivedMonth,
)


class MonthReads:
    """Questions about months."""

    _reader: Reader

    async def month_entries(self, month: Month) -> AsyncIterator[Sequence[MonthEntry]]:
        """All of them, in parts, in the order of trace and seq."""
        until, after = month.following.first_trace, (month.first_trace, 0)
        while True:
            found = await self._reader.all(
                _PART, {"after_trace": after[0], "after_seq": after[1], "until": until, "most": PART}
            )
            if not found:
                return
            yield found
            after = (found[-1].trace, found[-1].seq)

    async def month_size(self, month: Month) -> int:
        """How many entries of it are stored."""
        bounds = {"first": month.first_trace, "until": month.following.first_trace}
        return await self._reader.one(_COUNT, bounds) or 0

    async def month_missing(self, ahead_us: int) -> Month | None:
        """The month so many µs from now, by the database's clock, if it has no table; None: it has, or needs none."""
        month = Month.at((await self._reader.one(DATABASE_NOW) or 0) + ahead_us)
        made = await self._reader.one(_IS_MADE, {"part": part_of(month)})
        return None if made else month

    async def archived_months(self) -> Sequence[ArchivedMonth]:
        """Those that were taken out, the first first."""
        return await self._reader.all(_ARCHIVED)
