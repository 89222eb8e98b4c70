"""Legal holds: set by one person, for waiting could lose what a court wants; lifted by two, for then it may go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gateway.cutover.acting import Acting, acting
from gateway.cutover.acts import Actor, Reason, present, refuse_reused
from gateway.cutover.control_entries import ControlTrace
from gateway.domain.caller import Caller
from gateway.domain.entries import EntryKind
from gateway.domain.identity import content_hash
from gateway.domain.privacy import HoldRecord
from gateway.domain.queries import DocumentName
from gateway.domain.records import IdempotencyKeyRecord
from gateway.errors import Problem
from gateway.privacy.parts import PrivacyParts, refuse_part_of_business
from gateway.privacy.requests import customer_named
from gateway.store.store import StoreUnit

_OPERATION: Final = "set_legal_hold"
_RESOURCE: Final = "legal_holds"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedHold:
    """What is to be kept, and why: all of a customer, or one lineage (one of both)."""

    reason: str
    customer: DocumentName | None = None
    lineage_id: str | None = None


async def set_hold(parts: PrivacyParts, caller: Caller, wanted: WantedHold, key: str) -> tuple[HoldRecord, bool]:
    """Set it; and whether the key named it already. From its commit on nothing under it is erased.

    Raises Problem: out-of-scope, not-found, policy-check-failed (no person), idempotency-key-reused.
    """
    refuse_part_of_business(caller)
    tools = parts.tools
    who, reason = acting(tools, caller), Reason.drawn(tools, wanted.reason)
    customer_id = None if wanted.customer is None else await customer_named(parts, wanted.customer)
    hold_id, event_id = tools.ids.new("hld"), tools.ids.new("evt")
    digest = content_hash(f"{customer_id}\x00{wanted.lineage_id}\x00{wanted.reason}".encode())

    async def unit_of_work(unit: StoreUnit) -> tuple[HoldRecord, bool]:
        known = await unit.idempotency_key(who.client, _OPERATION, _RESOURCE, key)
        if known is not None:
            refuse_reused(known.content_hash, digest)
            return await _standing(unit, known.transaction_id), True
        if wanted.lineage_id is not None and await unit.root_of(wanted.lineage_id) is None:
            raise Problem("not-found", f"there is no lineage {wanted.lineage_id}")
        await unit.holding()
        now = tools.clock.now()
        record = HoldRecord(
            hold_id=hold_id,
            customer_id=customer_id,
            lineage_id=wanted.lineage_id,
            payload_id=reason.payload_id,
            set_at=now,
            set_by=who.client,
            set_person=who.person,
            entry_count=1,
        )
        await unit.insert_hold(record)
        await reason.keep(unit)
        await _remember(unit, who)
        await unit.insert_idempotency_key(
            IdempotencyKeyRecord(who.client, _OPERATION, _RESOURCE, key, digest, hold_id, now)
        )
        members = {**_members(record), "person": who.person, "reasonHash": reason.commitment}
        await ControlTrace(tools, hold_id).record(
            unit, EntryKind.HOLD_SET, who.client, present(members), event_id=event_id
        )
        return record, False

    found = await parts.store.write(unit_of_work)
    parts.events_left()
    return found


async def lift_hold(parts: PrivacyParts, caller: Caller, hold_id: str, reason_text: str) -> HoldRecord:
    """Ask for the lift; or, where another person has asked for it, lift it. A repeat changes nothing.

    Raises Problem: out-of-scope, not-found, policy-check-failed (no person).
    """
    refuse_part_of_business(caller)
    tools = parts.tools
    who, reason, event_id = acting(tools, caller), Reason.drawn(tools, reason_text), tools.ids.new("evt")

    async def unit_of_work(unit: StoreUnit) -> HoldRecord:
        record = await _standing(unit, hold_id)
        if record.state == "lifted" or record.lift_asked_person == who.person:
            return record
        await _remember(unit, who)
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
            await unit.update_hold(asked)
            return asked
        asked_for = await Reason.kept(unit, record.lift_payload_id)
        trace = ControlTrace(tools, hold_id, entry_count=record.entry_count)
        lifted = replace(
            record, lifted_at=now, lifted_by=who.client, lifted_person=who.person, entry_count=record.entry_count + 1
        )
        await unit.update_hold(lifted)
        members = {
            **_members(lifted),
            "person": who.person,
            "askedPerson": lifted.lift_asked_person,
            "askedBy": lifted.lift_asked_by,
            "askedAt": lifted.lift_asked_at,
            "reasonHash": None if asked_for is None else asked_for.commitment,
        }
        await trace.record(unit, EntryKind.HOLD_LIFTED, who.client, present(members), event_id=event_id)
        return lifted

    record = await parts.store.write(unit_of_work)
    parts.events_left()
    return record


def _members(record: HoldRecord) -> dict[str, object]:
    return {"holdId": record.hold_id, "documentId": record.customer_id, "heldLineageId": record.lineage_id}


async def _remember(unit: StoreUnit, who: Acting) -> None:
    await Actor(who.client, who.person, who.name).remember(unit)


async def _standing(unit: StoreUnit, hold_id: str) -> HoldRecord:
    record = await unit.legal_hold(hold_id)
    if record is None:
        raise Problem("not-found", f"there is no legal hold {hold_id}")
    return record
