"""What the gates say of a slice now, before anybody has drafted its next move."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.cutover.gates.gate import Candidate
from gateway.cutover.gates.registry import GateRegistry, GateVerdict, asked_of
from gateway.cutover.slices import SliceName
from gateway.transactions.parts import RulesInForce
from gateway.transactions.ports import Clock
from routing_rules import Change, Outcome, SliceState, Stage

OF_SLICES: Final = (
    "no_lineage_stranded",
    "nothing_unknown",
    "control_totals",
    "calendar",
    "cross_references",
    "number_ranges",
    "comparison",
    "peak_load",
    "masters_at_rest",
    "masters_equal",
)
"""Gates that judge what is in a slice. The others judge a draft: its persons, proof, simulation and loading."""
REMEMBERED: Final = 1_000
"""Slices whose latest evaluation is kept, each a handful of results."""
_STAGES: Final = tuple(Stage)


@dataclass(frozen=True, slots=True)
class SliceVerdicts:
    """`at`: when they were evaluated (µs), on what was in force under `activation_number`. `next_stages`: what each
    part of the slice was judged to go to."""

    at: int
    activation_number: int
    next_stages: tuple[str, ...]
    verdicts: tuple[GateVerdict, ...]


class SliceGates:
    """Evaluates the gates of a slice as if every part of it went to its next stage now, and remembers the outcome."""

    def __init__(self, registry: GateRegistry, rules: Callable[[], RulesInForce], clock: Clock) -> None:
        self._registry = registry
        self._rules = rules
        self._clock = clock
        self._latest: OrderedDict[str, SliceVerdicts] = OrderedDict()

    def latest(self, name: SliceName) -> SliceVerdicts | None:
        """What was found last in this process; None if nobody asked since it started, or since other rules are in
        force: what was judged then was another step."""
        found = self._latest.get(name.id)
        return found if found is None or found.activation_number == self._rules().activation_number else None

    async def evaluate(self, name: SliceName, states: Sequence[SliceState]) -> SliceVerdicts:
        """Ask them now."""
        rules, now = self._rules(), self._clock.now()
        changes = [change for one in states if (change := next_move(name.domain, one)) is not None]
        candidate = Candidate(
            draft_id=None,
            rulebook=rules.rulebook,
            base=rules.rulebook,
            base_activation_number=rules.activation_number,
            changes=changes,
            effective_at=now,
        )
        asked = [one for one in asked_of(rules.rulebook) if one in OF_SLICES] if changes else []
        found = SliceVerdicts(
            now,
            rules.activation_number,
            tuple(sorted({one.after.stage.value for one in changes if isinstance(one.after, Outcome)})),
            tuple(await self._registry.evaluate(candidate, only=asked)),
        )
        self._latest[name.id] = found
        self._latest.move_to_end(name.id)
        while len(self._latest) > REMEMBERED:
            self._latest.popitem(last=False)
        return found


def next_move(domain: str, part: SliceState) -> Change | None:
    """The part's change to its next stage; None at the last one, and where rows contradict each other."""
    if not isinstance(part.state, Outcome):
        return None
    place = _STAGES.index(part.state.stage)
    if place + 1 == len(_STAGES):
        return None
    return part.as_change(domain, replace(part.state, stage=_STAGES[place + 1]))
