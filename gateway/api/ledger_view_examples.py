"""Examples of the views of operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.domain.operational_views import View
from gateway.ledger.view_wire import COLUMNS, REQUEST_COLUMNS, view_csv

_ASKED: Final = {
    "queryId": "qry_01JD9Q5V8W2M4N6P8R0S2T4V6Z",
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    "acceptedFrom": "2026-11-01T00:00:00.000000Z",
    "acceptedUntil": "2026-12-01T00:00:00.000000Z",
    "groupBy": ["month", "slice", "side"],
    "archivedMonths": [],
}
_SLICES: Final = {View.INVOICE_ACCURACY: "invoices"}
_VALUES: Final[Mapping[View, tuple[Any, ...]]] = {
    View.CYCLE_TIME: (310, 950_401_325, 2_592_001_060, 3_110_400_900),
    View.RECOVERY_TIME: (42, 41, 64_250, 1_800_007, 86_400_118),
    View.COMPLETE_TRACES: (2_000, 1_998, 2, 0, 0, "0.9990"),
    View.INVOICE_ACCURACY: (830, 812, 6, 9, 5, "0.9783"),
    View.API_USE: ("salesforce", "salesforce", "create", 830, 824, 6),
}


def _rows(view: View) -> list[dict[str, Any]]:
    key = ("2026-11", _SLICES.get(view, "orders"), "Western", "US", "cloud")
    return [dict(zip(COLUMNS[view], (*key, *_VALUES[view]), strict=True))]


_REQUESTS: Final = ("2026-11", "salesforce", "salesforce", "v1", "createOrder", 830, 11, 0, 0)
_BESIDE: Final = {View.API_USE: {"requests": [dict(zip(REQUEST_COLUMNS, _REQUESTS, strict=True))]}}
VIEWS: Final[Mapping[View, Mapping[str, Any]]] = {
    view: {**_ASKED, "items": _rows(view), **_BESIDE.get(view, {})} for view in View
}
CSV: Final[Mapping[View, str]] = {
    view: view_csv(view, _rows(view)).decode() + "# queryId=qry_01JD… rows=1 sha256=9f86d0…\r\n" for view in View
}
