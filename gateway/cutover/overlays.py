"""Overlays: setting one, and lifting it by two persons. Nothing lifts itself. Source: docs/rules.md, 'Overlays'."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gateway.cutover.act_ports import ActUnit
from gateway.cutover.acting import acting
from gateway.cutover.acts import Actor, ActParts, Reason, present, raise_acts, refuse_reused
from gateway.cutover.control_entries import ControlTrace
from gateway.domain.act_records import OverlayRecord
from gateway.domain.caller import Caller, DataScope
from gateway.domain.entries import EntryKind
from gateway.domain.identity import content_hash
from gateway.domain.records import IdempotencyKeyRecord
from gateway.errors import FieldError, Problem
from gateway.transactions.parts import SECOND
from routing_rules import Overlay, Rulebook

MOST_OVERLAYS: Final = 1_000
"""Overlays that may lie over the rules at once: every decision looks at those of its domain."""
LONGEST_S: Final = 366 * 86_400
"""How far away the expected end of an overlay may be; what lies longer than a year is planned in the table."""
_OPERATION: Final = "set_overlay"
_RESOURCE: Final = "overlays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be laid over the facts of `domain` at or below both nodes, and why. `expected_until` (µs): when it is
    expected to be lifted; it tells callers when to come again and lifts nothing."""

    overlay: Overlay
    domain: str
    business_unit: str
    geography: str
    reason: str
    expected_until: int | None = None


async def set_overlay(parts: ActParts, caller: Caller, wanted: Wanted, key: str) -> tuple[OverlayRecord, bool]:
    """Lay it over; and whether the key named it already. From its commit on it bites everywhere.

    Raises Problem: unknown-node, domain-not-served, out-of-scope, invalid-document (a time that is over or too far),
    idempotency-key-reused, policy-check-failed (too many).
    """
    tools = parts.tools
    _check(parts.rules().rulebook, wanted, caller.data_scope, tools.clock.now())
    who, reason = Actor.of(tools, caller), Reason.drawn(tools, wanted.reason)
    overlay_id, event_id = tools.ids.new("ovl"), tools.ids.new("evt")
    digest = content_hash(repr(wanted).encode())

    async def unit_of_work(unit: ActUnit) -> tuple[OverlayRecord, bool]:
        state = await unit.rules_state_alone()
        known = await unit.idempotency_key(who.client, _OPERATION, _RESOURCE, key)
        if known is not None:
            refuse_reused(known.content_hash, digest)
            return await _standing(unit, known.transaction_id), True
        await refuse_too_many(unit)
        now = tools.clock.now()
        record = OverlayRecord(
            overlay_id=overlay_id,
            overlay=wanted.overlay.value,
            domain=wanted.domain,
            business_unit=wanted.business_unit,
            geography=wanted.geography,
            set_at=now,
            set_by=who.client,
            person=who.person,
            payload_id=reason.payload_id,
            expected_until=wanted.expected_until,
            entry_count=1,
        )
        await unit.insert_overlay(record)
        await reason.keep(unit)
        await who.remember(unit)
        await unit.insert_idempotency_key(
            IdempotencyKeyRecord(who.client, _OPERATION, _RESOURCE, key, digest, overlay_id, now)
        )
        members = {**overlay_members(record), "reasonHash": reason.commitment, "person": who.person}
        members["actsNumber"] = await raise_acts(unit, state)
        await ControlTrace(tools, overlay_id).record(
            unit, EntryKind.OVERLAY_SET, who.client, present(members), event_id=event_id
        )
        return record, False

    found = await parts.store.write(unit_of_work)
    parts.events_left()
    return found


