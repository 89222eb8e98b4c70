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
from gateway.domain.wire import instant
from gateway.store.entry_reads import EntryReads
from gateway.store.log_reads import EntriesMissing, PlacedEntry

CSV_COLUMNS: Final = (
    "logIndex", "trace", "seq", "kind", "recordedAt", "actor", "lineageId", "domain", "businessUnit", "geography",
    "companyCode", "operation", "systemId", "row", "tableVersion", "activationNumber", "persons", "amount",
    "currencyCode", "erpReference", "documentType", "documentNumber", "leafHash", "entry",
)  # fmt: skip

_FORMULA: Final = re.compile(r"[=+\-@\t\r]")
"""What spreadsheets take for the beginning of a formula (OWASP, 'CSV injection')."""


async def entries_of(reads: EntryReads, rows: Sequence[IndexedEntry]) -> list[dict[str, Any]]:
    """The entries of these rows, with all that is known of them. Raises EntriesMissing."""
    placed = await reads.placed_at([one.log_index for one in rows])
    return [entry_wire(one, placed.get(one.log_index)) for one in rows]


def entry_wire(row: IndexedEntry, placed: PlacedEntry | None) -> dict[str, Any]:
    """`entry`: the JSON; `hashedBytes`: the bytes of it that are hashed, in base64. Raises EntriesMissing."""
    if placed is None or placed.body is None or placed.leaf_hash is None:
        raise EntriesMissing(f"entry {row.log_index} of the log is gone")
    amount = None
    if row.amount_units is not None and row.amount_millionths is not None:
        amount = format(decimal_of(row.amount_units, row.amount_millionths), "f")
    entry = json.loads(placed.body)
    return {
        "logIndex": row.log_index,
        "trace": placed.trace,
        "seq": placed.seq,
        "kind": row.kind,
        "recordedAt": instant(row.at),
        "actor": row.actor,
        "lineageId": entry.get("lineageId"),
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
        "leafHash": placed.leaf_hash.hex(),
        "hashedBytes": base64.b64encode(placed.body).decode("ascii"),
        "entry": entry,
    }


def json_lines(entries: Iterable[Mapping[str, Any]]) -> bytes:
    """One JSON object a line (https://jsonlines.org)."""
    return b"".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for one in entries)


def csv_lines(entries: Iterable[Mapping[str, Any]]) -> bytes:
    """Records as RFC 4180 says, in UTF-8. A text that a spreadsheet would take for a formula begins with `'`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for one in entries:
        erp = one["entry"].get("erp") or {}
        further = {
            "persons": " ".join(one["persons"]),
            "erpReference": erp.get("reference"),
            "documentType": erp.get("documentType"),
            "documentNumber": erp.get("documentNumber"),
            "entry": json.dumps(one["entry"], ensure_ascii=False, separators=(",", ":"), sort_keys=True),
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
