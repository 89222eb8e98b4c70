"""The files of a rulebook: which of a directory's are read, as what text, and the records of each domain.

Source of the formats: RFC 4180 (CSV) and ECMA-376 (workbooks).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from routing_rules.cells import suggestion
from routing_rules.complaints import ComplaintBook, RulebookInvalid
from routing_rules.csv_records import CsvFault, Record, read_csv
from routing_rules.model import DOMAINS
from routing_rules.table_reader import COLUMNS, MAX_ROWS

RULEBOOK_FILE: Final = "rulebook.yaml"
MAX_TABLE_BYTES: Final = 32 * 1024 * 1024
MAX_YAML_BYTES: Final = 2 * 1024 * 1024

Files = Mapping[str, bytes | None]
"""Contents by file name; None for a file that could not be read, which was complained of."""


@dataclass(frozen=True, slots=True)
class TableSource:
    """The records of one domain's table, to be read once; ``file`` is what complaints call it."""

    file: str
    records: Iterator[Record | CsvFault]


def read_files(directory: Path, complaints: ComplaintBook) -> dict[str, bytes | None]:
    """The files of the directory that make a rulebook. Raises RulebookInvalid if the directory cannot be read."""
    files: dict[str, bytes | None] = {}
    try:
        paths = sorted(path for path in directory.iterdir() if _is_read(path.name))
    except OSError as error:
        complaints.add(str(directory), 1, 1, f"the directory cannot be read: {error.strerror}", "Name another")
        raise RulebookInvalid(complaints.all()) from error
    for path in paths:
        try:
            with path.open("rb") as stream:
                # One more than the limit shows that it is exceeded.
                files[path.name] = stream.read(_limit(path.name) + 1)
        except OSError as error:
            complaints.add(path.name, 1, 1, f"the file cannot be read: {error.strerror}", "Make it readable")
            files[path.name] = None
    return files


def rulebook_text(files: Files, complaints: ComplaintBook) -> str | None:
    """The text of rulebook.yaml; None if there is none that can be read, which is complained of."""
    if RULEBOOK_FILE not in files:
        complaints.add(RULEBOOK_FILE, 1, 1, "the file is missing", "Write trees and systems into it")
    content = files.get(RULEBOOK_FILE)
    return None if content is None else text_of(RULEBOOK_FILE, content, complaints)


def table_sources(files: Files, complaints: ComplaintBook) -> dict[str, TableSource]:
    """By domain; a file or sheet that no domain is named for is complained of, and a domain that stands twice."""
    found: dict[str, TableSource] = {}
    for domain, source in _named(files, complaints):
        if domain not in DOMAINS:
            complaints.add(source.file, 1, 1, f"no domain is named '{domain}'", suggestion(domain, DOMAINS))
        elif domain in found:
            complaints.add(source.file, 1, 1, f"{domain} stand in {found[domain].file} too", "Keep one of them")
        else:
            found[domain] = source
    return found


def table_texts(files: Files) -> dict[str, list[list[str]]]:
    """By domain the cells of each row as they are written, trimmed, in the order of COLUMNS, without blank rows.

    The files must be those of a rulebook that was read without complaint.
    """
    found: dict[str, list[list[str]]] = {}
    for domain, source in table_sources(files, ComplaintBook()).items():
        records = [one for one in source.records if isinstance(one, Record) and not one.is_blank]
        names = [text.strip() for text in records[0].texts]
        order = [names.index(column) for column in COLUMNS]
        found[domain] = [[record.texts[cell].strip() for cell in order] for record in records[1:]]
    return found


def has_tables(files: Files) -> bool:
    """There is a file that may hold rules."""
    return any(_is_csv(name) or is_workbook(name) for name in files)


def is_workbook(name: str) -> bool:
    """Not the lock that a spreadsheet program leaves beside a workbook while it is open."""
    return name.casefold().endswith(".xlsx") and not name.startswith("~$")


def _named(files: Files, complaints: ComplaintBook) -> Iterator[tuple[str, TableSource]]:
    readable = {file: content for file, content in sorted(files.items()) if content is not None}
    for file, content in readable.items():
        if _is_csv(file):
            text = text_of(file, content, complaints)
            if text is not None:
                yield file.removesuffix(".csv"), TableSource(file, read_csv(file, text, complaints))
    for file, content in readable.items():
        if is_workbook(file) and not _is_too_large(file, content, complaints):
            # Few commands meet a workbook, and the library takes longer to import than all of this package.
            from routing_rules.xlsx_records import read_workbook  # noqa: PLC0415

            for sheet in read_workbook(file, content, complaints):
                yield sheet.domain, TableSource(sheet.file, sheet.records)


def _is_read(name: str) -> bool:
    return name == RULEBOOK_FILE or _is_csv(name) or is_workbook(name)


def _is_csv(name: str) -> bool:
    return name.casefold().endswith(".csv")


def _limit(name: str) -> int:
    return MAX_YAML_BYTES if name == RULEBOOK_FILE else MAX_TABLE_BYTES


def _is_too_large(name: str, content: bytes, complaints: ComplaintBook) -> bool:
    limit = _limit(name)
    if len(content) > limit:
        of_a_table = f"A table holds at most {MAX_ROWS:,} rows: take some together"
        remedy = "Make it smaller" if name == RULEBOOK_FILE else of_a_table
        complaints.add(name, 1, 1, f"the file is larger than {limit // 1024} KiB", remedy)
    return len(content) > limit


def text_of(name: str, content: bytes, complaints: ComplaintBook) -> str | None:
    """The file's text without byte order mark; None if it is too large or no UTF-8."""
    if _is_too_large(name, content, complaints):
        return None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        complaints.add(name, 1, 1, "the file is UTF-16", "Save it as UTF-8 (in Excel: CSV UTF-8)")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The codec with BOM counts from behind it.
        body = content.removeprefix(codecs.BOM_UTF8)
        good = body[: error.start].decode("utf-8", errors="replace")
        line, column = good.count("\n") + 1, len(good) - good.rfind("\n")
        byte = f"0x{body[error.start]:02X}"
        complaints.add(name, line, column, f"the byte {byte} is no UTF-8", "Save the file as UTF-8")
        return None
