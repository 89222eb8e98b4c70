"""Asking for an activation, at a time or at once, and taking that back."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.cutover.activation import Version
from gateway.cutover.activation_ports import ActivationStore, ActivationUnit
from gateway.cutover.control_entries import ControlTrace
from gateway.domain.activations import OPEN_STATES, ActivationRequest, ActivationState
from gateway.domain.entries import EntryKind
from gateway.domain.wire import instant
from gateway.errors import Problem
from gateway.transactions.parts import Tools
from routing_rules import Rulebook

MAX_AHEAD_US: Final = 400 * 86_400 * 1_000_000
"""A change is planned for a period boundary; more than a year ahead is a slip of the pen."""
PAST_US: Final = 5_000_000
"""What a request may take to arrive, and clocks may differ by: an instant this much past means now."""


async def schedule_activation(
    store: ActivationStore,
    tools: Tools,
    rulebook: Rulebook,
    *,
    draft_id: str | None,
    base_activation_number: int,
    effective_at: int | None,
    requested_by: str,
    person: str | None = None,
    activation_id: str | None = None,
) -> ActivationRequest:
    """Ask that the rulebook comes into force at `effective_at` (µs since 1970 UTC, by the database's clock; None: now).

    `draft_id`: None for a version that the gateway derived to go back; that is not prepared first. `person`: the
    commitment of who asks. `activation_id`: `act_…`, drawn by the caller where it must know it before.

    Every process compiles the version aside; from the effective instant on it comes into force as soon as all have,
    and the gates hold then (`gateway.cutover.activator`).

    Raises Problem: `stale` where another version is in force than the base, `invalid-document` where it changes
    nothing, lies more than 400 days ahead, or is past: what the calendar or the age of a simulation says of a day that
    is over is no answer for today.
    """
    version = Version.of(rulebook)
    identity = activation_id or tools.ids.new("act")

    async def unit_of_work(unit: ActivationUnit) -> ActivationRequest:
        state = await unit.rules_state()
        latest = await unit.latest_activation()
        if state.activation_number != base_activation_number:
            raise Problem(
                "stale",
                f"activation {state.activation_number} is in force; the change was made on {base_activation_number}",
                remedy="put the change on what is in force, have it approved, and ask again",
                extra={"activationNumber": state.activation_number},
            )
        if latest is not None and (latest.table_version, latest.governance_version) == (
            version.table_version,
            version.governance_version,
        ):
            raise Problem("invalid-document", "this version is in force already", remedy="nothing is to be done")
        now = await unit.database_now()
        if effective_at is not None and effective_at > now + MAX_AHEAD_US:
            raise Problem(
                "invalid-document", "effectiveAt lies more than 400 days ahead", remedy="name an earlier time"
            )
        if effective_at is not None and effective_at < now - PAST_US:
            raise Problem(
                "invalid-document",
                f"{instant(effective_at)}, which effectiveAt or the end of the period names, is past: it is "
                f"{instant(now)} now",
                remedy="name no time for now, a time to come, or a period that has not ended",
            )
        request = ActivationRequest(
            activation_id=identity,
            draft_id=draft_id,
            table_version=version.table_version,
            governance_version=version.governance_version,
            rules=version.rules,
            governance=version.governance,
            base_activation_number=base_activation_number,
            effective_at=now if effective_at is None else max(effective_at, now),
            requested_at=now,
            requested_by=requested_by,
            person=person,
            state=ActivationState.SCHEDULED,
        )
        await unit.insert_activation_request(request)
        return request

    return await store.write(unit_of_work)


async def withdraw_activation(
    store: ActivationStore, tools: Tools, activation_id: str, actor: str, person: str | None = None
) -> ActivationRequest:
    """Take a request back that has not come into force; recorded as an activation that failed.

    Raises Problem: `not-found`; `stale` where it was settled before.
    """
    event_id = tools.ids.new("evt")

    async def unit_of_work(unit: ActivationUnit) -> ActivationRequest:
        # before the row, as everywhere; it also waits for a commit of the activation that is under way
        await unit.rules_state()
        request = await unit.activation_request(activation_id)
        if request is None:
            raise Problem("not-found", f"there is no activation {activation_id}")
        if request.state not in OPEN_STATES:
            raise Problem(
                "stale",
                f"the activation is {request.state} and cannot be withdrawn",
                remedy="roll back what came into force",
                extra={"activationId": activation_id, "state": request.state.value},
            )
        trace = ControlTrace(tools, activation_id, entry_count=request.entry_count)
        members = {"activationId": activation_id, "reason": "withdrawn", "person": person}
        await trace.record(unit, EntryKind.ACTIVATION_FAILED, actor, members, event_id=event_id)
        settled = replace(
            request,
            state=ActivationState.WITHDRAWN,
            entry_count=trace.entry_count,
            settled_at=await unit.database_now(),
        )
        await unit.update_activation_request(settled)
        return settled

    return await store.write(unit_of_work)
