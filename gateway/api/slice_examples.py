"""What the board looks like, for the description; made by the code that makes the answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from gateway.api.slice_wire import detail_wire, gates_wire, open_lineages_wire, slice_wire
from gateway.cutover.board import AgeTally, BurnDownDay, ExpectedFollowUps, SliceDetail, SliceLine, Tally
from gateway.cutover.gates.gate import GateResult
from gateway.cutover.gates.registry import GateVerdict
from gateway.cutover.slice_gates import SliceVerdicts
from gateway.cutover.slices import SliceName
from gateway.domain.acts import ActiveOverlay
from gateway.domain.open_lineages import FOLLOW_UPS, OpenLineage, Reason
from routing_rules import Outcome, SliceState, Stage

_TRACE: Final = {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736"}
_AT: Final = 1_795_456_680_000_000  # 2026-11-23T18:58:00Z
_DAY: Final = 20_780
_NAME: Final = SliceName("orders", "Western", "BR")
_NOTHING: Final = Tally(0, {})
_LEGACY: Final = Tally(2, {"USD": Decimal("440.00")})
_CLOUD: Final = Tally(1, {"USD": Decimal("168.00")})
_OPEN: Final = {"legacy": _LEGACY, "cloud": _CLOUD}
_LINE: Final = SliceLine(
    name=_NAME,
    states=(
        SliceState(
            state=Outcome(stage=Stage.DRAIN, legacy_system="legacy-main", cloud_system="cloud-main"),
            box=(),
            rows=("o-west-latam",),
        ),
    ),
    overlays=(
        ActiveOverlay(
            overlay_id="ovl_01JD9Q5V8W2M4N6P8R0S2T4V6W",
            overlay="hold",
            domain="orders",
            business_unit="Western",
            geography="LATAM",
        ),
    ),
    roots={"legacy": Tally(14, {"USD": Decimal("9312.50")}), "cloud": Tally(3, {"USD": Decimal("1204.00")})},
    open=_OPEN,
)
_VERDICTS: Final = SliceVerdicts(
    _AT,
    7,
    ("read_only",),
    (
        GateVerdict(
            result=GateResult(
                gate="no_lineage_stranded",
                passed=False,
                why="2 lineage(s) are still open in legacy; drain or adopt them",
                evidence={"openLineages": 2},
                subject="orders: business_unit Western, geography BR",
            ),
            waivable=False,
        ),
    ),
)
_DETAIL: Final = SliceDetail(
    line=_LINE,
    ages=(AgeTally(0, 1, _NOTHING), AgeTally(1, 7, _LEGACY)),
    days=(BurnDownDay(_DAY - 1, 2, 1, 3), BurnDownDay(_DAY, 0, 1, 2)),
    by_company_code={"NW01": _OPEN},
    in_both={"legacy": Tally(1, {"USD": Decimal("300.00")}), "cloud": _CLOUD},
    customers_in_both=1,
    impact=_CLOUD,
    follow_ups=(
        ExpectedFollowUps(
            Reason.ORDER_NOT_INVOICED.value, 1, {"USD": Decimal("168.00")}, FOLLOW_UPS[Reason.ORDER_NOT_INVOICED]
        ),
    ),
)

SLICES: Final[dict[str, Any]] = {**_TRACE, "items": [slice_wire(_LINE, _VERDICTS)], "nextCursor": None}
SLICE: Final[dict[str, Any]] = {**_TRACE, **detail_wire(_DETAIL, _VERDICTS)}
GATES: Final[dict[str, Any]] = {**_TRACE, **gates_wire(_NAME, _VERDICTS)}
OPEN_LINEAGES: Final[dict[str, Any]] = {
    **_TRACE,
    "items": open_lineages_wire(
        [
            OpenLineage(
                "lin_01JD9Q5V8W2M4N6P8R0S2T4V6W",
                "orders",
                "Western",
                "BR",
                "NW01",
                "doc_01JD9Q5V8W2M4N6P8R0S2T4V6X",
                "legacy",
                "legacy-main",
                _AT,
                Reason.ORDER_NOT_INVOICED.value,
                "USD",
                1,
                Decimal("300.00"),
            )
        ]
    ),
    "nextCursor": None,
}
