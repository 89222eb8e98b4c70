"""The monitor: where too many documents of a slice fail, or nobody knows what became of them, its new roots are held.

It only ever pauses; lifting is for people, two of them. Source: docs/rules.md, 'Overlays'.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import structlog

from gateway.cutover.act_ports import ActUnit
from gateway.cutover.acts import ActParts, raise_acts
from gateway.cutover.control_entries import ControlTrace
from gateway.cutover.overlays import MOST_OVERLAYS, overlay_members
from gateway.domain.act_records import OverlayRecord
from gateway.domain.entries import EntryKind
from gateway.domain.outcomes import SliceOutcomes
from gateway.domain.records import PayloadRecord
from gateway.errors import StoreUnavailable
from gateway.transactions.parts import SECOND
from routing_rules import Overlay

ACTOR: Final = "gateway"
LOOK_EVERY_S: Final = 15.0
_RECENTLY_LIFTED: Final = 200
"""Overlays, newest first, among which a lift of the slice is looked for."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """When a slice is paused: `least` documents or more were sent in the last `window_s` seconds, and at least so many
    per cent of them failed, or are unknown."""

    error_percent: Decimal = Decimal(50)
    unknown_percent: Decimal = Decimal(20)
    least: int = 50
    window_s: int = 300

    @classmethod
    def of(cls, thresholds: Mapping[str, Any]) -> Thresholds:
        """From the rulebook's thresholds `auto_pause_…`. What is no number counts as not said, and is logged."""
        usual = cls()
        return cls(
            error_percent=_number(thresholds, "auto_pause_error_percent", usual.error_percent, 100),
            unknown_percent=_number(thresholds, "auto_pause_unknown_percent", usual.unknown_percent, 100),
            least=int(_number(thresholds, "auto_pause_least", Decimal(usual.least), 1_000_000)),
            window_s=int(_number(thresholds, "auto_pause_window_s", Decimal(usual.window_s), 86_400)),
        )

    def exceeded_by(self, seen: SliceOutcomes) -> str | None:
        """Which one the slice exceeds: `error_percent`, `unknown_percent`, or none."""
        if seen.sent < self.least:
            return None
        if 100 * seen.failed >= self.error_percent * seen.sent:
            return "error_percent"
        return "unknown_percent" if 100 * seen.unknown >= self.unknown_percent * seen.sent else None


def _number(thresholds: Mapping[str, Any], name: str, usual: Decimal, most: int) -> Decimal:
    if name not in thresholds:
        return usual
    try:
        found = Decimal(str(thresholds[name]))
    except InvalidOperation:
        found = Decimal(-1)
    if found.is_finite() and 0 < found <= most:
        return found
    _log.warning("threshold_not_usable", threshold=name, used=str(usual), most=most)
    return usual


class AutoPause:
    """Looks every LOOK_EVERY_S seconds, in the process that leads this task; a slice is paused once in any case."""

    def __init__(self, parts: ActParts) -> None:
        self._parts = parts

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._parts.tools.clock.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except StoreUnavailable as error:
                _log.warning("slices_not_looked_at", error=str(error))
            except Exception:
                # a monitor that has ended would watch nothing any more; the next look may fare better
                _log.exception("slices_not_looked_at")

    async def look(self) -> list[OverlayRecord]:
        """Pause every slice that exceeds a threshold; what was set now."""
        parts = self._parts
        limits = Thresholds.of(parts.rules().rulebook.governance.thresholds)
        since = parts.tools.clock.now() - limits.window_s * SECOND
        found: list[OverlayRecord] = []
        for seen in await parts.reads.outcomes_by_slice(since):
            exceeded = limits.exceeded_by(seen)
            if exceeded is None or await self._lifted_since(seen, since):
                continue
            record = await self._pause(seen, exceeded, limits)
            if record is not None:
                _log.warning("slice_paused", slice=record.slice, overlay=record.overlay_id, exceeded=exceeded)
                found.append(record)
        if found:
            parts.events_left()
        return found

    async def _lifted_since(self, seen: SliceOutcomes, since: int) -> bool:
        """Whether people lifted an overlay of the slice in this window: they know of what is still in it."""
        newest = await self._parts.reads.overlays(lifted=True, limit=_RECENTLY_LIFTED, after=None)
        return any(_lies_over(one, seen) and one.lifted_at is not None and one.lifted_at >= since for one in newest)

    async def _pause(self, seen: SliceOutcomes, exceeded: str, limits: Thresholds) -> OverlayRecord | None:
        tools = self._parts.tools
        overlay_id, event_id = tools.ids.new("ovl"), tools.ids.new("evt")
        percent = limits.error_percent if exceeded == "error_percent" else limits.unknown_percent
        counts = {
            "exceeded": f"auto_pause_{exceeded}",
            "percent": format(percent, "f"),
            "windowS": limits.window_s,
            "sent": seen.sent,
            "failed": seen.failed,
            "unknown": seen.unknown,
        }
        payload = PayloadRecord(tools.ids.new("pay"), tools.randomness.salt(), json.dumps(counts).encode())

        async def unit_of_work(unit: ActUnit) -> OverlayRecord | None:
            state = await unit.rules_state_alone()
            standing = await unit.overlays_not_lifted()
            if len(standing) >= MOST_OVERLAYS or any(_lies_over(one, seen) for one in standing):
                return None
            record = OverlayRecord(
                overlay_id=overlay_id,
                overlay=Overlay.PAUSED.value,
                domain=seen.domain,
                business_unit=seen.business_unit,
                geography=seen.geography,
                set_at=tools.clock.now(),
                set_by=ACTOR,
                person=None,
                payload_id=payload.payload_id,
                entry_count=1,
            )
            await unit.insert_overlay(record)
            await unit.insert_payload(payload)
            members = {**overlay_members(record), **counts, "actsNumber": await raise_acts(unit, state)}
            del members["expectedUntil"]
            await ControlTrace(tools, overlay_id).record(unit, EntryKind.AUTO_PAUSED, ACTOR, members, event_id=event_id)
            return record

        return await self._parts.store.write(unit_of_work)


def _lies_over(overlay: OverlayRecord, seen: SliceOutcomes) -> bool:
    """Just this slice: what people laid over a wider one is another matter, and a pause on top of it changes nothing
    while that lies there."""
    place = (overlay.domain, overlay.business_unit, overlay.geography)
    return place == (seen.domain, seen.business_unit, seen.geography)
