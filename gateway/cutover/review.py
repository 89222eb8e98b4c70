"""A draft as its reviewers see it: what it changes, what stands against it, who did what, what is still missing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.cutover.analysis import Analyses, Analysis, rulebook_under
from gateway.cutover.approve_draft import draft_there
from gateway.cutover.draft_ports import DraftParts, DraftReads
from gateway.cutover.gates.registry import GateVerdict, Waiver
from gateway.cutover.standing import simulations_of, standing_of
from gateway.cutover.three_persons import Standing
from gateway.domain.drafts import DraftEditRecord, DraftRecord
from gateway.domain.simulations import SimulationRecord
from gateway.transactions.parts import RulesInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """`rules`: what the draft is judged by. `names`: of persons by their commitments, as far as they were not erased.
    `reasons`: of waivers by their ids.
    `verdicts`: of all gates, as if the draft were to come into force now; empty for a draft that is not open."""

    draft: DraftRecord
    rules: RulesInForce
    analysis: Analysis
    edits: Sequence[DraftEditRecord]
    standing: Standing
    simulation: SimulationRecord | None
    verdicts: Sequence[GateVerdict]
    names: Mapping[str, str]
    reasons: Mapping[str, str]


async def review_draft(parts: DraftParts, analyses: Analyses, draft_id: str) -> Review:
    """Raises `not-found`."""
    draft = await draft_there(parts, draft_id)
    rules = await _judged_by(parts, draft)
    analysis = await analyses.of(draft, rules)
    simulations = await simulations_of(parts, draft, rules)
    standing = await standing_of(parts.reads, draft, analysis.rulebook, rules, simulations)
    verdicts: Sequence[GateVerdict] = ()
    if draft.state == "open":
        effective_at = max(draft.effective_at or 0, parts.tools.clock.now())
        verdicts = await parts.gates.evaluate(analysis.candidate(draft, rules, effective_at), waivers_of(standing))
    edits = await parts.reads.draft_edits(draft_id)
    return Review(
        draft=draft,
        rules=rules,
        analysis=analysis,
        edits=edits,
        standing=standing,
        simulation=simulations.newest,
        verdicts=verdicts,
        names=await _names(parts.reads, draft, standing),
        reasons=await _reasons(parts.reads, standing),
    )


async def _judged_by(parts: DraftParts, draft: DraftRecord) -> RulesInForce:
    """What is in force; for a draft that is closed, what it was last saved on: so it shows what it was judged by."""
    rules = await parts.rules()
    if draft.state == "open" or draft.base_activation_number == rules.activation_number:
        return rules
    number = draft.base_activation_number
    return RulesInForce(await rulebook_under(parts.reads, number), number)


def waivers_of(standing: Standing) -> list[Waiver]:
    """The waivers that count, as the gates take them."""
    return [Waiver(waiver_id=one.waiver_id, gate=one.gate, expires_at=one.expires_at) for one in standing.counted()]


async def _names(reads: DraftReads, draft: DraftRecord, standing: Standing) -> dict[str, str]:
    persons = {*standing.editors, *standing.approvers, *(one.person for one in standing.waivers)}
    if draft.activator is not None:
        persons.add(draft.activator)
    ordered = sorted(persons)
    names = await asyncio.gather(*(reads.person_name(one) for one in ordered))
    return {person: name for person, name in zip(ordered, names, strict=True) if name is not None}


async def _reasons(reads: DraftReads, standing: Standing) -> dict[str, str]:
    found: dict[str, str] = {}
    for waiver in standing.waivers:
        payload = await reads.payload(waiver.reason_payload_id)
        if payload is not None and payload.body is not None:
            found[waiver.waiver_id] = str(json.loads(payload.body)["reason"])
    return found
