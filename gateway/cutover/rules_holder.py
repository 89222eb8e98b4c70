"""The rules of one process: compiled aside, swapped at once, and never replaced by what cannot be loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from time import monotonic
from typing import Final

import structlog

from gateway.cutover.activation_ports import RulesReads
from gateway.domain.activations import RulesState, loaded_name
from gateway.transactions.parts import RulesInForce
from gateway.transactions.rules import RulesNotLoaded
from routing_rules import Rulebook, RulebookInvalid, rulebook_from_canonical

_log = structlog.get_logger(__name__)

TRY_AGAIN_S: Final = 1.0
"""What could not be loaded is not tried again sooner: every accept asks."""

Followed = Callable[[Rulebook], None]
"""Told of another rulebook in the turn of the loop in which it becomes the one that decides; must not raise."""

Fits = Callable[[Rulebook], None]
"""Raises ValueError where this process cannot serve the rulebook: it is connected to no such system."""


def compiled(rules: str, governance: str) -> Rulebook:
    """The rulebook of stored texts with every table compiled, so that no request pays for it.

    Raises RulebookInvalid: this program version cannot read them.
    """
    rulebook = rulebook_from_canonical(rules, governance)
    for domain in rulebook.tables:
        rulebook.index(domain)
    return rulebook


class RulesHolder:
    """Implements `gateway.transactions.rules.RulesSource`.

    `current` is replaced whole: whoever took it decides by it to the end of its unit, and the unit's own check tells
    whether it is in force. `held`: what the process starts with, whether or not it is in force.
    """

    def __init__(
        self,
        reads: RulesReads,
        held: RulesInForce,
        fits: Fits,
        seconds: Callable[[], float] = monotonic,
        followed: Followed = lambda _rulebook: None,
    ) -> None:
        self.current = held
        self._followed = followed
        self._reads = reads
        self._fits = fits
        self._seconds = seconds
        self._aside: dict[str, Rulebook] = {}
        self._refused: dict[str, str] = {}
        self._loading = asyncio.Lock()
        self._failure: tuple[RulesState, float, RulesNotLoaded] | None = None

    @property
    def not_loaded(self) -> str | None:
        """Why this process cannot decide by what is in force; None while it can."""
        return None if self._failure is None else self._failure[2].detail

    @property
    def loaded(self) -> str:
        """The version in force here, as heartbeats name it."""
        return loaded_name(self.current.rulebook.version, self.current.rulebook.governance_version)

    @property
    def prepared(self) -> Collection[str]:
        """Versions that are compiled aside, as heartbeats name them."""
        return self._aside.keys()

    @property
    def refused(self) -> Mapping[str, str]:
        """Why versions that were to be prepared cannot be, by their names."""
        return self._refused

    async def ready(self) -> bool:
        """For /health/ready."""
        return self._failure is None

    async def refresh(self) -> None:
        """Load what is in force, if it is something else. Raises RulesNotLoaded, StoreUnavailable."""
        seen = await self._reads.rules_state()
        if seen == self.current.state:
            self._failure = None
        else:
            await self.reload(seen)

    async def reload(self, seen: RulesState) -> None:
        """Load what is in force, if that is not held already. All who ask meanwhile wait for the one load.

        `seen` may be older than what is in force, or newer: SQLite's writer shows a unit what another unit of the same
        commit wrote, and that commit may fail. Raises RulesNotLoaded, StoreUnavailable.
        """
        async with self._loading:
            if self.current.state == seen:
                return
            self._raise_again(seen)
            state, acts = await self._reads.rules_in_force()
            try:
                rulebook = await self._rulebook(state.activation_number)
            except RulesNotLoaded as failure:
                self._failure = (seen, self._seconds() + TRY_AGAIN_S, failure)
                _log.error("rules_not_loaded", activation=state.activation_number, why=failure.why)
                raise
            if rulebook is not self.current.rulebook:
                self._followed(rulebook)
            self.current = RulesInForce(rulebook, state.activation_number, acts, state.acts_number)
            self._failure = None
            _log.info("rules_loaded", activation=state.activation_number, acts=state.acts_number)

    def _raise_again(self, seen: RulesState) -> None:
        if self._failure is not None:
            state, until, failure = self._failure
            if state == seen and self._seconds() < until:
                raise RulesNotLoaded(failure.why)

    async def _rulebook(self, number: int) -> Rulebook:
        if number == self.current.activation_number:
            return self.current.rulebook
        record = await self._reads.activation(number)
        if record is None:
            raise RulesNotLoaded(f"the text of activation {number} is not in the database")
        name = loaded_name(record.table_version, record.governance_version)
        try:
            return self._aside.get(name) or await self._compile(record.rules, record.governance)
        except ValueError as error:
            raise RulesNotLoaded(_reason(error)) from error

    async def prepare(self, name: str, rules: str, governance: str) -> bool:
        """Compile a version aside, beside what is in force; whether this process has it now."""
        if name in self._refused:
            return False
        if name not in self._aside and name != self.loaded:
            try:
                self._aside[name] = await self._compile(rules, governance)
            except ValueError as error:
                self._refused[name] = _reason(error)
                _log.warning("version_not_prepared", version=name, why=self._refused[name])
                return False
        return True

    def rulebook_aside(self, name: str) -> Rulebook | None:
        """A prepared version, or the one in force."""
        return self.current.rulebook if name == self.loaded else self._aside.get(name)

    def forget_all_but(self, names: Collection[str]) -> None:
        """Let go of versions that nobody waits for any more."""
        self._aside = {name: one for name, one in self._aside.items() if name in names}
        self._refused = {name: why for name, why in self._refused.items() if name in names}

    async def _compile(self, rules: str, governance: str) -> Rulebook:
        rulebook = await asyncio.to_thread(compiled, rules, governance)
        self._fits(rulebook)
        return rulebook


def _reason(error: ValueError) -> str:
    """In one line; a rulebook's complaints may be thousands."""
    if isinstance(error, RulebookInvalid):
        return f"{len(error.complaints)} complaint(s), the first: {error.complaints[0]}"
    return str(error).partition("\n")[0]
