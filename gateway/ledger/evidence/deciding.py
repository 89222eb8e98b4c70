"""By which rules an entry was decided, and which text of rules has them. Pure.

An entry `routed` names the activation that was in force (`activationNumber`). What follows a pin has the row and the
table version of the decision that pinned its lineage, and names that one's activation beside it (`pinnedUnder`): the
rules in force may have another table by then.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gateway.domain.canonical_json import canonical_json


@dataclass(frozen=True, slots=True)
class RuleNamed:
    """What an entry `routed` says. `in_force`: the activation under which it was routed. `decided`: the one whose table
    has `table_version`; None where it is not said. `is_pinned`: it follows a pin."""

    table_version: str | None
    in_force: int | None
    decided: int | None
    is_pinned: bool

    @classmethod
    def by(cls, body: Mapping[str, Any]) -> RuleNamed:
        """Of the JSON of an entry `routed` or `activated`; nothing is said where it is of another form."""
        found = body.get("rule")
        rule: Mapping[str, Any] = found if isinstance(found, dict) else {}
        version, is_pinned = rule.get("tableVersion"), body.get("pinned") is True
        in_force = _number(rule.get("activationNumber"))
        decided = _number(rule.get("pinnedUnder")) if is_pinned else in_force
        return cls(version if isinstance(version, str) else None, in_force, decided, is_pinned)

    @property
    def activations(self) -> frozenset[int]:
        """All that it names."""
        return frozenset(one for one in (self.in_force, self.decided) if one is not None)

    def is_in(self, versions: Mapping[int, Collection[str]]) -> bool:
        """Whether its table is in the rules where it must be; `versions`: of the rules that are there, by activation.

        What follows the pin of a leg, and what was released, may name a later activation than that of its table where
        it followed a pin before: earlier programs wrote it so.
        """
        where = {self.decided} & versions.keys()
        if self.is_pinned:
            where |= {number for number in versions if self.decided is None or number < self.decided}
        if self.is_pinned and self.decided not in versions:
            where |= {self.in_force} & versions.keys()
        return any(self.table_version in versions[number] for number in where if number is not None)


def versions_in(rules: str | bytes) -> set[str]:
    """The versions of the domains' tables: SHA-256 over each with trees and systems, in canonical JSON.

    Raises ValueError, KeyError, TypeError, AttributeError or RecursionError for what is no text of rules.
    """
    read = json.loads(rules)
    ground = {name: value for name, value in read.items() if name != "tables"}
    return {sha256(canonical_json(ground | table)).hexdigest() for table in read["tables"]}


def _number(value: Any) -> int | None:
    return value if type(value) is int else None
