"""What ends with an activation request, in its own commit: the draft is closed, or that a slice went back is told."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from gateway.cutover.activation_ports import ActivationUnit
from gateway.cutover.activator import Settled
from gateway.cutover.control_entries import ControlTrace
from gateway.cutover.draft_ports import DraftUnit
from gateway.domain.activations import ActivationRequest, ActivationState
from gateway.domain.entries import EntryKind
from gateway.errors import Problem
from gateway.transactions.parts import Tools


def ending(tools: Tools) -> Settled:
    """For `gateway.cutover.activator`."""

    async def end_with(unit: ActivationUnit, request: ActivationRequest) -> None:
        drafts = cast("DraftUnit", unit)  # the store's units know drafts; the activator's port does not name them
        if request.draft_id is not None:
            await _end_draft(drafts, request, request.draft_id)
        elif request.state is ActivationState.ACTIVATED:
            await _end_back(drafts, tools, request)

    return end_with


async def let_go(unit: DraftUnit, draft_id: str, activation_id: str) -> None:
    """Nobody asks for the draft's activation any more, if that was the request."""
    draft = await unit.draft(draft_id)
    if draft is not None and draft.activation_id == activation_id:
        await unit.update_draft(replace(draft, activation_id=None, activator=None, effective_at=None))


async def _end_draft(unit: DraftUnit, request: ActivationRequest, draft_id: str) -> None:
    """A draft that came into force is closed. If it is no longer what the gates judged (edited, discarded or withdrawn
    since), the commit is given up: the next look judges what stands there then."""
    if request.state is not ActivationState.ACTIVATED:
        await let_go(unit, draft_id, request.activation_id)
        return
    draft = await unit.draft(draft_id)
    if (
        draft is None
        or draft.state != "open"
        or draft.activation_id != request.activation_id
        or (draft.table_version, draft.governance_version) != (request.table_version, request.governance_version)
    ):
        raise Problem("stale", "The draft was changed while its gates were evaluated.")
    at = draft.updated_at if request.settled_at is None else request.settled_at
    closed = replace(draft, state="activated", activation_number=request.activation_number, updated_at=at)
    await unit.update_draft(closed)


async def _end_back(unit: DraftUnit, tools: Tools, request: ActivationRequest) -> None:
    back = await unit.rollback(request.activation_id)
    if back is None:
        return
    await unit.update_rollback(replace(back, activation_number=request.activation_number))
    members = {
        "activationId": request.activation_id,
        "slice": f"{back.domain}.{back.business_unit}.{back.geography}",
        "rule": {
            "tableVersion": request.table_version,
            "governanceVersion": request.governance_version,
            "activationNumber": request.activation_number,
        },
        "baseActivationNumber": back.base_activation_number,
        "undoneActivationNumber": back.undone_activation_number,
        "restoredActivationNumber": back.restored_activation_number,
        "person": back.person,
        "reasonHash": back.reason_hash,
    }
    trace = ControlTrace(tools, request.activation_id, entry_count=request.entry_count)
    await trace.record(unit, EntryKind.ROLLED_BACK, back.client, members, event_id=tools.ids.new("evt"))
    await unit.update_activation_request(replace(request, entry_count=trace.entry_count))
