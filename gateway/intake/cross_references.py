"""Importing what masters are already called in an ERP, so that documents can refer to them from the first day.

The file is CSV with the header `domain,source,external_id,system_id,document_type,document_number`. Importing the same
file again changes nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from adapters.canonical import MASTER_DOMAINS
from gateway.domain.queries import DocumentName
from gateway.domain.records import CrossReferenceRecord, DocumentRecord, LineageRecord, NaturalKeyRecord
from gateway.errors import GatewayError
from gateway.transactions.parts import RulesInForce, Tools
from gateway.transactions.ports import Store, WriteUnit

HEADER: Final = ("domain", "source", "external_id", "system_id", "document_type", "document_number")
MAX_BYTES: Final = 200_000_000
"""Largest import file; about three million rows."""
UNIT_ROWS: Final = 200
"""Rows a write unit: few enough that other units do not wait long."""


class ImportRefused(GatewayError):
    """The file has errors; nothing of it was imported. `complaints` lists them all as `file:line: what`."""

    def __init__(self, complaints: Sequence[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = tuple(complaints)


@dataclass(frozen=True, slots=True)
class CrossReferenceRow:
    """One master and what it is called in one system."""

    domain: str
    source: str
    external_id: str
    system_id: str
    document_type: str
    document_number: str


def read_rows(path: Path, system_ids: Iterable[str]) -> list[CrossReferenceRow]:
    """Read and check a whole file. Raises ImportRefused listing every bad line."""
    if path.stat().st_size > MAX_BYTES:
        raise ImportRefused([f"{path.name}: larger than {MAX_BYTES} bytes; split it"])
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportRefused([f"{path.name}: not UTF-8 at byte {error.start}"]) from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if tuple(reader.fieldnames or ()) != HEADER:
        raise ImportRefused([f"{path.name}:1: the header must be {','.join(HEADER)}"])
    systems = frozenset(system_ids)
    rows: list[CrossReferenceRow] = []
    complaints: list[str] = []
    for cells in reader:
        wrong = _wrong(cells, systems)
        if wrong:
            complaints.append(f"{path.name}:{reader.line_num}: {wrong}")
        else:
            rows.append(CrossReferenceRow(**cells))
    if complaints:
        raise ImportRefused(complaints)
    return rows


def write_rows(path: Path, rows: Iterable[CrossReferenceRow]) -> None:
    """Write an import file (RFC 4180, with its header line)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(astuple(row) for row in rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def _wrong(cells: dict[str, str], systems: frozenset[str]) -> str:
    if None in cells or any(cells.get(name) in {None, ""} for name in HEADER):
        return "every cell must be filled, and there are six"
    if cells["domain"] not in MASTER_DOMAINS:
        return f"domain {cells['domain']!r} is no master; masters are {', '.join(sorted(MASTER_DOMAINS))}"
    if cells["system_id"] not in systems:
        return f"system {cells['system_id']!r} is not in the rulebook"
    if any(len(cells[name]) > 64 for name in HEADER):
        return "a cell is longer than 64 characters"
    return ""


async def import_cross_references(
    store: Store, tools: Tools, rules: RulesInForce, rows: Sequence[CrossReferenceRow]
) -> int:
    """Make the documents known and add their numbers; how many rows were given."""
    for start in range(0, len(rows), UNIT_ROWS):
        part = rows[start : start + UNIT_ROWS]
        drawn = [(tools.ids.new("doc"), tools.ids.new("lin")) for _ in part]

        async def import_part(
            unit: WriteUnit, part: Sequence[CrossReferenceRow] = part, drawn: list[tuple[str, str]] = drawn
        ) -> None:
            for row, (document_id, lineage_id) in zip(part, drawn, strict=True):
                await _import(unit, tools, rules, row, document_id, lineage_id)

        await store.write(import_part)
    return len(rows)


async def _import(
    unit: WriteUnit,
    tools: Tools,
    rules: RulesInForce,
    row: CrossReferenceRow,
    document_id: str,
    lineage_id: str,
) -> None:
    now = tools.clock.now()
    name = DocumentName(row.domain, source=row.source, external_id=row.external_id)
    known = (await unit.documents_named([name])).get(name)
    if known is None:
        await unit.insert_lineage(LineageRecord(lineage_id, document_id))
        await unit.insert_document(
            DocumentRecord(
                document_id=document_id,
                domain=row.domain,
                source=row.source,
                external_id=row.external_id,
                lineage_id=lineage_id,
                transaction_id=None,
                payload_id=None,
                business_unit=rules.rulebook.business_units.root,
                geography=rules.rulebook.geographies.root,
                created_at=now,
            )
        )
        await unit.insert_natural_key(
            NaturalKeyRecord(row.source, row.domain, row.external_id, document_id, None, None)
        )
    await unit.insert_cross_reference(
        CrossReferenceRecord(
            document_id=known.document_id if known else document_id,
            system_id=row.system_id,
            document_type=row.document_type,
            document_number=row.document_number,
            valid_from=now,
        )
    )
