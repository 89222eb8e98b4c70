"""Slices in wire words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from gateway.api.money_wire import amounts, money
from gateway.cutover.board import SliceDetail, SliceLine, Tally
from gateway.cutover.slice_gates import SliceVerdicts
from gateway.cutover.slices import SliceName
from gateway.domain.facts import camel
from gateway.domain.open_lineages import OpenLineage
from gateway.domain.wire import instant
from routing_rules import Outcome, SliceState

_EPOCH = date(1970, 1, 1).toordinal()


def tally(found: Tally) -> dict[str, Any]:
    """Count and money."""
    return {"lineageCount": found.count, "amounts": amounts(found.amounts)}


def by_side(found: Mapping[str, Tally]) -> dict[str, Any]:
    """Both sides, and what has no pin."""
    return {side: tally(one) for side, one in found.items()}


def slice_wire(line: SliceLine, verdicts: SliceVerdicts | None) -> dict[str, Any]:
    """A line of the board."""
    name = line.name
    return {
        "sliceId": name.id,
        "domain": name.domain,
        "businessUnit": name.business_unit,
        "geography": name.geography,
        "stages": list(dict.fromkeys(line.stages)),
        "parts": [_part(one) for one in line.states],
        "overlays": [
            {
                "overlayId": one.overlay_id,
                "overlay": one.overlay,
                "sliceId": f"{one.domain}.{one.business_unit}.{one.geography}",
                "expectedUntil": None if one.expected_until is None else instant(one.expected_until),
            }
            for one in line.overlays
        ],
        "roots": by_side(line.roots),
        "openLineages": by_side(line.open),
        "gates": None if verdicts is None else _summary(verdicts),
    }


def _part(part: SliceState) -> dict[str, Any]:
    outcome = part.state if isinstance(part.state, Outcome) else None
    return {
        "columns": {camel(column): text for column, text in part.where.items()},
        "stage": outcome.stage.value if outcome else None,
        "legacySystemId": outcome.legacy_system if outcome else None,
        "cloudSystemId": outcome.cloud_system if outcome else None,
        "sharePercent": format(outcome.share, "f") if outcome and outcome.share is not None else None,
        "plannedOverlay": outcome.overlay.value if outcome and outcome.overlay else None,
        "cutoverDate": outcome.cutover_date.isoformat() if outcome and outcome.cutover_date else None,
        "rows": list(part.rows),
    }


def _summary(found: SliceVerdicts) -> dict[str, Any]:
    return {
        "evaluatedAt": instant(found.at),
        "nextStages": list(found.next_stages),
        "passed": sum(one.holds for one in found.verdicts),
        "failed": sorted({one.result.gate for one in found.verdicts if not one.holds}),
    }


def detail_wire(detail: SliceDetail, verdicts: SliceVerdicts | None) -> dict[str, Any]:
    """A slice with its drain and its rollback impact."""
    return {
        **slice_wire(detail.line, verdicts),
        "drainAges": [
            {"fromDays": one.from_days, "untilDays": one.until_days, **tally(one.tally)} for one in detail.ages
        ],
        "drainDays": [
            {
                "day": date.fromordinal(_EPOCH + one.day).isoformat(),
                "came": one.came,
                "closed": one.closed,
                "open": one.open,
            }
            for one in detail.days
        ],
        "companyCodes": [
            {"companyCode": code or None, "openLineages": by_side(found)}
            for code, found in detail.by_company_code.items()
        ],
        "openInBoth": {"customerCount": detail.customers_in_both, "openLineages": by_side(detail.in_both)},
        "rollbackImpact": {
            **tally(detail.impact),
            "followUps": [
                {
                    "reason": one.reason,
                    "documentCount": one.documents,
                    "amounts": amounts(one.amounts),
                    "expected": one.expected,
                }
                for one in detail.follow_ups
            ],
        },
    }


def gates_wire(name: SliceName, found: SliceVerdicts) -> dict[str, Any]:
    """The gates of a slice."""
    return {
        "sliceId": name.id,
        "evaluatedAt": instant(found.at),
        "nextStages": list(found.next_stages),
        "gates": [one.as_json() for one in found.verdicts],
    }


def open_lineages_wire(rows: Iterable[OpenLineage]) -> list[dict[str, Any]]:
    """Open lineages, each once with all its reasons."""
    found: dict[str, dict[str, Any]] = {}
    for one in rows:
        shown = found.setdefault(
            one.lineage_id,
            {
                "lineageId": one.lineage_id,
                "businessUnit": one.business_unit,
                "geography": one.geography,
                "companyCode": one.company_code,
                "customerId": one.customer_id,
                "side": one.side,
                "systemId": one.system_id,
                "createdAt": instant(one.created_at),
                "reasons": [],
            },
        )
        shown["reasons"].append(
            {
                "reason": one.reason,
                "count": one.parts,
                "currencyCode": one.currency_code,
                "amount": None if one.currency_code is None else money(one.amount, one.currency_code),
            }
        )
    return list(found.values())
