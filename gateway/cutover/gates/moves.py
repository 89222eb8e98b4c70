"""What a candidate's changes move: from which outcome to which, in which places and company codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.cutover.gates.gate import Candidate
from gateway.domain.open_lineages import OpenFilter
from routing_rules import Change, Outcome, Rulebook, Stage
from routing_rules.trees import ALL

STAGES: Final = tuple(Stage)
FOLLOWING: Final = {
    "orders": ("invoices", "payments", "journal_entries"),
    "invoices": ("invoices", "payments", "journal_entries"),
    "payments": ("journal_entries",),
}
"""Domains whose documents follow a root of the domain."""


@dataclass(frozen=True, slots=True)
class Move:
    """A change that alters a stage or a system. `before`: None for a former gap or conflict."""

    change: Change
    before: Outcome | None
    after: Outcome

    @property
    def subject(self) -> str:
        """What it is about, for people: the domain, and where; of a part of a slice, where inside of it."""
        where = ", ".join(f"{column} {text}" for column, text in self.change.where.items() if text != ALL)
        return f"{self.change.domain}: {where or 'everything'}"

    @property
    def goes_on(self) -> bool:
        """To a later stage, or into a former gap."""
        return self.before is None or STAGES.index(self.after.stage) > STAGES.index(self.before.stage)

    @property
    def new_systems(self) -> tuple[str, ...]:
        """Systems that the move brings in: real documents come from `pilot` on, checks from `validate` on."""
        was = set() if self.before is None else {self.before.legacy_system, cloud_of(self.before)}
        found = (self.after.legacy_system, cloud_of(self.after))
        return tuple(one for one in found if one is not None and one not in was)

    def filter(self, rulebook: Rulebook) -> OpenFilter:
        """Lineages in the places of the change. Its other columns (amounts, segments, ...) are not looked at: what a
        gate finds may lie in a part beside the change, never outside of its places."""
        extents = dict(self.change.box)
        unit, place = extents.get("business_unit"), extents.get("geography")
        units, places = rulebook.business_units.nodes, rulebook.geographies.nodes
        return OpenFilter(
            domain=self.change.domain,
            business_units=frozenset(one for one in units if unit is None or unit.holds(one)),
            geographies=frozenset(one for one in places if place is None or place.holds(one)),
        )

    def company_codes(self, rulebook: Rulebook) -> tuple[str, ...]:
        """The rulebook's company codes that the change concerns."""
        extent = dict(self.change.box).get("company_code")
        return tuple(code for code in sorted(rulebook.company_codes) if extent is None or extent.holds(code))


def cloud_of(outcome: Outcome) -> str | None:
    """The cloud system once it receives anything, if only checks."""
    return outcome.cloud_system if STAGES.index(outcome.stage) >= STAGES.index(Stage.VALIDATE) else None


def moves_of(candidate: Candidate) -> Sequence[Move]:
    """The changes of stage or system; those that withdraw all rows have no outcome and are not among them."""
    return tuple(_moves(candidate))


def _moves(candidate: Candidate) -> Iterator[Move]:
    for change in candidate.changes:
        before = change.before if isinstance(change.before, Outcome) else None
        if not isinstance(change.after, Outcome):
            continue
        if before is None or _course(before) != _course(change.after):
            yield Move(change, before, change.after)


def _course(outcome: Outcome) -> tuple[Stage, str | None, str | None]:
    return outcome.stage, outcome.legacy_system, outcome.cloud_system
