"""Acting on the rules of a rig: overlays, periods."""

from __future__ import annotations

from typing import Any

from gateway.cutover.acts import ActParts
from gateway.cutover.overlays import Wanted, lift_overlay, set_overlay
from gateway.cutover.periods import act_on_period
from gateway.domain.act_records import OverlayRecord, PeriodRecord
from gateway.domain.caller import Caller
from routing_rules import Overlay
from tests.line.rig import Rig

SCOPES = frozenset({"operations:act"})
ANN = Caller("console-ann", "console", SCOPES, person="ann")
BOB = Caller("console-bob", "console", SCOPES, person="bob")
ANNS_SCRIPT = Caller("script", "console", SCOPES, person="ann")


def act_parts(rig: Rig) -> ActParts:
    return ActParts(
        store=rig.store,
        reads=rig.store.reads,
        tools=rig.parts.tools,
        rules=lambda: rig.rules.current,
        events_left=lambda: rig.woken.append("events"),
        jobs_due=lambda: rig.woken.append("jobs"),
    )


async def lay(rig: Rig, overlay: str, domain: str = "orders", key: str | None = None, **wanted: Any) -> OverlayRecord:
    """Set an overlay over all of a domain, unless nodes are said."""
    rig.keys += 1
    full = Wanted(
        overlay=Overlay(overlay),
        domain=domain,
        business_unit=wanted.pop("business_unit", "Northwind"),
        geography=wanted.pop("geography", "World"),
        reason=wanted.pop("reason", "the warehouse is counted"),
        **wanted,
    )
    record, _ = await set_overlay(act_parts(rig), ANN, full, key or f"set-{rig.keys}")
    return record


async def lift(rig: Rig, overlay: OverlayRecord) -> OverlayRecord:
    """By two persons."""
    await lift_overlay(act_parts(rig), ANN, overlay.overlay_id, "counted")
    return await lift_overlay(act_parts(rig), BOB, overlay.overlay_id, "yes, counted")


async def close(rig: Rig, period: str = "1996-07", company_code: str = "NW01") -> PeriodRecord:
    return await act_on_period(act_parts(rig), ANN, "close", company_code, period, "July is done")


async def reopen(rig: Rig, period: str = "1996-07", company_code: str = "NW01") -> PeriodRecord:
    return await act_on_period(act_parts(rig), BOB, "reopen", company_code, period, "an invoice was forgotten")
