"""Approving a draft, and waiving a gate of it: each by a named person, each for exactly what stands there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from gateway.cutover.acting import acting
from gateway.cutover.control_entries import ControlTrace
from gateway.cutover.draft_ports import DraftParts, DraftUnit
from gateway.cutover.gates.registry import asked_of, waivable
from gateway.cutover.save_draft import check_in_force, open_draft
from gateway.cutover.standing import rulebook_of, simulations_of, standing_of
from gateway.cutover.three_persons import Named
from gateway.domain.caller import Caller
from gateway.domain.drafts import ApprovalRecord, DraftRecord, WaiverRecord
from gateway.domain.entries import EntryKind
from gateway.domain.identity import payload_commitment
from gateway.domain.records import PayloadRecord
from gateway.errors import FieldError, Problem
from gateway.transactions.parts import RulesInForce

LONGEST_WAIVER_S: Final = 90 * 86_400
"""Seconds. What has to be waived for longer is no check any more: take it out of `required_checks`."""


async def approve_draft(
    parts: DraftParts, caller: Caller, draft_id: str, demanded: Collection[str] | None
) -> ApprovalRecord:
    """Approve the draft as it stands, over what is in force, with its newest simulation.

    `demanded`: the etag of what the approver has read. The same person approving the same again changes nothing.
    Raises `not-found`, `stale`, `document-closed`, `policy-check-failed`.
    """
    who, rules = acting(parts.tools, caller), await parts.rules()
    draft = await draft_there(parts, draft_id)
    candidate = await asyncio.to_thread(rulebook_of, draft)
    simulations = await simulations_of(parts, draft, rules)
    approval_id, event_id = parts.tools.ids.new("apr"), parts.tools.ids.new("evt")

    async def unit_of_work(unit: DraftUnit) -> ApprovalRecord:
        await check_in_force(unit, rules)
        now_draft = await open_draft(unit, draft_id, demanded)
        check_same(draft, now_draft, rules)
        standing = await standing_of(unit, now_draft, candidate, rules, simulations)
        if refusal := standing.refuses_approval(who.person, caller.teams):
            raise refused(refusal)
        now = standing.now
        for known in standing.approvals:
            if known.person == who.person and Named.by(known) == now and json.loads(known.teams) == _teams(caller):
                return known
        approval = ApprovalRecord(
            approval_id=approval_id,
            draft_id=draft_id,
            draft_version=now.draft_version,
            table_version=now.table_version,
            governance_version=now.governance_version,
            base_activation_number=now.base_activation_number,
            base_table_version=now.base_table_version,
            base_governance_version=now.base_governance_version,
            simulation_id=None if simulations.newest is None else simulations.newest.simulation_id,
            simulation_digest=now.simulation_digest,
            person=who.person,
            client=who.client,
            teams=json.dumps(_teams(caller)),
            approved_at=parts.tools.clock.now(),
        )
        await who.remember(unit)
        await unit.insert_approval(approval)
        members = {
            "draftId": draft_id,
            "approvalId": approval_id,
            "person": who.person,
            "draftVersion": now.draft_version,
            "rule": {"tableVersion": now.table_version, "governanceVersion": now.governance_version},
            "baseActivationNumber": now.base_activation_number,
            "baseRule": {"tableVersion": now.base_table_version, "governanceVersion": now.base_governance_version},
            "simulationId": approval.simulation_id,
            "simulationDigest": approval.simulation_digest,
        }
        trace = ControlTrace(parts.tools, draft_id, entry_count=now_draft.entry_count)
        await trace.record(unit, EntryKind.APPROVED, who.client, members, event_id=event_id)
        await unit.update_draft(replace(now_draft, entry_count=trace.entry_count))
        return approval

    return await parts.store.write(unit_of_work)


async def waive_gate(
    parts: DraftParts,
    caller: Caller,
    draft_id: str,
    gate: str,
    reason: str,
    expires_at: int,
    demanded: Collection[str] | None,
) -> WaiverRecord:
    """Let the draft pass without this gate until `expires_at` (µs since 1970 UTC).

    The same person waiving the same again until the same time changes nothing.
    Raises `not-found`, `stale`, `document-closed`, `policy-check-failed`, `invalid-document`.
    """
    who, rules = acting(parts.tools, caller), await parts.rules()
    _check_waiver(parts, rules, gate, expires_at)
    draft = await draft_there(parts, draft_id)
    candidate = await asyncio.to_thread(rulebook_of, draft)
    simulations = await simulations_of(parts, draft, rules)
    ids = parts.tools.ids
    waiver_id, payload_id, event_id = ids.new("wvr"), ids.new("pay"), ids.new("evt")
    salt, body = parts.tools.randomness.salt(), json.dumps({"reason": reason}).encode()

    async def unit_of_work(unit: DraftUnit) -> WaiverRecord:
        await check_in_force(unit, rules)
        now_draft = await open_draft(unit, draft_id, demanded)
        check_same(draft, now_draft, rules)
        standing = await standing_of(unit, now_draft, candidate, rules, simulations)
        if refusal := standing.refuses_waiver(who.person):
            raise refused(refusal)
        for known in standing.counted():
            if (known.person, known.gate, known.expires_at) == (who.person, gate, expires_at):
                return known
        waiver = WaiverRecord(
            waiver_id=waiver_id,
            draft_id=draft_id,
            draft_version=now_draft.version,
            gate=gate,
            table_version=now_draft.table_version,
            governance_version=now_draft.governance_version,
            base_activation_number=rules.activation_number,
            person=who.person,
            client=who.client,
            reason_payload_id=payload_id,
            waived_at=parts.tools.clock.now(),
            expires_at=expires_at,
        )
        await who.remember(unit)
        await unit.insert_payload(PayloadRecord(payload_id, salt, body))
        await unit.insert_waiver(waiver)
        members = {
            "draftId": draft_id,
            "waiverId": waiver_id,
            "gate": gate,
            "person": who.person,
            "draftVersion": now_draft.version,
            "rule": {"tableVersion": waiver.table_version, "governanceVersion": waiver.governance_version},
            "baseActivationNumber": rules.activation_number,
            "reasonHash": payload_commitment(salt, body),
            "expiresAt": expires_at,
        }
        trace = ControlTrace(parts.tools, draft_id, entry_count=now_draft.entry_count)
        await trace.record(unit, EntryKind.GATE_WAIVED, who.client, members, event_id=event_id)
        await unit.update_draft(replace(now_draft, entry_count=trace.entry_count))
        return waiver

    return await parts.store.write(unit_of_work)


async def draft_there(parts: DraftParts, draft_id: str) -> DraftRecord:
    """Raises `not-found`."""
    draft = await parts.reads.draft(draft_id)
    if draft is None:
        raise Problem("not-found", "There is no draft with this id.")
    return draft


def check_same(read: DraftRecord, now: DraftRecord, rules: RulesInForce) -> None:
    """What is judged is what was read, on what is in force. Raises `stale`."""
    if read.version != now.version:
        raise Problem("stale", f"The draft is at {now.etag} by now.", extra={"etag": now.etag})
    check_base(now, rules)


def check_base(draft: DraftRecord, rules: RulesInForce) -> None:
    """The draft builds on what is in force. Raises `stale`."""
    if draft.base_activation_number != rules.activation_number:
        raise Problem(
            "stale",
            f"The draft builds on activation {draft.base_activation_number}; {rules.activation_number} is in force.",
            remedy="Save the draft again on what is in force; then it is reviewed and approved anew.",
            extra={"activationNumber": rules.activation_number},
        )


def _check_waiver(parts: DraftParts, rules: RulesInForce, gate: str, expires_at: int) -> None:
    if gate not in asked_of(rules.rulebook):
        raise Problem(
            "invalid-document",
            f"The rules in force ask for no gate called {gate}.",
            errors=(FieldError("gate", "is no gate of these rules", "Use a name of the draft's `gates`."),),
        )
    if gate not in waivable(rules.rulebook):
        raise Problem("policy-check-failed", f"The gate {gate} is never waived.", remedy="Mend what it found.")
    lives_s = (expires_at - parts.tools.clock.now()) / 1_000_000
    if not 0 < lives_s <= LONGEST_WAIVER_S:
        days = LONGEST_WAIVER_S // 86_400
        raise Problem(
            "invalid-document",
            "A waiver ends in the future, and before it is forgotten.",
            errors=(FieldError("expiresAt", f"is not within the next {days} days", "Choose an earlier instant."),),
        )


def _teams(caller: Caller) -> list[str]:
    return sorted(caller.teams)


def refused(why: str) -> Problem:
    """What a person may not do, as a problem."""
    return Problem("policy-check-failed", f"{why[0].upper()}{why[1:]}.", remedy="Have another person do it.")
