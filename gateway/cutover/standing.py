"""How a draft stands with its persons now: read in one place, judged by `three_persons`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.cutover.draft_files import parsed, read
from gateway.cutover.draft_ports import DraftParts, SimulationsStored
from gateway.cutover.three_persons import Named, Standing, owners_touched
from gateway.domain.drafts import ApprovalRecord, DraftEditRecord, DraftRecord, WaiverRecord
from gateway.domain.simulations import SimulationRecord
from gateway.transactions.parts import RulesInForce
from routing_rules import Rulebook


class OfDraft(Protocol):
    """Where the edits, approvals and waivers of a draft are read: a unit, or the reads."""

    async def draft_edits(self, draft_id: str) -> Sequence[DraftEditRecord]: ...
    async def approvals(self, draft_id: str) -> Sequence[ApprovalRecord]: ...
    async def waivers(self, draft_id: str) -> Sequence[WaiverRecord]: ...


def rulebook_of(draft: DraftRecord) -> Rulebook:
    """The rulebook of a saved draft; its files were parsed when they were saved."""
    return parsed(read(draft.files))


@dataclass(frozen=True, slots=True)
class Simulated:
    """The simulations of a draft as it stands, over what is in force. `newest`: None if there is none. `stored`: the
    hashes of those that the newest and the approvals name, as far as they are of just this candidate and base."""

    newest: SimulationRecord | None
    stored: frozenset[str]


async def simulated(
    stored: SimulationsStored, approvals: Sequence[ApprovalRecord], draft: DraftRecord, rules: RulesInForce
) -> Simulated:
    """Asked before a unit: a unit asks nobody else. An approval that comes between counts as soon as it is asked
    again."""
    found = await stored.newest_simulations(draft.table_version, draft.governance_version, rules.activation_number)
    of_draft = [one for one in found if one.draft_id == draft.draft_id and one.result_hash is not None]
    hashes = {one.result_hash for one in of_draft if one.result_hash is not None}
    for simulation_id in {one.simulation_id for one in approvals if one.simulation_id is not None}:
        record = await stored.simulation(simulation_id)
        if record is not None and record.result_hash is not None and _is_of(record, draft, rules):
            hashes.add(record.result_hash)
    return Simulated(of_draft[0] if of_draft else None, frozenset(hashes))


def _is_of(record: SimulationRecord, draft: DraftRecord, rules: RulesInForce) -> bool:
    return (
        record.draft_id == draft.draft_id
        and record.base_activation_number == rules.activation_number
        and (record.table_version, record.governance_version) == (draft.table_version, draft.governance_version)
    )


async def standing_of(
    source: OfDraft, draft: DraftRecord, candidate: Rulebook, rules: RulesInForce, simulations: Simulated
) -> Standing:
    """`candidate`: the draft's rulebook; `rules`: what is in force."""
    approvals = await source.approvals(draft.draft_id)
    newest = simulations.newest
    return Standing(
        now=Named.now(draft, rules.rulebook, rules.activation_number, None if newest is None else newest.result_hash),
        editors=frozenset(one.person for one in await source.draft_edits(draft.draft_id)),
        owners=owners_touched(rules.rulebook, candidate),
        approvals=approvals,
        activator=draft.activator,
        teams={one.approval_id: frozenset(json.loads(one.teams)) for one in approvals},
        waivers=await source.waivers(draft.draft_id),
        stored=simulations.stored,
    )


async def simulations_of(parts: DraftParts, draft: DraftRecord, rules: RulesInForce) -> Simulated:
    """Of the draft as it stands, over what is in force."""
    return await simulated(parts.simulations, await parts.reads.approvals(draft.draft_id), draft, rules)
