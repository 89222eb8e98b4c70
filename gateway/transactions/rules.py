"""Deciding by what is in force, and by nothing else: the check that every accept and every routing makes.

A process holds the rules compiled in its memory. In the commit of every accept and of every `routed` it reads the one
row that says what is in force, with the activation lock held shared; whoever puts another version in force holds it
alone. So no commit straddles an activation. If the row names something else than the process holds, the unit is
undone, the process loads what is in force, and the unit runs again. Source: docs/rules.md, 'Activation'.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

from gateway.domain.activations import RulesState
from gateway.errors import GatewayError, Problem
from gateway.transactions.parts import RulesInForce
from gateway.transactions.ports import WriteUnit

T = TypeVar("T")

MAX_RELOADS: Final = 5
"""Runs of a unit that finds other rules in force each time. Activations do not come that fast; a second run is rare."""
NOT_LOADED_RETRY_S: Final = 5


class RulesOutdated(GatewayError):
    """The unit decided by rules that are no longer in force: nothing of it was committed. Load and run it again."""

    def __init__(self, state: RulesState) -> None:
        super().__init__(f"activation {state.activation_number} with acts {state.acts_number} is in force")
        self.state = state


class RulesNotLoaded(Problem):
    """This process cannot load what is in force, so it accepts and routes nothing. Another process may."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(
            "not-ready",
            f"this process cannot load the rules in force: {why}",
            remedy="send the same request again; operations find the reason at /health/ready and in the log",
            retry_after_s=NOT_LOADED_RETRY_S,
        )


class RulesSource(Protocol):
    """Who holds the rules of this process."""

    @property
    def current(self) -> RulesInForce:
        """What this process decides by: a value that never changes."""
        ...

    async def reload(self, seen: RulesState) -> None:
        """Load what is in force, at least as new as `seen`. Raises RulesNotLoaded."""
        ...


class FixedRules:
    """Rules that are never replaced; for tools and tests."""

    def __init__(self, rules: RulesInForce) -> None:
        self.current = rules

    async def reload(self, seen: RulesState) -> None:
        """There is nothing to load from."""
        raise RulesNotLoaded(f"activation {seen.activation_number} is in force, and nothing loads it here")


async def refuse_outdated(unit: WriteUnit, rules: RulesInForce) -> None:
    """Raise RulesOutdated unless the rules are in force; from here to the unit's end they are.

    To be asked before the unit takes any row: the activation lock comes first everywhere, or two units could each
    wait for what the other holds.
    """
    refuse_other(await unit.rules_state(), rules)


def refuse_other(state: RulesState, rules: RulesInForce) -> None:
    """The same for a state that the unit has read already."""
    if state != rules.state:
        raise RulesOutdated(state)


async def with_rules_in_force(source: RulesSource, run: Callable[[RulesInForce], Awaitable[T]]) -> T:
    """Run with the rules that are in force; again after a reload if others came into force meanwhile.

    Raises RulesNotLoaded, and whatever `run` raises.
    """
    for _ in range(MAX_RELOADS):
        try:
            return await run(source.current)
        except RulesOutdated as outdated:
            await source.reload(outdated.state)
    raise RulesNotLoaded("they are replaced faster than they can be loaded")
