"""The rulebook: all tables, the trees, the systems, and what governs their change.

A **table version** is the SHA-256 of the RFC 8785 form of a table's parsed rows with their cutover dates, what its
shares split by, both trees and all systems. Comments, cell spelling, row order and file format are not in it, so a file
that was only tidied up is still the same version. The **governance version** is the same over owners, company codes
with their calendars, thresholds, required checks and policies. Whatever changes a decision is in the table version; the
governance version holds what may be asked of a change. Source: docs/words.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, NamedTuple

import rfc8785

from routing_rules.dimensions import NodeSet, Tree, plain
from routing_rules.index import TableIndex
from routing_rules.model import MASTER_DOMAINS, Outcome, Row, RuleTable, Stage, System

RULES_FORMAT: Final = "rules/v1"
GOVERNANCE_FORMAT: Final = "governance/v1"


class DomainNotServed(LookupError):
    """The rulebook has no table for this domain. Nothing was decided; answered as problem ``domain-not-served``."""

    def __init__(self, domain: str) -> None:
        super().__init__(f"domain '{domain}' is not served by this rulebook")
        self.domain = domain


class Target(NamedTuple):
    """A system that a row may send documents to; ``operation`` is ``*`` for all."""

    domain: str
    operation: str
    system_id: str
    row: Row


@dataclass(frozen=True, slots=True)
class CompanyCode:
    id: str
    name: str
    currency: str | None
    calendar: str | None


@dataclass(frozen=True, slots=True)
class LatePolicy:
    """What happens to a late follow-up of a closed lineage (docs/rules.md): cloud, hold or refuse."""

    domain: str
    business_unit: NodeSet
    geography: NodeSet
    kind: str
    policy: str


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: these facts must give what ``expect`` names. It belongs to no version."""

    name: str
    facts: Mapping[str, str]
    expect: Mapping[str, str]
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """Who owns what, and what a change must satisfy. Calendars, checks, thresholds and policies are data here."""

    owners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    company_codes: Mapping[str, CompanyCode] = field(default_factory=dict)
    calendars: tuple[Mapping[str, Any], ...] = ()
    required_checks: tuple[Mapping[str, Any], ...] = ()
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    policies: Mapping[str, Any] = field(default_factory=dict)
    late: tuple[LatePolicy, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """Everything that routes, loaded and checked row by row; whether it may run is for the analysis to prove."""

    name: str
    tables: Mapping[str, RuleTable]
    business_units: Tree
    geographies: Tree
    systems: Mapping[str, System]
    governance: Governance = field(default_factory=Governance)
    examples: tuple[Example, ...] = ()

    @property
    def owners(self) -> Mapping[str, tuple[str, ...]]:
        return self.governance.owners

    @property
    def company_codes(self) -> Mapping[str, CompanyCode]:
        return self.governance.company_codes

    @property
    def late(self) -> tuple[LatePolicy, ...]:
        return self.governance.late

    @property
    def share_by(self) -> Mapping[str, str]:
        """By domain: whether a share splits customers or documents, hence what the share key is made of."""
        return {domain: table.share_by for domain, table in self.tables.items()}

    def table(self, domain: str) -> RuleTable:
        """Raises DomainNotServed."""
        try:
            return self.tables[domain]
        except KeyError:
            raise DomainNotServed(domain) from None

    def index(self, domain: str) -> TableIndex:
        """The compiled table, made at first use and kept. Raises DomainNotServed."""
        index = self._indexes.get(domain)
        if index is None:
            table = self.table(domain)
            version, owners = self.table_version(domain), self.owners.get(domain, ())
            index = TableIndex(table, self.business_units, self.geographies, version, owners)
            self._indexes[domain] = index
        return index

    def table_version(self, domain: str) -> str:
        """Raises DomainNotServed."""
        version = self._table_versions.get(domain)
        if version is None:
            version = self._table_versions[domain] = version_of(self.table_json(domain))
        return version

    @cached_property
    def version(self) -> str:
        """The version of all tables together."""
        return version_of(self.canonical_json())

    @cached_property
    def governance_version(self) -> str:
        return version_of(self.governance_json())

    def table_json(self, domain: str) -> bytes:
        """The bytes whose SHA-256 is the table version; to be stored with it. Raises DomainNotServed."""
        return rfc8785.dumps(self._ground | _table(self.table(domain)))

    def canonical_json(self) -> bytes:
        """The bytes whose SHA-256 is ``version``."""
        tables = [_table(self.tables[domain]) for domain in sorted(self.tables)]
        return rfc8785.dumps(self._ground | {"tables": tables})

    def governance_json(self) -> bytes:
        """The bytes whose SHA-256 is ``governance_version``."""
        return rfc8785.dumps(_governance(self.governance))

    @cached_property
    def closed_domains(self) -> frozenset[str]:
        """The domains in which some row closes its slice to follow-ups in the legacy system."""
        closed = {Stage.READ_ONLY, Stage.RETIRED}
        return frozenset(
            domain for domain, table in self.tables.items() if any(row.outcome.stage in closed for row in table.rows)
        )

    def targets(self) -> Iterator[Target]:
        """Every system that documents of a row may be sent to, so that wiring can refuse what a driver cannot do.

        New roots by the stage, the validation calls of ``validate``, and from ``pilot`` to ``drain`` the legacy
        system as well, which still receives the follow-ups pinned to it (masters have none).
        """
        for domain in sorted(self.tables):
            for row in self.tables[domain].rows:
                operations = sorted(row.operation.values) if row.operation.values else ["*"]
                for system_id in receiving_systems(domain, row.outcome):
                    for operation in operations:
                        yield Target(domain, operation, system_id, row)

    @cached_property
    def _indexes(self) -> dict[str, TableIndex]:
        return {}

    @cached_property
    def _table_versions(self) -> dict[str, str]:
        return {}

    @cached_property
    def _ground(self) -> dict[str, Any]:
        """What all tables stand on: part of each table's version."""
        return {
            "format": RULES_FORMAT,
            "business_units": _tree(self.business_units),
            "geographies": _tree(self.geographies),
            "systems": [_system(self.systems[system_id]) for system_id in sorted(self.systems)],
        }


def receiving_systems(domain: str, outcome: Outcome) -> tuple[str, ...]:
    """The systems that documents of such a row may be sent to, legacy first."""
    legacy, cloud, stage = outcome.legacy_system, outcome.cloud_system, outcome.stage
    found: list[str | None]
    if stage in (Stage.LEGACY, Stage.DARK):
        found = [legacy]
    elif stage in (Stage.VALIDATE, Stage.PILOT):
        found = [legacy, cloud]
    elif stage in (Stage.LIVE, Stage.DRAIN):
        found = [None if domain in MASTER_DOMAINS else legacy, cloud]
    else:
        found = [cloud]
    return tuple(system_id for system_id in found if system_id is not None)


def version_of(text: bytes) -> str:
    """The version that a canonical text is: its SHA-256, in hexadecimal."""
    return sha256(text).hexdigest()


def _tree(tree: Tree) -> list[dict[str, Any]]:
    return [
        {"id": node, "name": tree.labels.get(node, ""), "parent": tree.parents[node]} for node in sorted(tree.parents)
    ]


def _system(system: System) -> dict[str, Any]:
    return {
        "id": system.id,
        "name": system.name,
        "side": system.side.value,
        "driver": system.driver,
        "regions": sorted(system.regions),
        "domains": sorted(system.domains),
        "budget": {
            "concurrent": system.budget.concurrent,
            "calls_per_minute": system.budget.calls_per_minute,
        },
        "longest_execution_s": system.longest_execution_s,
        "inquiry_delay_s": system.inquiry_delay_s,
        "enforces_unique_reference": system.enforces_unique_reference,
    }


def _table(table: RuleTable) -> dict[str, Any]:
    rows = sorted(table.rows, key=lambda row: row.id)
    return {"domain": table.domain, "share_by": table.share_by, "rows": [row_members(row) for row in rows]}


def row_members(row: Row) -> dict[str, Any]:
    """The columns of the file in their one spelling, and its cutover date; reading them again gives the same row."""
    outcome, cells = row.outcome, row.cell_texts
    del cells["valid"]
    return {
        "row": row.id,
        **cells,
        "valid_from": None if row.valid.start is None else row.valid.start.isoformat(),
        "valid_to": None if row.valid.end is None else row.valid.end.isoformat(),
        "stage": outcome.stage.value,
        "legacy_system": outcome.legacy_system,
        "cloud_system": outcome.cloud_system,
        "share": None if outcome.share is None else plain(outcome.share),
        "allow": sorted(outcome.allow),
        "overlay": None if outcome.overlay is None else outcome.overlay.value,
        "note": row.note,
        # not there where there is none, so that versions of before there were cutover dates keep their hashes
        **({} if outcome.cutover_date is None else {"cutover_date": outcome.cutover_date.isoformat()}),
    }


def _governance(governance: Governance) -> dict[str, Any]:
    return {
        "format": GOVERNANCE_FORMAT,
        "owners": {domain: sorted(names) for domain, names in governance.owners.items()},
        "company_codes": [
            {"id": code.id, "name": code.name, "currency": code.currency, "calendar": code.calendar}
            for _, code in sorted(governance.company_codes.items())
        ],
        "calendars": _sorted(governance.calendars),
        "required_checks": _sorted(governance.required_checks),
        "thresholds": governance.thresholds,
        "policies": governance.policies,
        "late": _sorted(
            {
                "domain": one.domain,
                "business_unit": one.business_unit.text,
                "geography": one.geography.text,
                "kind": one.kind,
                "policy": one.policy,
            }
            for one in governance.late
        ),
    }


def _sorted(records: Iterable[Mapping[str, Any]]) -> list[Any]:
    """In the order of their canonical bytes: the order of a file means nothing."""
    return sorted(records, key=rfc8785.dumps)
