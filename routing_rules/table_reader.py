"""One file or sheet to the rows of one rule table; every fault becomes a complaint, none stops the reading.

The header is exactly that of docs/rules.md. Cells are trimmed; only a note may hold line breaks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from routing_rules import cells
from routing_rules.complaints import ComplaintBook
from routing_rules.csv_records import CsvFault, Record
from routing_rules.dimensions import Choice, DateRange, NodeSet, Tree
from routing_rules.model import OPERATIONS, Outcome, Overlay, Row, Side, Stage, System

HEADER: Final = (
    "row,operation,business_unit,geography,company_code,document_type,customer_segment,amount,valid_from,valid_to,"
    "stage,legacy_system,cloud_system,share,allow,overlay,note"
)
COLUMNS: Final = tuple(HEADER.split(","))
MAX_ROWS: Final = 100_000
MAX_CELL: Final = 16_384
MAX_HELD_NODES: Final = 5_000_000
"""Nodes that all different tree cells of a table hold together: some 300 MB. A cell holds every node below it."""

# Spaces other than the plain one, marks without width, soft hyphens: they come with pasted text and nobody sees them.
_INVISIBLE: Final = re.compile("[\xa0\xad\u1680\u180e\u2000-\u200f\u202a-\u202f\u205f-\u2064\u3000\ufeff]")

_NEEDS_LEGACY: Final = frozenset({Stage.LEGACY, Stage.DARK, Stage.VALIDATE, Stage.DRAIN, Stage.READ_ONLY})
_NEEDS_CLOUD: Final = frozenset(Stage) - {Stage.LEGACY}

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Ground:
    """What rows refer to. A tree that could not be read is None and its column is not judged; so a system of None."""

    business_units: Tree | None
    geographies: Tree | None
    systems: Mapping[str, System | None] | None
    company_codes: frozenset[str] | None


def read_rows(
    file: str, records: Iterator[Record | CsvFault], domain: str, ground: Ground, complaints: ComplaintBook
) -> list[Row]:
    """The rows that could be read; the rest are complaints. ``file`` is what complaints and rows call it."""
    reader = _TableReader(file, domain, ground, complaints)
    header = next(records, None)
    if header is None:
        complaints.add(file, 1, 1, "the file is empty", f"Begin it with the header {HEADER}")
        return []
    if isinstance(header, CsvFault):
        complaints.add(file, header.line, header.column, header.message, header.remedy)
        return []
    if not reader.take_header(header):
        return []
    for record in records:
        if complaints.is_full:
            break
        if isinstance(record, CsvFault):
            complaints.add(file, record.line, record.column, record.message, record.remedy)
        elif not record.is_blank and not reader.take(record):
            break
    return reader.rows


class _TableReader:
    def __init__(self, file: str, domain: str, ground: Ground, complaints: ComplaintBook) -> None:
        self.rows: list[Row] = []
        self._file = file
        self._domain = domain
        self._ground = ground
        self._complaints = complaints
        self._order: dict[str, int] = {}
        self._width = 0
        self._seen: dict[str, int] = {}
        self._read = 0
        self._held_nodes = 0
        self._record = Record(1, [])
        self._parsed: dict[tuple[str, str], object] = {}
        company = ground.company_codes
        self._company_code = (
            cells.well_formed_name("company code") if company is None else cells.known_name("company code", company)
        )

    def take_header(self, header: Record) -> bool:
        """False if the rows below cannot be read for want of columns."""
        self._record = header
        names = [text.strip() for text in header.texts]
        for mark, called in ((";", ";"), ("\t", "tabs")):
            if len(names) == 1 and mark in names[0]:
                return self._complain_at(0, f"the cells are separated by {called}", "Save the file with commas")
        for cell, name in enumerate(names):
            if name not in COLUMNS:
                self._complain_at(cell, f"unknown column '{name}'", f"The header is {HEADER}")
            elif name in self._order:
                self._complain_at(cell, f"the column '{name}' stands twice", f"The header is {HEADER}")
            else:
                self._order[name] = cell
        missing = [name for name in COLUMNS if name not in self._order]
        for name in missing:
            self._complain_at(0, f"the column '{name}' is missing", f"The header is {HEADER}")
        if not missing and set(names) == set(COLUMNS) and len(names) == len(COLUMNS) and tuple(names) != COLUMNS:
            self._complain_at(0, "the columns stand in another order", f"The header is {HEADER}")
        self._width = len(names)
        return not missing

    def take(self, record: Record) -> bool:
        """Read one row. False if there are too many to go on."""
        self._record = record
        self._read += 1
        if self._read > MAX_ROWS:
            return self._complain_at(0, f"the table has more than {MAX_ROWS} rows", "Split what it says")
        if len(record.texts) != self._width:
            message = f"the row has {len(record.texts)} cells, the header {self._width}"
            self._complain_at(0, message, "Quote cells that hold a comma, and fill up with empty cells")
            return True
        before = len(self._complaints)
        for cell, text in enumerate(record.texts):
            if len(text) > MAX_CELL:
                self._complain_at(cell, f"the cell is longer than {MAX_CELL} characters", "Shorten it")
        if len(self._complaints) == before:
            self._row(before)
        return True

    def _row(self, before: int) -> None:
        ground = self._ground
        row_id = self._row_id()
        operation = self._cell(
            "operation",
            lambda text: cells.parse_choice(text, cells.known_name("operation", OPERATIONS), OPERATIONS),
        )
        units, places = ground.business_units, ground.geographies
        unit = self._cell("business_unit", lambda text: self._nodes(text, units)) if units else None
        place = self._cell("geography", lambda text: self._nodes(text, places)) if places else None
        company = self._cell("company_code", lambda text: cells.parse_choice(text, self._company_code))
        kinds = self._names("document_type", "document type")
        segments = self._names("customer_segment", "customer segment")
        amount = self._cell("amount", cells.parse_amount)
        outcome = self._outcome()
        valid = self._valid()
        if len(self._complaints) > before or self._complaints.is_full:
            return
        if None in (outcome, operation, unit, place, company, kinds, segments, amount, valid):
            return  # a tree could not be read: complained about there
        self.rows.append(
            Row(
                id=row_id,
                outcome=_got(outcome),
                operation=_got(operation),
                business_unit=_got(unit),
                geography=_got(place),
                company_code=_got(company),
                document_type=_got(kinds),
                customer_segment=_got(segments),
                amount=_got(amount),
                valid=_got(valid),
                note=self._text("note").replace("\r\n", "\n"),
                file=self._file,
                line=self._record.line,
            )
        )

    def _row_id(self) -> str:
        row_id = self._text("row")
        if not row_id:
            self._complain("row", "the row id is missing", "Give every row an id that stays with it")
        elif not cells.ROW_ID.fullmatch(row_id):
            self._complain("row", f"'{row_id}' is no row id", "Use letters, digits, . - and _, at most 64")
        elif row_id in self._seen:
            message = f"the row id '{row_id}' stands already in line {self._seen[row_id]}"
            self._complain("row", message, "Give every row an id of its own")
        else:
            self._seen[row_id] = self._record.line
        return row_id

    def _nodes(self, text: str, tree: Tree) -> NodeSet:
        found = cells.parse_nodes(text, tree)
        self._held_nodes += len(found.nodes)
        if self._held_nodes > MAX_HELD_NODES:
            message = f"the tree cells of the table hold more than {MAX_HELD_NODES} nodes together"
            raise cells.CellInvalid((message, "Use fewer different cells, or nodes further down"))
        return found

    def _names(self, column: str, what: str) -> Choice | None:
        return self._cell(column, lambda text: cells.parse_choice(text, cells.well_formed_name(what)))

    def _valid(self) -> DateRange | None:
        before = len(self._complaints)
        start, end = self._cell("valid_from", cells.parse_date), self._cell("valid_to", cells.parse_date)
        if len(self._complaints) > before:
            return None
        if start is not None and end is not None and start >= end:
            self._complain("valid_to", f"no day lies from {start} up to {end}", "valid_to is the day after the last")
        return DateRange(start, end)

    def _outcome(self) -> Outcome | None:
        stage = self._cell("stage", lambda text: cells.parse_word(text, Stage, "stage"))
        legacy = self._system("legacy_system", Side.LEGACY)
        cloud = self._system("cloud_system", Side.CLOUD)
        before = len(self._complaints)
        share = self._cell("share", cells.parse_share)
        share_is_read = len(self._complaints) == before
        allow = self._cell("allow", cells.parse_allow)
        overlay = None
        if self._text("overlay"):
            overlay = self._cell("overlay", lambda text: cells.parse_word(text, Overlay, "overlay"))
        if stage is None:
            return None
        if stage is Stage.PILOT:
            if share is None and share_is_read:
                self._complain("share", "a pilot needs a share", "Write a percentage, 0 for the allow-list alone")
            if share is not None and share < 100 and not legacy:
                message = "a pilot whose share is below 100 needs a legacy system for the rest"
                self._complain("legacy_system", message, "Name one, or write 100 where there is none")
        else:
            if self._text("share"):
                self._complain("share", f"a share stands at stage {stage.value}", "Only a pilot has a share")
            if self._text("allow"):
                self._complain("allow", f"an allow-list stands at stage {stage.value}", "Only a pilot has one")
        if stage in _NEEDS_LEGACY and not legacy:
            self._complain("legacy_system", f"stage {stage.value} needs a legacy system", "Name one")
        if stage in _NEEDS_CLOUD and not cloud:
            self._complain("cloud_system", f"stage {stage.value} needs a cloud system", "Name one")
        return Outcome(
            stage=stage,
            legacy_system=legacy or None,
            cloud_system=cloud or None,
            share=share,
            allow=allow or frozenset(),
            overlay=overlay,
        )

    def _system(self, column: str, side: Side) -> str:
        """The system id as written; complaints if it cannot stand there."""
        system_id, known = self._text(column), self._ground.systems
        if not system_id or known is None:
            return system_id
        if system_id not in known:
            self._complain(column, f"unknown system '{system_id}'", cells.suggestion(system_id, known))
            return system_id
        system = known[system_id]
        if system is not None and system.side is not side:
            message = f"'{system_id}' is a system of the {system.side.value} side"
            self._complain(column, message, f"Name a system of the {side.value} side")
        if system is not None and self._domain not in system.domains:
            message = f"system '{system_id}' does not list the domain {self._domain}"
            self._complain(column, message, "Name another system, or add the domain to it in rulebook.yaml")
        return system_id

    def _text(self, column: str) -> str:
        return self._record.texts[self._order[column]].strip()

    def _cell(self, column: str, parse: Callable[[str], Value]) -> Value | None:
        """The parsed cell, each text of a column parsed once; None if it has faults."""
        text = self._text(column)
        known = self._parsed.get((column, text))
        if known is None:
            try:
                _refuse_invisible(text)
                known = (parse(text),)
            except cells.CellInvalid as invalid:
                known = invalid
            self._parsed[column, text] = known
        if isinstance(known, cells.CellInvalid):
            for message, remedy in known.faults:
                self._complain(column, message, remedy)
            return None
        return known[0]  # type: ignore[index,no-any-return]  # the one-tuple made above

    def _complain(self, column: str, message: str, remedy: str) -> None:
        self._complain_at(self._order[column], message, remedy)

    def _complain_at(self, cell: int, message: str, remedy: str) -> bool:
        """Always False, so that a caller can give up in one line."""
        self._complaints.add(self._file, *self._record.place(cell), message, remedy)
        return False


def _refuse_invisible(text: str) -> None:
    strange = _INVISIBLE.search(text)
    if strange is not None:
        message = f"the invisible character U+{ord(strange[0]):04X} stands in the cell"
        raise cells.CellInvalid((message, "Type the cell anew"))


def _got(value: Value | None) -> Value:
    """Type narrowing after the check that nothing is missing."""
    assert value is not None  # noqa: S101  # checked by the caller in one place
    return value
