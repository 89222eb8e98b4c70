"""What an `EntryFilter` and a data scope say, as conditions on the index of entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_, select

from gateway.domain.entry_filter import EntryFilter
from gateway.domain.queries import Visible
from gateway.store.log_schema import log_entries
from gateway.store.schema_queries import indexed_entries

_entry: Final = indexed_entries.c

Ranges = Sequence[tuple[int, int]]
"""Places [first, end) of the log, apart from each other, ascending."""


def of_filter(where: EntryFilter, visible: Visible) -> list[ColumnElement[bool]]:
    """Conditions on `indexed_entries`, without those of places. Entries of no business unit are for those who see
    all."""
    conditions: list[Any] = []
    for name, values in where.conditions().items():
        if name == "trace":
            places = select(log_entries.c.log_index).where(log_entries.c.trace.in_(sorted(map(str, values))))
            conditions.append(_entry.log_index.in_(places))
        elif name == "person":
            conditions.append(
                or_(*(_entry.persons.contains(str(person), autoescape=True) for person in sorted(values)))
            )
        else:
            conditions.append(_entry[name].in_(sorted(values, key=str)))
    if where.at_from is not None:
        conditions.append(_entry.at >= where.at_from)
    if where.at_until is not None:
        conditions.append(_entry.at < where.at_until)
    for column, nodes in ((_entry.business_unit, visible.business_units), (_entry.geography, visible.geographies)):
        if nodes is not None:
            conditions.append(column.in_(sorted(nodes)))
    return conditions


def in_ranges(ranges: Ranges) -> ColumnElement[bool]:
    """At one of these places."""
    return or_(*(and_(_entry.log_index >= first, _entry.log_index < end) for first, end in ranges))
