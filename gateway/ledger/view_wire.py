"""Rows of the views of operations as answers, exports and commands show them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from decimal import Decimal
from typing import Any, Final

from gateway.domain.api_uses import ApiUseSum
from gateway.domain.operational_views import AccuracyCounts, Durations, TraceCounts, UseCounts, View, ViewKey, ViewRow

KEY_COLUMNS: Final = ("month", "domain", "businessUnit", "geography", "side")
_TIMES: Final = ("medianMs", "p95Ms", "longestMs")
COLUMNS: Final[Mapping[View, Sequence[str]]] = {
    View.CYCLE_TIME: (*KEY_COLUMNS, "paidCount", *_TIMES),
    View.RECOVERY_TIME: (*KEY_COLUMNS, "failedCount", "recoveredCount", *_TIMES),
    View.COMPLETE_TRACES: (
        *KEY_COLUMNS, "transactionCount", "completeCount", "notEndedCount", "withGapCount", "withoutNumberCount",
        "completeShare",
    ),
    View.INVOICE_ACCURACY: (
        *KEY_COLUMNS, "invoiceCount", "accurateCount", "undoneCount", "creditedCount", "refusedBeforeCount",
        "accurateShare",
    ),
    View.API_USE: (*KEY_COLUMNS, "client", "source", "operation", "acceptedCount", "postedCount", "failedCount"),
}  # fmt: skip
"""The members of a view's rows, in the order of its export."""
REQUEST_COLUMNS: Final = (
    "month", "client", "source", "apiVersion", "operationId", "answeredCount", "refusedCount", "failedCount",
    "brokenCount",
)  # fmt: skip
"""The members of the requests by caller and version that stand beside the rows of `api-use`."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of a formula (OWASP, 'CSV injection')."""


def row_wire(view: View, row: ViewRow) -> dict[str, Any]:
    """A row by the names of its members."""
    return dict(zip(COLUMNS[view], (*_key(row.key), *_values(view, row)), strict=True))


def requests_wire(one: ApiUseSum) -> dict[str, Any]:
    """The same of requests."""
    return dict(zip(REQUEST_COLUMNS, astuple(one), strict=True))


def view_csv(view: View, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Records as RFC 4180 says, in UTF-8, after their head."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS[view])
    for row in rows:
        writer.writerow([_cell(row[name]) for name in COLUMNS[view]])
    return text.getvalue().encode()


def _key(key: ViewKey) -> tuple[str | None, ...]:
    return key.month, key.domain, key.business_unit, key.geography, key.side


def _values(view: View, row: ViewRow) -> tuple[Any, ...]:
    match row:
        case Durations():
            measured = () if view is View.CYCLE_TIME else (row.measured,)
            return row.counted, *measured, _millis(row.median), _millis(row.p95), _millis(row.longest)
        case TraceCounts():
            missing = (row.not_ended, row.with_gap, row.without_number)
            return row.transactions, row.complete, *missing, _share(row.complete, row.transactions)
        case AccuracyCounts():
            corrected = (row.undone, row.credited, row.refused_before)
            return row.invoices, row.accurate, *corrected, _share(row.accurate, row.invoices)
        case UseCounts():
            return row.client, row.source, row.operation, row.accepted, row.posted, row.failed


def _millis(micros: int | None) -> int | None:
    """To the nearest millisecond."""
    return None if micros is None else (micros + 500) // 1_000


def _share(part: int, whole: int) -> str:
    """Rounded down, so that 1.0000 is all of them."""
    return f"{Decimal(part * 10_000 // whole) / 10_000:.4f}"


def _cell(value: object) -> object:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
