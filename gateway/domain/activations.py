"""What is in force, by number; what was asked to come into force; which process has what loaded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True)
class RulesState:
    """The row that every accept and every routing reads in its own commit.

    `activation_number`: which version is in force; 0 before the first. `acts_number`: counts the acts that lie over it.
    """

    activation_number: int
    acts_number: int


class ActivationState(StrEnum):
    """How far a requested activation came. `prepared`: every live process had the version loaded."""

    SCHEDULED = "scheduled"
    PREPARED = "prepared"
    ACTIVATED = "activated"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


OPEN_STATES: Final = frozenset({ActivationState.SCHEDULED, ActivationState.PREPARED})
"""A request that may still come into force."""


@dataclass(frozen=True, slots=True)
class ActivationRequest:
    """A version that is to come into force at a time.

    `draft_id`: None for a derived version (back), which skips prepare. `rules`, `governance`: the RFC 8785 texts that
    the versions hash. `base_activation_number`: what was in force when it was asked for; another base voids it.
    `effective_at`, `requested_at`, `settled_at`: µs by the database's clock. `person`: the commitment of who asked.
    `claimed_by`: the process that evaluates the gates until `claimed_until` (µs, database). `failure`: JSON, why it
    failed. `activation_number`: what it came into force as.
    """

    activation_id: str
    draft_id: str | None
    table_version: str
    governance_version: str
    rules: str
    governance: str
    base_activation_number: int
    effective_at: int
    requested_at: int
    requested_by: str
    person: str | None
    state: ActivationState
    entry_count: int = 0
    claimed_by: str | None = None
    claimed_until: int = 0
    settled_at: int | None = None
    activation_number: int | None = None
    failure: str | None = None

    @property
    def is_back(self) -> bool:
        """Whether it takes a slice back to what it was; that needs no prepare."""
        return self.draft_id is None

    @property
    def version(self) -> str:
        """As heartbeats name it."""
        return loaded_name(self.table_version, self.governance_version)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a live process has loaded. `prepared`: the versions that it could swap in at once, each as `loaded_name`,
    parted by blanks. `at`: µs by the database's clock; one that is too old does not count."""

    process_id: str
    activation_number: int
    acts_number: int
    loaded: str
    prepared: str
    at: int

    def has(self, version: str) -> bool:
        """Whether the process has the version loaded, in force or aside."""
        return version == self.loaded or version in self.prepared.split()


def loaded_name(table_version: str, governance_version: str) -> str:
    """One name for both versions."""
    return f"{table_version}:{governance_version}"
