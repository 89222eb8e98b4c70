"""Asking that a draft comes into force, by a person who neither wrote nor approved it; and what ends with that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.cutover.acting import acting
from gateway.cutover.activation_ports import ActivationStore
from gateway.cutover.analysis import Analyses
from gateway.cutover.approve_draft import check_base, check_same, draft_there, refused
from gateway.cutover.draft_ports import DraftParts, DraftUnit
from gateway.cutover.ending import let_go
from gateway.cutover.gates.gate import Candidate
from gateway.cutover.gates.registry import OF_BACK, GateVerdict, failing
from gateway.cutover.review import waivers_of
from gateway.cutover.save_draft import check_in_force, open_draft
from gateway.cutover.schedule import schedule_activation, withdraw_activation
from gateway.cutover.standing import rulebook_of, simulations_of, standing_of
from gateway.domain.activations import OPEN_STATES, ActivationRequest
from gateway.domain.caller import Caller
from gateway.domain.drafts import DraftRecord
from gateway.errors import Problem

AT_ONCE: Final = ("proof_clean", "residency")
"""Gates that must pass already when the activation is asked for: what they judge by does not change until then."""
POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Activating:
    """`parts.store` and `activation_store` are the same store. `wake`: has the activator look at once.
    `events_left`: called when there is an event to publish."""

    parts: DraftParts
    analyses: Analyses
    activation_store: ActivationStore
    wake: Callable[[], None]
    events_left: Callable[[], None] = lambda: None


async def activate_draft(
    activating: Activating, caller: Caller, draft_id: str, effective_at: int | None, demanded: Collection[str] | None
) -> ActivationRequest:
    """Ask that the draft comes into force at `effective_at` (µs since 1970 UTC; None: now).

    All gates are evaluated when it is due. The same person asking for the same again finds the request.
    Raises `not-found`, `stale`, `document-closed`, `document-busy`, `policy-check-failed`, `invalid-document`.
    """
    parts = activating.parts
    who, rules = acting(parts.tools, caller), await parts.rules()
    draft = await draft_there(parts, draft_id)
    if (under_way := await _under_way(parts, draft)) is not None:
        if under_way.person == who.person and effective_at in {None, draft.effective_at, under_way.effective_at}:
            return under_way
        raise _busy(under_way)
    check_base(draft, rules)
    analysis = await activating.analyses.of(draft, rules)
    simulations = await simulations_of(parts, draft, rules)
    activation_id = parts.tools.ids.new("act")

    async def claim(unit: DraftUnit) -> DraftRecord:
        await check_in_force(unit, rules)
        now_draft = await open_draft(unit, draft_id, demanded)
        check_same(draft, now_draft, rules)
        if now_draft.activation_id != draft.activation_id:
            raise Problem("document-busy", "Somebody else asked for its activation just now.")
        standing = await standing_of(unit, now_draft, analysis.rulebook, rules, simulations)
        if refusal := standing.refuses_activation(who.person):
            raise refused(refusal)
        await who.remember(unit)
        claimed = replace(now_draft, activation_id=activation_id, activator=who.person, effective_at=effective_at)
        await unit.update_draft(claimed)
        return claimed

    before = await standing_of(parts.reads, draft, analysis.rulebook, rules, simulations)
    if refusal := before.refuses_activation(who.person):
        raise refused(refusal)
    static = await parts.gates.evaluate(analysis.candidate(draft, rules, effective_at or 0), only=AT_ONCE)
    if failed := failing(static):
        raise gates_refused(failed)
    await parts.store.write(claim)
    try:
        request = await schedule_activation(
            activating.activation_store,
            parts.tools,
            analysis.rulebook,
            draft_id=draft_id,
            base_activation_number=rules.activation_number,
            effective_at=effective_at,
            requested_by=who.client,
            person=who.person,
            activation_id=activation_id,
        )
    except Problem:
        await parts.store.write(lambda unit: let_go(unit, draft_id, activation_id))
        raise
    activating.wake()
    return request


async def withdraw_draft(activating: Activating, caller: Caller, draft_id: str) -> ActivationRequest:
    """Take the request back before it is due; whoever may activate may also leave it.

    Raises `not-found`, `document-closed`, `stale`.
    """
    parts = activating.parts
    who = acting(parts.tools, caller)
    draft = await draft_there(parts, draft_id)
    if draft.state != "open":
        raise Problem("document-closed", f"The draft is {draft.state}.")
    if draft.activation_id is None or await _under_way(parts, draft) is None:
        raise Problem("stale", "Nobody has asked for its activation, or it has ended.")
    ended = await withdraw_activation(
        activating.activation_store, parts.tools, draft.activation_id, who.client, who.person
    )
    await parts.store.write(lambda unit: let_go(unit, draft_id, ended.activation_id))
    return ended


async def settled_within(parts: DraftParts, request: ActivationRequest, wait_s: float) -> ActivationRequest:
    """The request as it stands when it has ended, or after `wait_s` seconds."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_s
    while request.state in OPEN_STATES and loop.time() < until:
        await asyncio.sleep(POLL_S)
        request = await parts.reads.activation_request(request.activation_id) or request
    return request


async def evaluate_candidate(parts: DraftParts, candidate: Candidate) -> Sequence[GateVerdict]:
    """What all gates say that the candidate must pass, with the waivers that count; of a version derived to go back,
    proof and residency. For `gateway.cutover.activator`."""
    if candidate.draft_id is None:
        return await parts.gates.evaluate(candidate, only=OF_BACK)
    draft = await parts.reads.draft(candidate.draft_id)
    if draft is None:
        return await parts.gates.evaluate(candidate)
    rules = await parts.rules()
    simulations = await simulations_of(parts, draft, rules)
    standing = await standing_of(parts.reads, draft, candidate.rulebook, rules, simulations)
    return await parts.gates.evaluate(await _with_examples(candidate, draft), waivers_of(standing))


async def _with_examples(candidate: Candidate, draft: DraftRecord) -> Candidate:
    """The candidate with the draft's worked examples: they belong to no version, so the stored texts, from which it was
    compiled, do not hold them. A draft that is of another version by now is none of its: its approvals are void."""
    book = candidate.rulebook
    if (draft.table_version, draft.governance_version) != (book.version, book.governance_version):
        return candidate
    examples = (await asyncio.to_thread(rulebook_of, draft)).examples
    return replace(candidate, rulebook=replace(book, examples=examples))


def gates_refused(verdicts: Sequence[GateVerdict]) -> Problem:
    """`policy-check-failed` with every gate that stands in the way."""
    told = [{"gate": one.result.gate, "subject": one.result.subject, "why": one.result.why} for one in verdicts]
    names = ", ".join(dict.fromkeys(one.result.gate for one in verdicts))
    return Problem(
        "policy-check-failed",
        f"Gates that do not hold: {names}. {'; '.join(one.result.why for one in verdicts[:5])}.",
        remedy="Mend what `failedGates` names.",
        extra={"failedGates": told},
    )


async def _under_way(parts: DraftParts, draft: DraftRecord) -> ActivationRequest | None:
    """The open request of the draft. One that was claimed and never scheduled (the process ended) is none."""
    if draft.activation_id is None:
        return None
    request = await parts.reads.activation_request(draft.activation_id)
    return request if request is not None and request.state in OPEN_STATES else None


def _busy(request: ActivationRequest) -> Problem:
    return Problem(
        "document-busy",
        "Its activation was asked for already.",
        remedy="Withdraw that request first, or wait for its end.",
        extra={"activationId": request.activation_id, "state": request.state.value},
    )
