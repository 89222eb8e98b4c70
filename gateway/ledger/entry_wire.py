"""An entry of the ledger as answers, exports and commands show it."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from gateway.domain.indexed_entries import IndexedEntry, decimal_of
from gateway.domain.months import Month
from gateway.domain.wire import instant
from gateway.store.archived_reads import ArchivedReads
from gateway.store.log_reads import EntriesMissing, PlacedEntry

CSV_COLUMNS: Final = (
    "logIndex", "trace", "seq", "kind", "recordedAt", "actor", "lineageId", "domain", "businessUnit", "geography",
    "companyCode", "operation", "systemId", "row", "tableVersion", "activationNumber", "persons", "amount",
    "currencyCode", "erpReference", "documentType", "documentNumber", "leafHash", "entry",
    "archivedMonth",
)  # fmt: skip

_FORMULA: Final = re.compile(r"[=+\-@\t\r]")
"""What spreadsheets take for the beginning of a formula (OWASP, 'CSV injection')."""


async def entries_of(reads: ArchivedReads, rows: Sequence[IndexedEntry]) -> list[dict[str, Any]]:
    """The entries of these rows, with all that is known of them; of archived ones, what the index and the log's hashes
    tell. Raises EntriesMissing."""
    placed = await reads.placed_at([one.log_index for one in rows])
    gone = [one for one in placed.values() if one.body is None]
    months = await reads.months_taken_out() if gone else frozenset()
    gone = [one for one in gone if Month.of_trace(one.trace) in months]
    hashes = await reads.leaf_hashes_at([one.log_index for one in gone]) if gone else {}
    return [
        archived_wire(one, placed[one.log_index], hashes[one.log_index])
        if one.log_index in hashes
        else entry_wire(one, placed.get(one.log_index))
        for one in rows
    ]


def entry_wire(row: IndexedEntry, placed: PlacedEntry | None) -> dict[str, Any]:
    """`entry`: the JSON; `hashedBytes`: the bytes of it that are hashed, in base64. Raises EntriesMissing."""
    if placed is None or placed.body is None or placed.leaf_hash is None:
        raise EntriesMissing(f"entry {row.log_index} of the log is gone")
    entry = json.loads(placed.body)
    told = _indexed_wire(row, placed, entry.get("lineageId"))
    hashed = base64.b64encode(placed.body).decode("ascii")
    return {**told, "leafHash": placed.leaf_hash.hex(), "hashedBytes": hashed, "entry": entry}


def archived_wire(row: IndexedEntry, placed: PlacedEntry, leaf: bytes) -> dict[str, Any]:
    """The same of an entry whose bytes are in the archive of its month, which it names."""
    told = _indexed_wire(row, placed, None)
    month = str(Month.of_trace(placed.trace))
    return {**told, "leafHash": leaf.hex(), "hashedBytes": None, "entry": None, "archivedMonth": month}


def _indexed_wire(row: IndexedEntry, placed: PlacedEntry, lineage_id: str | None) -> dict[str, Any]:
    amount = None
    if row.amount_units is not None and row.amount_millionths is not None:
        amount = format(decimal_of(row.amount_units, row.amount_millionths), "f")
    return {
        "logIndex": row.log_index,
        "trace": placed.trace,
        "seq": placed.seq,
        "kind": row.kind,
        "recordedAt": instant(row.at),
        "actor": row.actor,
        "lineageId": lineage_id,
        "domain": row.domain,
        "businessUnit": row.business_unit,
        "geography": row.geography,
        "companyCode": row.company_code,
        "operation": row.operation,
        "systemId": row.system_id,
        "row": row.rule_row,
        "tableVersion": row.table_version,
        "activationNumber": row.activation_number,
        "persons": (row.persons or "").split(),
        "amount": amount,
        "currencyCode": row.currency_code,
    }


def json_lines(entries: Iterable[Mapping[str, Any]]) -> bytes:
    """One JSON object a line (https://jsonlines.org)."""
    return b"".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for one in entries)


def csv_lines(entries: Iterable[Mapping[str, Any]]) -> bytes:
    """Records as RFC 4180 says, in UTF-8. A text that a spreadsheet would take for a formula begins with `'`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for one in entries:
        entry = one["entry"]
        erp = (entry or {}).get("erp") or {}
        further = {
            "persons": " ".join(one["persons"]),
            "erpReference": erp.get("reference"),
            "documentType": erp.get("documentType"),
            "documentNumber": erp.get("documentNumber"),
            "entry": entry and json.dumps(entry, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
            "archivedMonth": one.get("archivedMonth"),
        }
        writer.writerow([_cell(name, further[name] if name in further else one[name]) for name in CSV_COLUMNS])
    return text.getvalue().encode()


def csv_head() -> bytes:
    """The names of the columns."""
    return (",".join(CSV_COLUMNS) + "\r\n").encode()


def _cell(name: str, value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str) and name != "amount" and _FORMULA.match(value):
        return f"'{value}"
    return value
