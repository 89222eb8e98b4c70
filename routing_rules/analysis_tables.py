"""One table proven by itself: gaps, conflicts, masked rows, and documents sent outside a system's regions.

The table is cut into cells (decomposition.py), and each cell is decided as docs/rules.md says: of the rows that match
those decide that strictly contain no other of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from routing_rules.analysis_findings import MAX_ROWS_NAMED, Finding, FindingCode, places, row_ids
from routing_rules.analysis_mends import mend_conflict, mend_gap
from routing_rules.cutting import CUTTING_ORDER, cells_of, columns_of, where_of, witness_in, witness_of
from routing_rules.decomposition import MAX_CELLS, Cell, Decomposition, Path, Rows, Step
from routing_rules.dimensions import AmountRange, Choice, DateRange, NodeSet
from routing_rules.facts import Facts
from routing_rules.inclusion import Inclusion
from routing_rules.model import Row, RuleTable
from routing_rules.rulebook import Rulebook, receiving_systems

NO_GEOGRAPHY: Final = frozenset({"products"})
"""Domains whose documents never have a geography: none of them can lie outside a region."""

NEVER_PRESENT: Final[Mapping[str, frozenset[str]]] = {
    "products": frozenset({"geography", "document_type", "customer_segment", "amount", "valid"}),
    "customers": frozenset({"document_type", "amount", "valid"}),
}
"""What documents of a domain never have. The proof does not rest on it: it only names rows that wait for it in vain."""


class TableProof:
    """The proof of one table."""

    def __init__(self, rulebook: Rulebook, domain: str, limit: int = MAX_CELLS) -> None:
        # Of each row that decides somewhere: where it was first seen to.
        self._decided: dict[int, Path] = {}
        self._rulebook = rulebook
        self._domain = domain
        table: RuleTable = rulebook.table(domain)
        self._rows = sorted(table.rows, key=lambda row: row.id)
        self._inclusion = Inclusion(self._rows)
        self._columns = columns_of((rulebook.business_units, None), (rulebook.geographies, None))
        # A row of its own for each system that may not have everything: where it matches, the geography is inside.
        self._markers = {} if domain in NO_GEOGRAPHY else self._restricted_systems(self._rows)
        inside = list(self._markers.values())
        self._decomposition = Decomposition(self._columns, [*map(cells_of, self._rows), *inside], limit)
        self._numbers = {system_id: len(self._rows) + at for at, system_id in enumerate(self._markers)}
        self._reported: set[object] = set()
        # Of each row that has not decided yet: a cell in which it matched, and some of the rows that decided there.
        self._overruled: dict[int, tuple[Cell, set[int]]] = {}

    @property
    def cells(self) -> int:
        """How many cells were looked at, each counted once for every row that may match in it."""
        return self._decomposition.spent

    def findings_found(self) -> Iterator[Finding]:
        """The findings as they are found; those on masked rows last. Raises TooManyCells: then nothing is proven."""
        yield from self._unreachable()
        for cell in self._decomposition.cells(self._judge):
            yield from self._decide(cell)
        yield from self._masked()

    def reachable(self) -> Iterator[tuple[Row, Facts]]:
        """The rows that were seen to decide somewhere, each with a transaction that it decides."""
        for number in sorted(self._decided):
            yield self._rows[number], witness_of(self._domain, self._columns, self._decided[number])

    def _judge(self, rows: Rows) -> Step:
        return Step.SPLIT if rows and rows[0] < len(self._rows) else Step.TAKE

    def _decide(self, cell: Cell) -> Iterator[Finding]:
        matched = tuple(number for number in cell.rows if number < len(self._rows))
        if not matched:
            yield self._gap(cell)
            return
        deciding = self._inclusion.smallest(matched)
        for number in deciding:
            self._decided.setdefault(number, cell.path)
        if len(deciding) < len(matched):
            self._note_overruled(cell, matched, deciding)
        rows = [self._rows[number] for number in deciding]
        if any(row.outcome != rows[0].outcome for row in rows):
            if deciding not in self._reported:
                self._reported.add(deciding)
                yield self._conflict(cell, rows)
            return
        for system_id in receiving_systems(self._domain, rows[0].outcome):
            marker = self._numbers.get(system_id)
            key = (rows[0].id, system_id)
            if marker is not None and marker not in cell.rows and key not in self._reported:
                self._reported.add(key)
                yield self._outside(cell, rows[0], system_id)

    def _gap(self, cell: Cell) -> Finding:
        near = [self._rows[number] for number in cell.above if number < len(self._rows)]
        return Finding(
            code=FindingCode.GAP,
            domain=self._domain,
            message="no row matches these facts",
            mend=mend_gap(where_of(cell.path), near),
            witness=self._witness(cell),
            where=where_of(cell.path),
            rows=places(near) if len(near) < len(self._rows) else (),
        )

    def _conflict(self, cell: Cell, rows: Sequence[Row]) -> Finding:
        return Finding(
            code=FindingCode.CONFLICT,
            domain=self._domain,
            message=f"rows {row_ids(rows)} decide and yield different things; none is an exception to another",
            mend=mend_conflict(rows),
            witness=self._witness(cell),
            where=where_of(cell.path),
            rows=places(rows),
        )

    def _outside(self, cell: Cell, row: Row, system_id: str) -> Finding:
        regions = "|".join(self._rulebook.systems[system_id].regions)
        where = where_of(cell.path)
        return Finding(
            code=FindingCode.RESIDENCY,
            domain=self._domain,
            message=f"row {row.id} sends documents of {where.get('geography', '*')} to system {system_id}, which "
            f"may hold {regions} only",
            mend=f"limit the row to {regions}, name another system for the rest, or widen the system's regions",
            witness=self._witness(cell),
            where=where,
            rows=places([row]),
        )

    def _note_overruled(self, cell: Cell, matched: Rows, deciding: Rows) -> None:
        for number in matched:
            if number not in self._decided:
                _, rows = self._overruled.setdefault(number, (cell, set()))
                if len(rows) < MAX_ROWS_NAMED:
                    rows.update(deciding)

    def _masked(self) -> Iterator[Finding]:
        for number, row in enumerate(self._rows):
            if number in self._decided:
                continue
            # A row decides nowhere only because in each of its cells smaller rows decide, and one was looked at.
            cell, numbers = self._overruled[number]
            smaller = [self._rows[one] for one in sorted(numbers) if self._inclusion.is_exception(one, to=number)]
            yield Finding(
                code=FindingCode.MASKED_ROW,
                domain=self._domain,
                message=f"row {row.id} decides nowhere: its exceptions {row_ids(smaller)} leave nothing of it",
                mend="remove the row, or limit one of its exceptions",
                witness=self._witness(cell),
                rows=places([row, *smaller]),
            )

    def _unreachable(self) -> Iterator[Finding]:
        never = NEVER_PRESENT.get(self._domain, frozenset())
        for row in self._rows:
            cells = {column: getattr(row, column) for column in sorted(never)}
            vain = [
                column
                for column, cell in cells.items()
                if not (cell.matches(None) if isinstance(cell, NodeSet) else cell.is_all)
            ]
            if vain:
                yield Finding(
                    code=FindingCode.UNREACHABLE_EXCEPTION,
                    domain=self._domain,
                    message=f"row {row.id} asks for {', '.join(vain)}, which {self._domain} never have",
                    mend=f"write * in {', '.join(vain)}, or remove the row",
                    witness=witness_in(self._domain, self._columns, row),
                    rows=places([row]),
                )

    def _witness(self, cell: Cell) -> Facts:
        return witness_of(self._domain, self._columns, cell.path)

    def _restricted_systems(self, rows: Sequence[Row]) -> dict[str, tuple[Any, ...]]:
        units, geographies = self._rulebook.business_units, self._rulebook.geographies
        named = {system_id for row in rows for system_id in receiving_systems(self._domain, row.outcome)}
        found: dict[str, tuple[Any, ...]] = {}
        for system_id in sorted(named):
            regions = NodeSet.of(geographies, self._rulebook.systems[system_id].regions)
            if regions.nodes != geographies.nodes:
                everything: dict[str, Any] = dict.fromkeys(CUTTING_ORDER, Choice())
                everything |= {
                    "business_unit": NodeSet.of(units, [units.root]),
                    "geography": regions,
                    "amount": AmountRange(),
                    "valid": DateRange(),
                }
                found[system_id] = tuple(everything[column] for column in CUTTING_ORDER)
        return found