async def lift_overlay(parts: ActParts, caller: Caller, overlay_id: str, reason_text: str) -> OverlayRecord:
    """Ask for the lift; or, where another person has asked for it, lift it and wake what it held.

    A repeat by the person who asked changes nothing, and so does one after the lift.

    Raises Problem: not-found, out-of-scope, policy-check-failed (the token names no person).
    """
    tools = parts.tools
    who, reason = acting(tools, caller), Reason.drawn(tools, reason_text)
    event_id = tools.ids.new("evt")

    async def unit_of_work(unit: ActUnit) -> tuple[OverlayRecord, int]:
        state = await unit.rules_state_alone()
        record = await _standing(unit, overlay_id)
        refuse_out_of_reach(caller.data_scope, record.business_unit, record.geography)
        if record.state == "lifted" or record.lift_asked_person == who.person:
            return record, 0
        await Actor(who.client, who.person, who.name).remember(unit)
        now = tools.clock.now()
        if record.state == "set":
            await reason.keep(unit)
            asked = replace(
                record,
                lift_asked_at=now,
                lift_asked_by=who.client,
                lift_asked_person=who.person,
                lift_payload_id=reason.payload_id,
            )
            await unit.update_overlay(asked)
            return asked, 0
        woken = await unit.wake_jobs_waiting_for(overlay_id, now)
        asked_for = await Reason.kept(unit, record.lift_payload_id)
        trace = ControlTrace(tools, overlay_id, entry_count=record.entry_count)
        lifted = replace(
            record, lifted_at=now, lifted_by=who.client, lifted_person=who.person, entry_count=trace.entry_count + 1
        )
        await unit.update_overlay(lifted)
        members = {
            **overlay_members(lifted),
            "person": who.person,
            "askedBy": lifted.lift_asked_by,
            "askedAt": lifted.lift_asked_at,
            "askedPerson": lifted.lift_asked_person,
            "reasonHash": None if asked_for is None else asked_for.commitment,
            "released": woken,
            "actsNumber": await raise_acts(unit, state),
        }
        await trace.record(unit, EntryKind.OVERLAY_LIFTED, who.client, present(members), event_id=event_id)
        return lifted, woken

    record, woken = await parts.store.write(unit_of_work)
    parts.events_left()
    if woken:
        parts.jobs_due()
    return record


def overlay_members(record: OverlayRecord) -> dict[str, object]:
    """Wire members of an overlay's entries."""
    return {
        "overlayId": record.overlay_id,
        "overlay": record.overlay,
        "slice": record.slice,
        "expectedUntil": record.expected_until,
    }


async def refuse_too_many(unit: ActUnit) -> None:
    """Raise Problem `policy-check-failed` where MOST_OVERLAYS are set already."""
    if len(await unit.overlays_not_lifted()) >= MOST_OVERLAYS:
        raise Problem(
            "policy-check-failed",
            f"{MOST_OVERLAYS} overlays are set already",
            remedy="lift some, or set one over a node that holds several slices",
        )


async def _standing(unit: ActUnit, overlay_id: str) -> OverlayRecord:
    record = await unit.overlay(overlay_id)
    if record is None:
        raise Problem("not-found", f"there is no overlay {overlay_id}")
    return record


def _check(rulebook: Rulebook, wanted: Wanted, scope: DataScope, now: int) -> None:
    if wanted.domain not in rulebook.tables:
        raise Problem("domain-not-served", f"the rulebook in force has no table for {wanted.domain}")
    wrong = [
        FieldError(field, f"{node} is not in the rulebook", "use an id of the rulebook's trees")
        for field, node, tree in (
            ("businessUnit", wanted.business_unit, rulebook.business_units),
            ("geography", wanted.geography, rulebook.geographies),
        )
        if node not in tree
    ]
    if wrong:
        raise Problem("unknown-node", f"{wrong[0].field} {wrong[0].message}", errors=tuple(wrong))
    refuse_out_of_reach(scope, wanted.business_unit, wanted.geography)
    until = wanted.expected_until
    if until is not None and not now < until <= now + LONGEST_S * SECOND:
        message = "is over already" if until <= now else f"is more than {LONGEST_S // 86_400} days away"
        raise Problem(
            "invalid-document",
            f"expectedUntil {message}",
            errors=(FieldError("expectedUntil", message, "name a time within a year, or leave it out"),),
        )


def refuse_out_of_reach(scope: DataScope, business_unit: str, geography: str) -> None:
    """Raise Problem `out-of-scope` for who acts on a slice that the token does not cover."""
    outside = [
        FieldError(field, f"{node} is outside your data scope")
        for field, node, allowed in (
            ("businessUnit", business_unit, scope.business_units),
            ("geography", geography, scope.geographies),
        )
        if allowed is not None and node not in allowed
    ]
    if outside:
        raise Problem(
            "out-of-scope",
            f"your token does not cover {outside[0].field}",
            remedy="ask for a token whose data scope covers it",
            errors=tuple(outside),
        )
