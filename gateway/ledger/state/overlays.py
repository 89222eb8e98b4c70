"""Comparing overlays with what the entries `overlay_set`, `auto_paused` and `overlay_lifted` tell.

Whoever takes an overlay away, or lays it elsewhere, lets documents through that people or the monitor hold back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from gateway.domain.act_records import OverlayRecord
from gateway.ledger.state.findings import Finding
from gateway.ledger.state.lifts import Body, act_findings
from gateway.store.told_acts import ActPart

PART: Final = 200
"""Overlays of one look."""


class AuditedOverlays(Protocol):
    """What is read of overlays; the store's reads are one."""

    async def overlay_part(self, after: str, most: int) -> ActPart[OverlayRecord]: ...


async def audit_overlays(state: AuditedOverlays, most: int) -> list[Finding]:
    """Every overlay; what differs, at most `most`. Others may write meanwhile."""
    found: list[Finding] = []
    after = ""
    while len(found) < most and (part := await state.overlay_part(after, PART)).ids:
        found += overlay_findings(part)
        after = part.ids[-1]
    return found[:most]


def overlay_findings(part: ActPart[OverlayRecord]) -> Iterator[Finding]:
    """What differs in a part. Of one that a monitor set no entry tells a person or when it is expected to end. Pure."""
    return act_findings(part, "overlay_id", "overlay_lifted", _told_of_overlay)


def _told_of_overlay(first: Body) -> dict[str, object]:
    return {
        "overlay": first.get("overlay"),
        "slice": first.get("slice"),
        "expected_until": first.get("expectedUntil"),
        "set_by": first["actor"],
        "person": first.get("person"),
    }
