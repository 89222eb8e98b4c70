"""What changes between two versions: exactly which facts are decided differently, and how.

Facts that change in the same way are told as boxes: one set of facts per column, all of whose combinations change.
Boxes have no fact in common, together they are all that changes, and no two that could be one are left apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from routing_rules.comparison import Comparison, agreed, splits
from routing_rules.cutting import CUTTING_ORDER
from routing_rules.decomposition import MAX_CELLS, Rows, Step
from routing_rules.dimensions import ALL, plain
from routing_rules.extents import Extent
from routing_rules.model import MATCH_COLUMNS, Outcome, Row
from routing_rules.rulebook import Rulebook

UNDECIDED: Final = ("gap", "conflict")
OUTPUTS: Final = ("stage", "legacy_system", "cloud_system", "share", "allow", "overlay", "cutover_date")

State = Outcome | str
"""What facts are given: an outcome, or one of UNDECIDED."""
Box = tuple[tuple[str, Extent], ...]
"""Sets of facts by column, in the order of cutting; a column that is not there holds everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A box of facts of one domain that were given one thing and are given another. Rows are named by their ids.

    `share_by`: by what the pilot's share is split before and after, where that changes: everyone is dealt anew then,
    also where nothing else changes.
    """

    domain: str
    box: Box
    before: State
    after: State
    rows_before: tuple[str, ...]
    rows_after: tuple[str, ...]
    share_by: tuple[str, str] | None = None

    @property
    def where(self) -> dict[str, str]:
        """The box in words, in the order of the table's columns."""
        extents = dict(self.box)
        return {column: extents[column].text for column in MATCH_COLUMNS if column in extents}

    @property
    def changed(self) -> dict[str, tuple[str, str]]:
        """What differs, before and after, in words; a gap or a conflict has no outputs but its name as a stage."""
        before, after = outputs_of(self.before), outputs_of(self.after)
        found = {name: (before[name], after[name]) for name in OUTPUTS if before[name] != after[name]}
        return found if self.share_by is None else found | {"share_by": self.share_by}

    def __str__(self) -> str:
        where = ", ".join(f"{column} {text}" for column, text in self.where.items()) or "everything"
        how = "; ".join(f"{name} {old or '-'} -> {new or '-'}" for name, (old, new) in self.changed.items())
        return f"{self.domain}: {where}: {how}"

    def as_json(self) -> dict[str, Any]:
        """JSON values under snake_case keys."""
        return {
            "domain": self.domain,
            "where": self.where,
            "changed": {name: {"before": old, "after": new} for name, (old, new) in self.changed.items()},
            "rows_before": list(self.rows_before),
            "rows_after": list(self.rows_after),
        }


def outputs_of(state: State) -> dict[str, str]:
    """What a row yields, by output column and in words."""
    if isinstance(state, str):
        return dict.fromkeys(OUTPUTS, "") | {"stage": state}
    return {
        "stage": state.stage.value,
        "legacy_system": state.legacy_system or "",
        "cloud_system": state.cloud_system or "",
        "share": "" if state.share is None else plain(state.share),
        "allow": "|".join(sorted(state.allow)),
        "overlay": "" if state.overlay is None else state.overlay.value,
        "cutover_date": "" if state.cutover_date is None else state.cutover_date.isoformat(),
    }


def differences(before: Rulebook, after: Rulebook, limit: int = MAX_CELLS) -> Iterator[Change]:
    """All that changes, by domain. A domain without table is a gap everywhere. Raises TooManyCells."""
    for domain in sorted(before.tables.keys() | after.tables.keys()):
        yield from _Difference(Comparison(before, after, domain, both=True, limit=limit)).changes()


class _Key(NamedTuple):
    before: State
    after: State
    box: Box


Named = tuple[frozenset[str], frozenset[str]]
"""The ids of the rows that decide a box before and after."""


class _Difference:
    """The changes of one domain, put together from the last column to the first."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._known: dict[tuple[int, Rows], Mapping[_Key, Named]] = {}

    def changes(self) -> Iterator[Change]:
        found = self._below(self._comparison.all_rows, 0)
        for key, (rows_before, rows_after) in sorted(found.items(), key=_reading_order):
            yield Change(
                domain=self._comparison.domain,
                box=key.box,
                before=key.before,
                after=key.after,
                rows_before=tuple(sorted(rows_before)),
                rows_after=tuple(sorted(rows_after)),
                share_by=self._share_by(key.before, key.after),
            )

    def _share_by(self, before: State, after: State) -> tuple[str, str] | None:
        """What it is split by, where that changes and both split."""
        was, becomes = self._comparison.share_by
        both = all(isinstance(one, Outcome) and splits(one) for one in (before, after))
        return (was, becomes) if both and was is not None and becomes is not None and was != becomes else None

    def _below(self, rows: Rows, column: int) -> Mapping[_Key, Named]:
        """The boxes over the columns from this one on in which these rows, and no others, may match."""
        if self._comparison.judge(rows) is Step.SKIP:
            return {}
        decomposition = self._comparison.decomposition
        column = decomposition.next_column(rows, column)
        known = self._known.get((column, rows))
        if known is None:
            if column == len(self._comparison.columns):
                known = self._cell(rows)
            else:
                name = self._comparison.columns[column].name
                known = _merged(
                    (_Key(key.before, key.after, ((name, atom.extent()), *key.box)), named)
                    for atom, found in decomposition.split(rows, column)
                    for key, named in self._below(found, column + 1).items()
                )
            self._known[column, rows] = known
        return known

    def _cell(self, rows: Rows) -> Mapping[_Key, Named]:
        before, after = self._comparison.deciding(rows)
        states = (_state(before), _state(after))
        if states[0] == states[1] and self._share_by(*states) is None:
            return {}
        return {_Key(*states, ()): (frozenset(row.id for row in before), frozenset(row.id for row in after))}


def _state(deciding: tuple[Row, ...]) -> State:
    outcome = agreed(deciding)
    return outcome if outcome is not None else UNDECIDED[1 if deciding else 0]


def _merged(found: Iterable[tuple[_Key, Named]]) -> dict[_Key, Named]:
    """Boxes that differ in their first column only, as one.

    The boxes behind an atom of that column were put together in the same way, so no two of them differ in one column;
    and what was put together here has the same boxes behind all its atoms, so that stays so.
    """
    first: dict[_Key, tuple[str, Extent, Named]] = {}
    for key, named in found:
        (name, extent), *rest = key.box
        short = key._replace(box=tuple(rest))
        known = first.get(short)
        if known is None:
            first[short] = (name, extent, named)
        else:
            first[short] = (name, known[1].union(extent), _both(known[2], named))
    return {key._replace(box=_with(name, extent, key.box)): named for key, (name, extent, named) in first.items()}


def _with(column: str, extent: Extent, box: Box) -> Box:
    """The box with one more column, in its place; none if it holds everything."""
    if extent.text == ALL:
        return box
    order = CUTTING_ORDER.index(column)
    before = tuple(one for one in box if CUTTING_ORDER.index(one[0]) < order)
    return (*before, (column, extent), *box[len(before) :])


def _both(one: Named, other: Named) -> Named:
    return one[0] | other[0], one[1] | other[1]


def _reading_order(item: tuple[_Key, Named]) -> tuple[Any, ...]:
    key, _ = item
    texts = {column: extent.text for column, extent in key.box}
    how = [(outputs_of(one)["stage"], str(outputs_of(one))) for one in (key.before, key.after)]
    return (*(texts.get(column, "") for column in CUTTING_ORDER), how)
