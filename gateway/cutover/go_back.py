"""Back: one slice, one person. The gateway derives a version from the one in force, with that slice's cells as they
were before the last activation that changed them; proof and residency must pass.

Back goes only back: what a slice was taken back from counts as never having been, so that going back twice goes to
what was still earlier, and never forward again. Forward takes a draft and three persons.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Final

from gateway.cutover.acting import acting
from gateway.cutover.activate_draft import Activating, gates_refused
from gateway.cutover.analysis import rulebook_under
from gateway.cutover.draft_ports import DraftReads, DraftUnit
from gateway.cutover.gates.gate import Candidate
from gateway.cutover.gates.registry import OF_BACK, failing
from gateway.cutover.save_draft import check_in_force
from gateway.cutover.schedule import schedule_activation
from gateway.cutover.slices import SliceName
from gateway.domain.activations import ActivationRequest
from gateway.domain.caller import Caller
from gateway.domain.drafts import RollbackRecord
from gateway.domain.identity import content_hash, payload_commitment
from gateway.domain.records import IdempotencyKeyRecord, PayloadRecord
from gateway.errors import Problem
from gateway.transactions.parts import RulesInForce
from routing_rules import Rulebook, TooManyCells, differences
from routing_rules.reversion import ReversionRefused, Slice, reverted

MOST_LOOKED_AT: Final = 1_000
"""Activations that are looked through for the last one that changed the slice; each costs a comparison."""
_OPERATION: Final = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A version that takes a slice back. `undone`: the activation that changed the slice last; `restored`: the one
    whose cells the slice gets."""

    rulebook: Rulebook
    undone: int
    restored: int


async def derived_back(activating: Activating, name: SliceName, rules: RulesInForce) -> Derived:
    """The version that takes the slice back. Raises `policy-check-failed` where there is none."""
    reads = activating.parts.reads
    undone, restored, earlier = await _last_change(reads, name, rules)
    try:
        made = await asyncio.to_thread(
            reverted, rules.rulebook, earlier, name.domain, name.business_unit, name.geography
        )
    except ReversionRefused as refused:
        raise _no_way(name, f"{refused}") from refused
    return Derived(rulebook=made, undone=undone, restored=restored)


async def go_back(
    activating: Activating, caller: Caller, name: SliceName, reason: str, key: str
) -> tuple[ActivationRequest, bool]:
    """Ask that the slice goes back now; and whether the key `key` had asked for it already.

    Raises `policy-check-failed` (nothing to go back to, it cannot be derived, gates), `idempotency-key-reused`,
    `not-ready`.
    """
    parts = activating.parts
    who, rules, tools = acting(parts.tools, caller), await parts.rules(), parts.tools
    digest = content_hash(f"{name.id}\n{reason}".encode())
    known = await _asked_before(activating, who.client, name, key, digest)
    if known is not None:
        return known, True
    derived = await derived_back(activating, name, rules)
    changes = await asyncio.to_thread(lambda: list(differences(rules.rulebook, derived.rulebook)))
    candidate = Candidate(
        draft_id=None,
        rulebook=derived.rulebook,
        base=rules.rulebook,
        base_activation_number=rules.activation_number,
        changes=changes,
        effective_at=tools.clock.now(),
    )
    if failed := failing(await parts.gates.evaluate(candidate, only=OF_BACK)):
        raise gates_refused(failed)
    activation_id, payload_id = tools.ids.new("act"), tools.ids.new("pay")
    salt, body = tools.randomness.salt(), json.dumps({"reason": reason}).encode()

    async def unit_of_work(unit: DraftUnit) -> None:
        await check_in_force(unit, rules)
        now = tools.clock.now()
        await who.remember(unit)
        await unit.insert_payload(PayloadRecord(payload_id, salt, body))
        await unit.insert_idempotency_key(
            IdempotencyKeyRecord(who.client, _OPERATION, name.id, key, digest, activation_id, now)
        )
        await unit.insert_rollback(
            RollbackRecord(
                activation_id=activation_id,
                base_activation_number=rules.activation_number,
                domain=name.domain,
                business_unit=name.business_unit,
                geography=name.geography,
                undone_activation_number=derived.undone,
                restored_activation_number=derived.restored,
                person=who.person,
                client=who.client,
                reason_payload_id=payload_id,
                reason_hash=payload_commitment(salt, body),
                requested_at=now,
            )
        )

    await parts.store.write(unit_of_work)
    request = await schedule_activation(
        activating.activation_store,
        tools,
        derived.rulebook,
        draft_id=None,
        base_activation_number=rules.activation_number,
        effective_at=None,
        requested_by=who.client,
        person=who.person,
        activation_id=activation_id,
    )
    activating.wake()
    return request, False


async def _asked_before(
    activating: Activating, client: str, name: SliceName, key: str, digest: str
) -> ActivationRequest | None:
    parts = activating.parts
    found = await parts.store.write(lambda unit: unit.idempotency_key(client, _OPERATION, name.id, key))
    if found is None:
        return None
    if found.content_hash != digest:
        raise Problem("idempotency-key-reused", "This key asked for another way back.")
    request = await parts.reads.activation_request(found.transaction_id)
    if request is None:
        raise Problem("stale", "The request with this key was never asked for to its end.", remedy="Use a new key.")
    return request


async def _last_change(reads: DraftReads, name: SliceName, rules: RulesInForce) -> tuple[int, int, Rulebook]:
    """The last activation that changed the slice and was not taken back, the one before it, and its rulebook."""
    part = Slice(rules.rulebook, name.domain, name.business_unit, name.geography)
    backs = {one.activation_number: one for one in await reads.rollbacks()}
    at, book = rules.activation_number, rules.rulebook
    for _ in range(MOST_LOOKED_AT):
        back = backs.get(at)
        if back is not None and (goes_on := _restored_by(back, part, rules.rulebook, name)) is not None:
            at = goes_on
            book = await rulebook_under(reads, at)
            continue
        if at <= 1:
            raise _no_way(name, "no activation changed it since the first one")
        before = await rulebook_under(reads, at - 1)
        try:
            # What went back beside the slice did not change it.
            if back is None and await asyncio.to_thread(part.changed, before, book):
                return at, at - 1, before
        except TooManyCells as error:
            raise _no_way(name, f"what activation {at} changed falls into {error}") from error
        at, book = at - 1, before
    raise _no_way(name, f"none of the last {MOST_LOOKED_AT} activations changed it")


def _restored_by(back: RollbackRecord, part: Slice, rulebook: Rulebook, name: SliceName) -> int | None:
    """The activation whose cells the slice has since it went back with others; None: it was none of them."""
    if back.domain != name.domain:
        return None
    units, places = rulebook.business_units, rulebook.geographies
    if back.business_unit not in units or back.geography not in places:
        raise _no_way(name, "it went back under a node that is gone since")
    other_units, other_places = units.below(back.business_unit), places.below(back.geography)
    if other_units.isdisjoint(part.units.nodes) or other_places.isdisjoint(part.places.nodes):
        return None
    if part.units.nodes <= other_units and part.places.nodes <= other_places:
        return back.restored_activation_number
    went = f"{back.domain}.{back.business_unit}.{back.geography}"
    raise _no_way(name, f"a part of it ({went}) went back already; take the parts back one by one")


def _no_way(name: SliceName, why: str) -> Problem:
    return Problem(
        "policy-check-failed",
        f"The slice {name.id} cannot go back: {why}.",
        remedy="Put what it shall be into a draft, and have it approved and activated.",
        extra={"slice": name.id},
    )
