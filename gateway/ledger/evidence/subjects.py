"""What a pack is made about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.domain.entry_filter import EntryFilter
from gateway.domain.queries import Visible
from gateway.domain.wire import instant


@dataclass(frozen=True, slots=True)
class OfTransaction:
    """One transaction: a create, a change, a cancellation or a reversal."""

    transaction_id: str

    def words(self) -> dict[str, Any]:
        """As the pack and the ledger say it."""
        return {"about": "transaction", "transactionId": self.transaction_id}


@dataclass(frozen=True, slots=True)
class OfLineage:
    """A root document and all that follows from it."""

    lineage_id: str

    def words(self) -> dict[str, Any]:
        """As the pack and the ledger say it."""
        return {"about": "lineage", "lineageId": self.lineage_id}


@dataclass(frozen=True, slots=True)
class OfRuleChange:
    """An activation: what was in force before and after, and who wrote, approved, waived and activated it."""

    activation_number: int

    def words(self) -> dict[str, Any]:
        """As the pack and the ledger say it."""
        return {"about": "ruleChange", "activationNumber": self.activation_number}


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Transactions, by what the published log tells of them. Every condition that is not None must hold.

    Of the entry `accepted`: `domain`, `operation`, its time at [`accepted_from`, `accepted_until`) (µs). Of the facts
    of the first entry `routed`: `company_code`, and nodes with all below them; what was not routed has none of these.
    """

    domain: str | None = None
    operation: str | None = None
    company_code: str | None = None
    business_units: frozenset[str] | None = None
    geographies: frozenset[str] | None = None
    accepted_from: int | None = None
    accepted_until: int | None = None

    def conditions(self) -> dict[str, Any]:
        """As the pack states them, so that anybody can apply them to the published log."""
        told: dict[str, Any] = {"domain": self.domain, "operation": self.operation, "companyCode": self.company_code}
        for name, nodes in (("businessUnits", self.business_units), ("geographies", self.geographies)):
            told[name] = None if nodes is None else sorted(nodes)
        for name, at in (("acceptedFrom", self.accepted_from), ("acceptedUntil", self.accepted_until)):
            told[name] = None if at is None else instant(at)
        return {name: value for name, value in told.items() if value is not None}

    def of_accepted(self) -> EntryFilter:
        """What the entry `accepted` itself tells, as a filter."""
        return EntryFilter(
            kind=frozenset({"accepted"}),
            domain=None if self.domain is None else frozenset({self.domain}),
            operation=None if self.operation is None else frozenset({self.operation}),
            at_from=self.accepted_from,
            at_until=self.accepted_until,
        )

    @property
    def asks_for_facts(self) -> bool:
        """Whether it depends on how transactions were routed."""
        return any(one is not None for one in (self.company_code, self.business_units, self.geographies))

    def wants(self, facts: Mapping[str, Any]) -> bool:
        """Whether these deciding facts are of the population."""
        return (
            (self.company_code is None or facts.get("companyCode") == self.company_code)
            and (self.business_units is None or facts.get("businessUnit") in self.business_units)
            and (self.geographies is None or facts.get("geography") in self.geographies)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSample:
    """`size` transactions of a population. `log_size`: closed by the first checkpoint of at least so many entries;
    None: by the newest. `named`: the conditions as the asker said them."""

    population: Population
    size: int
    nonce: str
    log_size: int | None = None
    named: Mapping[str, str] = field(default_factory=dict)

    def words(self) -> dict[str, Any]:
        """As the pack and the ledger say it."""
        told: dict[str, Any] = {"about": "sample", "sampleSize": self.size, "nonce": self.nonce, **self.named}
        return told if self.log_size is None else told | {"logSize": self.log_size}


Subject = OfTransaction | OfLineage | OfRuleChange | OfSample


@dataclass(frozen=True, slots=True, kw_only=True)
class For:
    """For whom a pack is made. `sees_all`: the data scope is not restricted, so entries that belong to no business unit
    may be shown. `reads_payloads`: what documents say may be shown. `held_size`: of the log as the asker has seen it;
    the pack then proves that it continues that."""

    visible: Visible = field(default_factory=Visible)
    sees_all: bool = True
    reads_payloads: bool = True
    held_size: int | None = None
