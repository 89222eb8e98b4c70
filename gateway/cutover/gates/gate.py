"""What a gate is: a named check of a change, with the evidence that it judged by.

A gate that cannot be evaluated fails. Which gates exist and which may be waived: docs/rules.md, 'Gates'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from routing_rules import Change, Rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A change that is to come into force, and what it is judged against.

    `draft_id`: None for a derived version (back). `base_activation_number`: what `base` is in force under.
    `changes`: the boxes of facts that are decided differently (`routing_rules.differences`), each with its state
    before and after. `effective_at`: µs since 1970 UTC.
    """

    draft_id: str | None
    rulebook: Rulebook
    base: Rulebook
    base_activation_number: int
    changes: Sequence[Change]
    effective_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """What a gate found. `evidence`: JSON values under lowerCamelCase names, as the entry and the API show them;
    `why`: a sentence for people: what fails and what to do, or what was seen to hold. `subject`: the slice or company
    code that it speaks of; None for all of the change."""

    gate: str
    passed: bool
    why: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None


class Gate(Protocol):
    """One named check."""

    @property
    def name(self) -> str:
        """As in `required_checks` of rulebook.yaml."""
        ...

    def guards(self, candidate: Candidate) -> bool:
        """Whether any of the candidate's moves needs this gate."""
        ...

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """One result per subject, at least one. What it cannot evaluate it fails, and says why."""
        ...
