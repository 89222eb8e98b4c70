"""Erasing what tells of a customer: asked for by one person, approved by another, and carried on until nothing is left.

What must still be kept is erased when its time has come, by the leader task `retention`; nobody need ask again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.cutover.acting import Acting, acting
from gateway.cutover.acts import Actor, Reason, present, refuse_reused
from gateway.cutover.control_entries import ControlTrace
from gateway.domain.caller import Caller
from gateway.domain.entries import EntryKind
from gateway.domain.identity import content_hash
from gateway.domain.privacy import Erasable, ErasureRecord, KeptBack
from gateway.domain.queries import DocumentName
from gateway.domain.records import IdempotencyKeyRecord
from gateway.errors import Problem
from gateway.privacy.erase import Erased, erase_one, judge
from gateway.privacy.parts import PrivacyParts, refuse_part_of_business
from gateway.privacy.told import is_approved, lost_of, refuse_lost
from gateway.store.store import Store, StoreUnit

AT_ONCE: Final = 500
"""Transactions at which a request looks; the leader task goes on with the rest."""
PAGE: Final = 100
MOST_SHOWN: Final = 100
_OPERATION: Final = "erase"
_RESOURCE: Final = "erasures"


@dataclass(frozen=True, slots=True)
class Survey:
    """What would go now, and what must be kept, among the first `AT_ONCE` transactions; `more`: there are others."""

    erasable: int
    kept: Sequence[KeptBack]
    more: bool


@dataclass(frozen=True, slots=True)
class Place:
    """How far a pass has come: the last transaction at which it looked, and how many must be kept for now until there.

    What must be kept stays among what is there to erase, so that a pass which always began at the first of it would
    never come to what lies behind.
    """

    after: str = ""
    left: int = 0


START: Final = Place()


@dataclass(frozen=True, slots=True)
class Pass:
    """What a part of a pass came to. `left`: what must be kept for now, from the first transaction on; `seen`: at how
    many this part looked; `next`: from where the pass goes on, None at its end."""

    erased: int
    left: int
    seen: int
    next: Place | None


async def customer_named(parts: PrivacyParts, name: DocumentName) -> str:
    """The customer's canonical id. Raises Problem `not-found`."""
    found = await parts.store.write(lambda unit: unit.documents_named([name]))
    if name not in found:
        raise Problem("not-found", "there is no customer of that name", remedy="name it by its id, or with its source")
    return found[name].document_id


async def ask_erasure(
    parts: PrivacyParts, caller: Caller, name: DocumentName, reason_text: str, key: str
) -> tuple[ErasureRecord, bool]:
    """Keep the request; and whether it was there already: the key names it, or the same person asked the same of the
    same customer and that is not finished. Nothing is erased before a second person approves it.

    Raises Problem: out-of-scope, not-found, policy-check-failed (no person), idempotency-key-reused.
    """
    refuse_part_of_business(caller)
    tools = parts.tools
    who, reason = acting(tools, caller), Reason.drawn(tools, reason_text)
    customer_id = await customer_named(parts, name)
    erasure_id, digest = tools.ids.new("era"), content_hash(f"{customer_id}\x00{reason_text}".encode())

    async def unit_of_work(unit: StoreUnit) -> tuple[ErasureRecord, bool]:
        known = await unit.idempotency_key(who.client, _OPERATION, _RESOURCE, key)
        if known is not None:
            refuse_reused(known.content_hash, digest)
            return await _standing(unit, known.transaction_id), True
        now = tools.clock.now()
        before = await _asked_before(unit, customer_id, who, reason)
        record = before or ErasureRecord(
            erasure_id, customer_id, "asked", reason.payload_id, now, who.client, who.person
        )
        if before is None:
            await unit.insert_erasure(record)
            await reason.keep(unit)
            await Actor(who.client, who.person, who.name).remember(unit)
        await unit.insert_idempotency_key(
            IdempotencyKeyRecord(who.client, _OPERATION, _RESOURCE, key, digest, record.erasure_id, now)
        )
        return record, before is not None

    return await parts.store.write(unit_of_work)


async def _asked_before(unit: StoreUnit, customer_id: str, who: Acting, reason: Reason) -> ErasureRecord | None:
    """The same request, which is still open; for another reason it is another one."""
    for record in await unit.open_erasures_of(customer_id, who.client, who.person):
        given = await Reason.kept(unit, record.payload_id)
        if given is not None and given.body == reason.body:
            return record
    return None


