"""What a draft would change, and whether it may: difference, proof, examples and coverage against what is in force."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.cutover.draft_ports import DraftReads
from gateway.cutover.gates.gate import Candidate
from gateway.cutover.rules_holder import compiled
from gateway.cutover.standing import rulebook_of
from gateway.domain.drafts import DraftRecord
from gateway.errors import Problem
from gateway.transactions.parts import RulesInForce
from routing_rules import (
    Capabilities,
    Change,
    Coverage,
    ExampleFailure,
    Proof,
    Rulebook,
    RulebookInvalid,
    TooManyCells,
    coverage_of,
    differences,
    prove,
    run_examples,
)
from routing_rules.governance_difference import GroundChange, ground_differences

KEPT: Final = 4
"""Analyses that are kept: reviewers read the same draft again and again; a large one holds some 10 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """`too_many_cells`: why the difference could not be told; `changes` is empty then. `ground`: what changes beside
    the tables."""

    rulebook: Rulebook
    changes: tuple[Change, ...]
    ground: tuple[GroundChange, ...]
    too_many_cells: str | None
    proof: Proof
    failures: tuple[ExampleFailure, ...]
    coverage: Coverage

    def candidate(self, draft: DraftRecord, rules: RulesInForce, effective_at: int) -> Candidate:
        """For the gates. `effective_at`: µs since 1970 UTC."""
        return Candidate(
            draft_id=draft.draft_id,
            rulebook=self.rulebook,
            base=rules.rulebook,
            base_activation_number=rules.activation_number,
            changes=self.changes,
            effective_at=effective_at,
        )


class Analyses:
    """Made in a thread, kept while they may be asked for again. `capabilities`: as the proof takes them."""

    def __init__(self, capabilities: Callable[[], Capabilities | None]) -> None:
        self._capabilities = capabilities
        self._kept: OrderedDict[tuple[str, int, int], Analysis] = OrderedDict()

    async def of(self, draft: DraftRecord, rules: RulesInForce) -> Analysis:
        """The draft as it stands against these rules."""
        name = (draft.draft_id, draft.version, rules.activation_number)
        found = self._kept.get(name)
        if found is None:
            found = await asyncio.to_thread(analysed, draft, rules.rulebook, self._capabilities())
            self._kept[name] = found
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def analysed(draft: DraftRecord, base: Rulebook, capabilities: Capabilities | None) -> Analysis:
    """All of it, at once."""
    rulebook = rulebook_of(draft)
    changes: tuple[Change, ...] = ()
    too_many: str | None = None
    try:
        changes = tuple(differences(base, rulebook))
    except TooManyCells as error:
        too_many = f"the difference falls into {error}"
    return Analysis(
        rulebook=rulebook,
        changes=changes,
        ground=tuple(ground_differences(base, rulebook)),
        too_many_cells=too_many,
        proof=prove(rulebook, base, capabilities),
        failures=run_examples(rulebook),
        coverage=coverage_of(rulebook),
    )


async def rulebook_under(reads: DraftReads, number: int) -> Rulebook:
    """What came into force with this number. Raises `not-ready` where its text cannot be had."""
    record = await reads.activation(number)
    if record is None:
        raise Problem("not-ready", f"The text of activation {number} is not in the database.", retry_after_s=60)
    try:
        return await asyncio.to_thread(compiled, record.rules, record.governance)
    except RulebookInvalid as error:
        raise Problem("not-ready", f"This program cannot read the text of activation {number}.") from error
