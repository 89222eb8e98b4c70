"""Why not another row: the row that came nearest to deciding, and what would have to be different for it to decide.

Every answer is tried out: as few facts as possible are changed, decided again, and the row does decide then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from routing_rules.facts import Facts
from routing_rules.index import TableIndex
from routing_rules.model import MATCH_COLUMNS, OPERATIONS, Row
from routing_rules.resolution import Resolution

MAX_TRIED: Final = 300
"""Rows that are tried out for one answer: some milliseconds."""
_MAX_ROUNDS: Final = 4

_FIELDS: Final[dict[str, tuple[str, ...]]] = {"amount": ("amount", "currency"), "valid": ("posting_date",)}
"""The facts that a column looks at, where they are called otherwise."""


@dataclass(frozen=True, slots=True)
class ChangedFact:
    """A fact as it is and as the row needs it (None: absent), and the row's cell."""

    field: str
    value: str | None
    needed: str | None
    cell: str

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "value": self.value, "needed": self.needed, "cell": self.cell}


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A row that does not decide, and the changed facts with which it does.

    ``overruled_by``: the rows that went before it although it matches; empty if it does not match.
    """

    row: Row
    changes: tuple[ChangedFact, ...]
    overruled_by: tuple[str, ...]

    @property
    def effect(self) -> str:
        """In a sentence."""
        texts = [f"{one.field} {one.needed or 'absent'} instead of {one.value or 'absent'}" for one in self.changes]
        return f"with {' and '.join(texts)} row {self.row.id} decides: stage {self.row.outcome.stage.value}"

    def as_json(self) -> dict[str, Any]:
        return {
            "row": self.row.id,
            "file": self.row.file,
            "line": self.row.line or None,
            "stage": self.row.outcome.stage.value,
            "overruled_by": list(self.overruled_by),
            "changes": [one.as_json() for one in self.changes],
            "effect": self.effect,
        }


def nearest_miss(index: TableIndex, facts: Facts, found: Resolution) -> NearMiss | None:
    """The row that the fewest changed columns make decide; of several one that yields something else, then an
    exception to the row that decides, then lowest id first.

    None if nothing that was tried makes another row decide.
    """
    near = set(index.beside(facts.business_unit, facts.geography))
    # A row that holds neither of them needs two changed columns at least, so it comes after the others.
    return _nearest(index, facts, found, [row for number, row in enumerate(index.rows) if number in near]) or _nearest(
        index, facts, found, [row for number, row in enumerate(index.rows) if number not in near]
    )


def _nearest(index: TableIndex, facts: Facts, found: Resolution, rows: Sequence[Row]) -> NearMiss | None:
    outcome = found.deciding[0].outcome if found.deciding and found.agreed else None
    # In a conflict none of the deciding rows has won.
    losing = [row for row in rows if not found.agreed or row not in found.deciding]
    # Of a row that matches and is overruled one column must change as well.
    distance = {row.id: max(len(row.mismatches(facts)), 1) for row in losing}

    def order(row: Row) -> tuple[int, bool, bool, str]:
        # An exception to what decided says more than a wider row that it overruled.
        within = distance[row.id] == 1 and any(one.strictly_contains(row) for one in found.deciding)
        return distance[row.id], row.outcome == outcome, not within, row.id

    losing.sort(key=order)
    same: NearMiss | None = None
    for row in losing[:MAX_TRIED]:
        if same is not None and distance[row.id] > distance[same.row.id]:
            break
        miss = _miss_of(index, facts, found, row)
        if miss is not None and row.outcome != outcome:
            return miss
        same = same or miss
    return same


def miss_of(index: TableIndex, facts: Facts, row_id: str) -> NearMiss | None:
    """What would make this row decide; None if it does, or if no change that was tried makes it.

    Raises KeyError if there is no such row, UnknownNode if a fact names what the rulebook does not have.
    """
    found, row = index.resolve(facts), index.table.row(row_id)
    return None if found.agreed and row in found.deciding else _miss_of(index, facts, found, row)


def _miss_of(index: TableIndex, facts: Facts, found: Resolution, row: Row) -> NearMiss | None:
    mismatches = row.mismatches(facts)
    if mismatches:
        changed = _tried(index, facts, row, mismatches, ())
        return None if changed is None else _miss(facts, changed, row, mismatches, ())
    exceptions = tuple(one for one in found.matched if row.strictly_contains(one))
    for column in MATCH_COLUMNS:
        changed = _tried(index, facts, row, (column,), exceptions)
        if changed is not None:
            return _miss(facts, changed, row, (column,), tuple(one.id for one in exceptions))
    return None


def _tried(
    index: TableIndex, facts: Facts, row: Row, columns: Sequence[str], exceptions: tuple[Row, ...]
) -> Facts | None:
    """The facts with these columns changed so that the row decides, keeping clear of rows that go before it."""
    for _ in range(_MAX_ROUNDS):
        fields: dict[str, Any] = {}
        for column in columns:
            # Of several columns it takes one to keep clear of an exception, and the first may be that one.
            avoided = [getattr(one, column) for one in exceptions] if column == columns[0] else []
            cell: Any = getattr(row, column)
            witness = cell.witness(avoided, OPERATIONS) if column == "operation" else cell.witness(avoided)
            if witness is None:
                return None
            values = witness.fact if column == "amount" else (witness.fact,)
            fields |= dict(zip(_FIELDS.get(column, (column,)), values, strict=True))
        changed = replace(facts, **fields)
        found = index.resolve(changed)
        if row in found.deciding and found.agreed:
            return changed
        more = tuple(
            one
            for one in found.matched
            if one not in exceptions
            and (row.strictly_contains(one) or (one in found.deciding and one.outcome != row.outcome))
        )
        if not more:
            return None
        exceptions += more
    return None


def _miss(facts: Facts, changed: Facts, row: Row, columns: Sequence[str], overruled_by: tuple[str, ...]) -> NearMiss:
    before, after = facts.as_json(), changed.as_json()
    changes = [
        ChangedFact(field, _text(before[field]), _text(after[field]), getattr(row, column).text)
        for column in columns
        for field in _FIELDS.get(column, (column,))
        if before[field] != after[field]
    ]
    return NearMiss(row, tuple(changes), overruled_by)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
