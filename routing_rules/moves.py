"""Which moves of a cell are legal: from what is in force to what is proposed, judged on stage and systems.

A stage goes to its neighbour, up or down. A system that is new to the cell starts again at ``dark``, where the cloud
receives nothing yet. A former gap starts at ``legacy`` or ``dark``, and where there is no legacy system at ``pilot``.
Share, allow-list, overlay and note may change at any time. Source: docs/rules.md, 'Moves'.
"""

from __future__ import annotations

from typing import Final

from routing_rules.model import Outcome, Stage

STAGES: Final = tuple(Stage)


def refusal_of(before: Outcome | None, after: Outcome) -> str | None:
    """Why a cell may not go from one outcome to the other (None: a gap); None if it may."""
    if before is None:
        return _refusal_of_start(after)
    new = _new_systems(before, after)
    if new:
        start = Stage.DARK if after.legacy_system or before.legacy_system else Stage.PILOT
        if after.stage is start:
            return None
        return f"{' and '.join(new)} is new there and starts at {start.value}"
    distance = abs(STAGES.index(before.stage) - STAGES.index(after.stage))
    if distance <= 1:
        return None
    return f"a stage goes to its neighbour only, so next is {' or '.join(neighbours(before.stage))}"


def neighbours(stage: Stage) -> tuple[str, ...]:
    """The stages beside this one, the later first."""
    place = STAGES.index(stage)
    return tuple(one.value for one in (*STAGES[place + 1 : place + 2], *STAGES[max(place - 1, 0) : place]))


def described(outcome: Outcome | None) -> str:
    """Stage and systems in effect, for a sentence."""
    if outcome is None:
        return "no row"
    systems = [system for system in (outcome.legacy_system, _cloud(outcome)) if system]
    return f"{outcome.stage.value} ({', '.join(systems)})"


def _refusal_of_start(after: Outcome) -> str | None:
    if after.legacy_system is None:
        if after.stage is Stage.PILOT:
            return None
        return "what no row matched before starts at pilot, for there is no legacy system"
    if after.stage in (Stage.LEGACY, Stage.DARK):
        return None
    return "what no row matched before starts at legacy or dark"


def _new_systems(before: Outcome, after: Outcome) -> list[str]:
    found: list[str] = []
    if after.legacy_system is not None and after.legacy_system != before.legacy_system:
        found.append(after.legacy_system)
    cloud = _cloud(after)
    # From legacy to its neighbour dark every cloud system is new, and that is just where it starts.
    if cloud is not None and cloud != _cloud(before) and before.stage is not Stage.LEGACY:
        found.append(cloud)
    return found


def _cloud(outcome: Outcome) -> str | None:
    """At stage legacy a cloud system may be named and receives nothing, nor is anything evaluated for it."""
    return None if outcome.stage is Stage.LEGACY else outcome.cloud_system
