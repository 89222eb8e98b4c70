"""What an `EntryFilter` and a data scope say, as conditions on the index of entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, or_, select, union_all

from gateway.domain.entry_filter import EntryFilter
from gateway.domain.indexed_entries import BLOCK
from gateway.domain.queries import Visible
from gateway.store.filters import padded
from gateway.store.log_schema import log_entries
from gateway.store.schema_queries import indexed_blocks, indexed_entries

_entry: Final = indexed_entries.c
_block: Final = indexed_blocks.c

Ranges = Sequence[tuple[int, int]]
"""Places [first, end) of the log, apart from each other, ascending. Each begins and ends with a block, but the first
may begin and the last may end within one."""


def of_filter(where: EntryFilter, visible: Visible) -> list[ColumnElement[bool]]:
    """Conditions on `indexed_entries`, without those of places. Entries of no business unit are for those who see
    all."""
    conditions: list[Any] = []
    for name, values in where.conditions().items():
        if name == "trace":
            traces = padded(sorted(map(str, values)))
            places = select(log_entries.c.log_index).where(log_entries.c.trace.in_(traces))
            if where.places:
                # one statement for all of them: a condition `a OR b` would be a way along the whole table
                single = select(log_entries.c.log_index).where(log_entries.c.log_index.in_(padded(where.places)))
                conditions.append(_entry.log_index.in_(union_all(places, single)))
            else:
                conditions.append(_entry.log_index.in_(places))
        elif name == "person":
            conditions.append(
                or_(*(_entry.persons.contains(str(person), autoescape=True) for person in sorted(values)))
            )
        else:
            conditions.append(_entry[name].in_(padded(sorted(values, key=str))))
    if where.at_from is not None:
        conditions.append(_entry.at >= where.at_from)
    if where.at_until is not None:
        conditions.append(_entry.at < where.at_until)
    for column, nodes in ((_entry.business_unit, visible.business_units), (_entry.geography, visible.geographies)):
        if nodes is not None:
            conditions.append(column.in_(padded(sorted(nodes))))
    return conditions


def in_ranges(core: Select[Any], ranges: Ranges, *, sqlite: bool) -> Select[Any]:
    """`core` (of `indexed_entries`), at one of these places. Whoever wants these in order sorts by `in_order`.

    Several ranges are a bitmap of their pages on PostgreSQL. SQLite goes along the whole table for `a OR b OR …` of
    many, so there the blocks lead to their entries. (On PostgreSQL they would not: it holds that a rare value is found
    sooner in the whole table than among the entries of some blocks.)
    """
    first, end = ranges[0][0], ranges[-1][1]
    if len(ranges) == 1:
        return core.where(_entry.log_index >= first, _entry.log_index < end)
    if not sqlite:
        return core.where(
            or_(*(and_(_entry.log_index >= start, _entry.log_index < stop) for start, stop in _padded(ranges)))
        )
    blocks = [block for start, stop in ranges for block in range(start // BLOCK, -(-stop // BLOCK))]
    starts, place = _block.block * BLOCK, _entry.log_index + 0
    return core.join(indexed_blocks, (_entry.log_index >= starts) & (_entry.log_index < starts + BLOCK)).where(
        _block.block.in_(padded(blocks)), place >= first, place < end
    )


def in_order(place: ColumnElement[int], ranges: Ranges) -> ColumnElement[int]:
    """The order of the log. One range is read along its key, and a limit ends it. Several are sorted by an expression:
    for the key's own order the databases go along the key, from the first range to the last or even through all."""
    return place if len(ranges) == 1 else place + 0


def _padded(ranges: Ranges) -> Ranges:
    """1, 2, 4, 8, … of them, as `padded` says; the last place once more costs nothing."""
    last = (ranges[-1][1] - 1, ranges[-1][1])
    return padded([*ranges, last]) if len(padded(ranges)) > len(ranges) else ranges
