"""Which entries of the ledger are asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from gateway.domain.indexed_entries import term

Values = frozenset[str | int]

MOST_TERMS: Final = 200
"""Values of one condition that blocks are looked up by; of more (a large tree of nodes) each entry is asked instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Every condition that is not None must hold; of several values of one condition, one.

    The values are those of `IndexedEntry`; `person`: commitments. `trace`: of these traces, or at one of the `places`,
    which mean nothing without it. `at_from`, `at_until` (excluded): µs, of the time that entries bear.
    """

    kind: Values | None = None
    actor: Values | None = None
    person: Values | None = None
    system_id: Values | None = None
    rule_row: Values | None = None
    table_version: Values | None = None
    activation_number: Values | None = None
    domain: Values | None = None
    business_unit: Values | None = None
    geography: Values | None = None
    company_code: Values | None = None
    operation: Values | None = None
    trace: Values | None = None
    at_from: int | None = None
    at_until: int | None = None
    places: tuple[int, ...] = ()

    def conditions(self) -> Mapping[str, Values]:
        """The conditions on values, by field."""
        return {one.name: value for one in fields(self) if isinstance(value := getattr(self, one.name), frozenset)}

    def term_groups(self) -> list[list[str]]:
        """A block that holds such an entry has of every group at least one term; the group with the fewest first."""
        groups = [
            sorted(term(name, value) for value in values)
            for name, values in self.conditions().items()
            if name != "trace" and len(values) <= MOST_TERMS
        ]
        return sorted(groups, key=len)
