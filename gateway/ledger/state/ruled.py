"""What the activated rulebooks say of systems and teams: entries name the system, and not its side or who answers."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.records import ActivationRecord
from gateway.ledger.state.activations import AuditedActivations

_BEFORE_ALL: Final = -(1 << 63)


@dataclass(slots=True)
class Ruled:
    """By system its sides, by domain the teams that its exceptions are opened for (None: no team), in any rulebook that
    was ever in force: rows are older than the newest. What no rulebook names is not judged."""

    sides: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    teams: dict[str, set[str | None]] = field(default_factory=lambda: defaultdict(set))

    def add(self, record: ActivationRecord) -> None:
        """A rulebook that was in force. Texts that are none are a finding of the audit of activations."""
        try:
            rules, governance = json.loads(record.rules), json.loads(record.governance)
            for system in rules["systems"]:
                self.sides[system["id"]].add(system["side"])
            owners = governance.get("owners") or {}
            for table in rules["tables"]:
                self.teams[table["domain"]].add(next(iter(owners.get(table["domain"], ())), None))
        except (ValueError, KeyError, TypeError, AttributeError):
            return

    def may_be_side(self, system_id: str | None, side: str | None) -> bool:
        """Whether the system ever was on that side."""
        sides = self.sides.get(system_id or "")
        return sides is None or side in sides

    def may_own(self, domain: str, team: str | None) -> bool:
        """Whether exceptions of the domain were ever opened for that team."""
        teams = self.teams.get(domain)
        return teams is None or team in teams


async def read_ruled(state: AuditedActivations) -> Ruled:
    """Of every activation; one text in hand at a time, as they may be large."""
    ruled, after = Ruled(), _BEFORE_ALL
    while (record := await state.next_activation(after)) is not None:
        after = record.activation_number
        ruled.add(record)
    return ruled
