"""The files of a version as people keep them: their texts, where each row stands, and those of a derived version.

A version is a hash of what decides; the order of rows, comments, notes of a file and worked examples are in no version
and so live only in the files. Source of the CSV: RFC 4180, with LF as line breaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import yaml

from routing_rules.canonical_text import row_texts
from routing_rules.complaints import ComplaintBook, RulebookInvalid
from routing_rules.csv_records import Record, read_records, write_records
from routing_rules.loader import parse_rulebook
from routing_rules.model import DOMAINS, Row, RuleTable
from routing_rules.rulebook import Rulebook, row_members
from routing_rules.rulebook_files import RULEBOOK_FILE, Files, table_texts, text_of
from routing_rules.table_reader import COLUMNS

Texts = Mapping[str, str]
"""Text by file name: rulebook.yaml and one CSV per domain."""

_SECTION: Final = "cutover_dates"
"""The one section of rulebook.yaml that says something of rows, and so may change when a table is derived."""


def texts_of(files: Files) -> dict[str, str]:
    """The files as they were read; a workbook's tables as CSV, for a version's files are texts.

    The files must be those of a rulebook that was read without complaint.
    """
    complaints = ComplaintBook()
    names = (RULEBOOK_FILE, *(f"{domain}.csv" for domain in DOMAINS))
    found = {name: text_of(name, content, complaints) or "" for name in names if (content := files.get(name))}
    for domain, rows in table_texts(files).items():
        if f"{domain}.csv" not in found:
            found[f"{domain}.csv"] = write_records([COLUMNS, *rows])
    return found


def row_places(files: Texts) -> dict[str, dict[str, tuple[str, int]]]:
    """By domain and row id: the file, and the line at which the row begins, from 1."""
    found: dict[str, dict[str, tuple[str, int]]] = {}
    for name, text in files.items():
        domain = name.removesuffix(".csv")
        if domain in DOMAINS and domain != name:
            _, rows = _written(text)
            found[domain] = {row_id: (name, record.line) for row_id, (record, _) in rows.items()}
    return found


def with_lines(rulebook: Rulebook, files: Texts) -> Rulebook:
    """A stored version whose rows know where they stand in the files that are kept of it."""
    places = row_places(files)
    tables = {
        domain: replace(table, rows=tuple(_at(row, places.get(domain, {})) for row in table.rows))
        for domain, table in rulebook.tables.items()
    }
    return replace(rulebook, tables=tables)


def _at(row: Row, places: Mapping[str, tuple[str, int]]) -> Row:
    file, line = places.get(row.id, (row.file, row.line))
    return replace(row, file=file, line=line)


def derived_files(base: Texts, restored: Texts, made: Rulebook) -> dict[str, str] | None:
    """The files of a version that was derived from `base` with rows of `restored`; None where there are none that give
    just that version.

    Tables that did not change stay as they are, and so do rulebook.yaml with its examples and comments, and every row
    that did not change; what comes back stands behind the row that it stood behind. Which examples still come true is
    for a check to say: none is dropped.
    """
    try:
        before, earlier = (
            parse_rulebook({name: text.encode() for name, text in files.items()}) for files in (base, restored)
        )
        files = {RULEBOOK_FILE: _yaml(base[RULEBOOK_FILE], before, made)}
        for domain, table in made.tables.items():
            name = f"{domain}.csv"
            if name in base and before.tables[domain] == table:
                files[name] = base[name]
            else:
                files[name] = _table(table, (base.get(name, ""), before), (restored.get(name, ""), earlier))
        again = parse_rulebook({name: text.encode() for name, text in files.items()})
    except (RulebookInvalid, KeyError):
        return None
    same = (again.version, again.governance_version) == (made.version, made.governance_version)
    return files if same else None


def _table(table: RuleTable, base: tuple[str, Rulebook], restored: tuple[str, Rulebook]) -> str:
    sources = [(_written(text), book.tables.get(table.domain)) for text, book in (base, restored)]
    header = sources[0][0][0] or list(COLUMNS)
    wanted = {row.id: row for row in table.rows}
    order = [row_id for row_id in sources[0][0][1] if row_id in wanted]
    previous: str | None = None
    for row_id in sources[1][0][1]:
        if row_id in wanted and row_id not in order:
            order.insert(0 if previous is None else order.index(previous) + 1, row_id)
        previous = row_id if row_id in order else previous
    order += sorted(wanted.keys() - set(order))
    lines = [write_records([header])]
    for row_id in order:
        row = wanted[row_id]
        kept = (
            written[1][row_id][1]
            for written, known in sources
            if written[0] == header and row_id in written[1] and known is not None and _has(known, row)
        )
        lines.append(next(kept, None) or _line(row, header))
    return "".join(lines)


def _has(table: RuleTable, row: Row) -> bool:
    try:
        return table.row(row.id) == row
    except KeyError:
        return False


def _line(row: Row, header: list[str]) -> str:
    cells = row_texts(row_members(row))
    return write_records([[cells[column] for column in header]])


def _written(text: str) -> tuple[list[str], dict[str, tuple[Record, str]]]:
    """The header, and by row id each record with its text, of which each line ends with LF."""
    records = [one for one in read_records(text.removeprefix("\ufeff")) if isinstance(one, Record)]
    filled = [one for one in records if not one.is_blank]
    if not filled:
        return [], {}
    header = [cell.strip() for cell in filled[0].texts]
    at = header.index("row")
    found: dict[str, tuple[Record, str]] = {}
    for record, written in zip(records, _texts(text, records), strict=True):
        if not record.is_blank and record is not filled[0]:
            found[record.texts[at].strip()] = (record, written)
    return header, found


def _texts(text: str, records: list[Record]) -> Iterator[str]:
    lines = text.removeprefix("\ufeff").split("\n")
    ends = [*(record.line - 1 for record in records[1:]), len(lines)]
    for record, end in zip(records, ends, strict=True):
        yield "\n".join(line.removesuffix("\r") for line in lines[record.line - 1 : end]).rstrip("\n") + "\n"


def _yaml(text: str, before: Rulebook, made: Rulebook) -> str:
    """The text with the cutover dates of the tables as they are now."""
    dates = _dates(made)
    if _dates(before) == dates:
        return text
    section = yaml.safe_dump({_SECTION: dates}, sort_keys=False, allow_unicode=True) if dates else ""
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        # a section ends where another begins: at the next line that is not indented
        inside = line.startswith(f"{_SECTION}:") or (inside and line[:1] in " -#\n")
        kept += [] if inside else [line]
    return f"{''.join(kept).rstrip()}\n\n{section}"


def _dates(rulebook: Rulebook) -> dict[str, dict[str, str]]:
    found = {
        domain: {row.id: str(row.outcome.cutover_date) for row in table.rows if row.outcome.cutover_date}
        for domain, table in rulebook.tables.items()
    }
    return {domain: dates for domain, dates in found.items() if dates}