async def approve_erasure(parts: PrivacyParts, caller: Caller, erasure_id: str) -> ErasureRecord:
    """Approve as a second person, and erase what may go now; again: go on. It cannot be undone.

    Raises Problem: out-of-scope, not-found, policy-check-failed (no person, or who asked).
    """
    refuse_part_of_business(caller)
    tools = parts.tools
    who, event_id = acting(tools, caller), tools.ids.new("evt")

    async def unit_of_work(unit: StoreUnit) -> ErasureRecord:
        record = await _standing(unit, erasure_id)
        if record.state != "asked":
            return record
        if record.asked_person == who.person:
            raise Problem(
                "policy-check-failed",
                "the person who asked for an erasure cannot approve it",
                remedy="have another person approve it",
            )
        await Actor(who.client, who.person, who.name).remember(unit)
        reason = await Reason.kept(unit, record.payload_id)
        approved = replace(
            record,
            state="approved",
            approved_at=tools.clock.now(),
            approved_by=who.client,
            approved_person=who.person,
            entry_count=record.entry_count + 1,
        )
        await unit.update_erasure(approved)
        members = {
            "erasureId": erasure_id,
            "documentId": record.customer_id,
            "person": who.person,
            "askedPerson": record.asked_person,
            "askedBy": record.asked_by,
            "askedAt": record.asked_at,
            "reasonHash": None if reason is None else reason.commitment,
        }
        trace = ControlTrace(tools, erasure_id, entry_count=record.entry_count)
        await trace.record(unit, EntryKind.ERASED, who.client, present(members), event_id=event_id)
        return approved

    record = await parts.store.write(unit_of_work)
    if record.state == "approved":
        await carry_on(parts, parts.store, record, who.client)
    parts.events_left()
    return await parts.store.reads.erasure(erasure_id) or record


async def carry_on(
    parts: PrivacyParts,
    store: Store,
    record: ErasureRecord,
    actor: str,
    place: Place = START,
    most: int = AT_ONCE,
) -> Pass:
    """A part of a pass over what is there of the customer: the next `most` transactions from `place` on. `store`: whose
    writes are fenced, for a leader.

    What no entry tells as approved stays as it is. Raises StoreUnavailable, LeadLost: what was erased until then stays
    so.
    """
    if not await is_approved(store, record):
        return Pass(0, 0, 0, None)
    after, erased, left, seen = place.after, 0, place.left, 0
    lost: set[str] = set()
    more = True
    while more and seen < most:
        wanted = min(PAGE, most - seen)
        page = await store.reads.erasable_of(record.customer_id, after, wanted)
        more = len(page) == wanted
        for one in page:
            done = await _erase(parts, store, one, actor, record.erasure_id)
            if isinstance(done, Erased):
                erased += done.payloads > 0
                continue
            left += 1
            lost |= lost_of(done)
        after, seen = (page[-1].transaction_id if page else after), seen + len(page)
    refuse_lost(lost, erasure=record.erasure_id)
    if not more and not left:
        await _finish(parts, store, record.erasure_id)
    return Pass(erased, left, seen, Place(after, left) if more else None)


async def survey(parts: PrivacyParts, customer_id: str) -> Survey:
    """A dry run: nothing is written."""
    found = await parts.store.reads.erasable_of(customer_id, "", AT_ONCE + 1)
    kept: list[KeptBack] = []
    for one in found[:AT_ONCE]:
        why = await _judged(parts, one)
        if why is not None:
            kept.append(why)
    return Survey(min(len(found), AT_ONCE) - len(kept), kept[:MOST_SHOWN], len(found) > AT_ONCE)


async def _judged(parts: PrivacyParts, one: Erasable) -> KeptBack | None:
    return await parts.store.write(lambda unit: judge(unit, parts, one))


async def _erase(parts: PrivacyParts, store: Store, one: Erasable, actor: str, erasure_id: str) -> Erased | KeptBack:
    """In one unit, and counted in it: the row counts as many as entries `erased` name the erasure."""

    async def unit_of_work(unit: StoreUnit) -> Erased | KeptBack:
        done = await erase_one(unit, parts, one, actor, {"erasureId": erasure_id})
        if isinstance(done, Erased) and done.payloads:
            record = await _standing(unit, erasure_id)
            await unit.update_erasure(replace(record, erased=record.erased + 1))
        return done

    return await store.write(unit_of_work)


async def _finish(parts: PrivacyParts, store: Store, erasure_id: str) -> None:
    """A whole pass found nothing that must be kept."""

    async def unit_of_work(unit: StoreUnit) -> None:
        record = await _standing(unit, erasure_id)
        finished_at = parts.tools.clock.now() if record.finished_at is None else record.finished_at
        await unit.update_erasure(replace(record, state="finished", finished_at=finished_at))

    await store.write(unit_of_work)


async def _standing(unit: StoreUnit, erasure_id: str) -> ErasureRecord:
    record = await unit.erasure(erasure_id)
    if record is None:
        raise Problem("not-found", f"there is no erasure {erasure_id}")
    return record
