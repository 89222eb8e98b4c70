"""Comparing overlays with what the entries `overlay_set`, `auto_paused` and `overlay_lifted` tell.

Whoever takes an overlay away, or lays it elsewhere, lets documents through that people or the monitor hold back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from gateway.domain.act_records import OverlayRecord
from gateway.ledger.state.findings import Finding, unlike, unlike_time
from gateway.ledger.state.lifts import bodies, lift_findings, lift_reason_findings, one_of, reason_findings, row_finding
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
    told, rows = bodies(part.entries), {one.overlay_id: one for one in part.rows}
    payloads = {one.payload_id: one for one in part.payloads}
    for overlay_id in part.ids:
        row, entries = rows.get(overlay_id), told.get(overlay_id, [])
        if row is None or not entries:
            yield from row_finding(overlay_id, row, entries)
            continue
        first = entries[0]
        for what, stored, said in (
            ("overlay", row.overlay, first.get("overlay")),
            ("slice", row.slice, first.get("slice")),
            ("expected_until", row.expected_until, first.get("expectedUntil")),
            ("set_by", row.set_by, first["actor"]),
            ("person", row.person, first.get("person")),
            ("entry_count", row.entry_count, len(entries)),
        ):
            yield from unlike(overlay_id, what, stored, said)
        yield from unlike_time(overlay_id, "set_at", row.set_at, first["at"])
        yield from lift_findings(overlay_id, row, one_of(entries, "overlay_lifted"))
        yield from reason_findings(overlay_id, payloads.get(row.payload_id), first)
        yield from lift_reason_findings(overlay_id, payloads, row, one_of(entries, "overlay_lifted"))
