"""Follow-ups proven: the system of a root can take what follows, and what follows was validated before the pilot.

A follow-up is taken to have the facts of its root (business unit, geography, company code, segment, amount, posting
date) and any document type; both are compared as created.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from routing_rules.analysis_findings import Finding, FindingCode, Severity, places, row_ids
from routing_rules.atoms import Column, NameColumn, NodeColumn
from routing_rules.atoms_of_ranges import AmountColumn, DateColumn
from routing_rules.comparison import agreed
from routing_rules.cutting import where_of
from routing_rules.decomposition import MAX_CELLS, Cell, Decomposition, Path, Rows, Step
from routing_rules.dimensions import Choice
from routing_rules.facts import Facts
from routing_rules.follow_ups import (
    BELOW_VALIDATE,
    FOLLOW_UPS,
    FROM_PILOT,
    KEPT_BY_GATEWAY,
    LINEAGE_OPERATIONS,
    Capabilities,
    owning_systems,
)
from routing_rules.inclusion import Inclusion
from routing_rules.model import MASTER_DOMAINS, Row
from routing_rules.rulebook import Rulebook

_SHARED: Final = ("business_unit", "geography", "company_code", "customer_segment", "amount", "valid")
_OWN: Final = "document_type"


def unserved(
    rulebook: Rulebook,
    domain: str,
    reachable: Iterable[tuple[Row, Facts]],
    capabilities: Capabilities | None,
    in_force: Rulebook | None = None,
) -> Iterator[Finding]:
    """Systems that own lineages of a domain and lack what may follow in them, each with the rows that name it.

    ``reachable``: the rows that decide somewhere, with a transaction for each. ``capabilities`` of None: only the
    domains that the rulebook gives a system are judged. What a driver lacks in a system that owns such lineages
    ``in_force`` already is a warning: keeping it so would else stand in the way of every change, also of the one that
    moves away from that system.
    """
    found: dict[str, list[tuple[Row, Facts]]] = {}
    for row, witness in reachable:
        if domain not in MASTER_DOMAINS and not row.operation.matches("create"):
            continue  # what is no new root goes where its lineage is pinned, not by this row
        for system_id in owning_systems(row.outcome):
            found.setdefault(system_id, []).append((row, witness))
    owning = set() if in_force is None else _owning(in_force, domain)
    for system_id, rows in found.items():
        for lacking, severity in (
            (_domains_lacking(rulebook, domain, system_id), Severity.ERROR),
            (
                _operations_lacking(rulebook, domain, system_id, capabilities),
                Severity.WARNING if system_id in owning else Severity.ERROR,
            ),
        ):
            if names := ", ".join(lacking):
                yield Finding(
                    code=FindingCode.FOLLOW_UP_UNSERVED,
                    domain=domain,
                    message=f"{domain} go to system {system_id} by {row_ids([row for row, _ in rows])}, and it does "
                    f"not take {names}",
                    mend="name another system, or give this one what it lacks before documents reach it",
                    witness=rows[0][1],
                    rows=places(row for row, _ in rows),
                    severity=severity,
                )


def without_table(
    rulebook: Rulebook, domain: str, reachable: Iterable[tuple[Row, Facts]], in_force: Rulebook | None = None
) -> Iterator[Finding]:
    """Rows from ``pilot`` on with follow-ups that have no table: nobody could submit them.

    Only domains that the rulebook means to serve are missed: ``owners`` names who answers for them, and a system of the
    row takes them. What is so in force already is a warning: it would else stand in the way of every change.
    """
    roots = [
        (row, one) for row, one in reachable if row.outcome.stage in FROM_PILOT and row.operation.matches("create")
    ]
    for follow_up in FOLLOW_UPS.get(domain, ()):
        if follow_up in rulebook.tables or follow_up not in rulebook.owners:
            continue
        rows = [(row, one) for row, one in roots if _takes(rulebook, row, follow_up)]
        if rows:
            was_so = in_force is not None and domain in in_force.tables and follow_up not in in_force.tables
            yield Finding(
                code=FindingCode.FOLLOW_UP_UNSERVED,
                domain=domain,
                message=f"{domain} stand at {rows[0][0].outcome.stage.value} by {row_ids([row for row, _ in rows])}, "
                f"and there is no table of the {follow_up} that follow, so none of them could be submitted",
                mend=f"write {follow_up}.csv, or take {follow_up} from the owners and from the systems' domains",
                witness=rows[0][1],
                rows=places(row for row, _ in rows),
                severity=Severity.WARNING if was_so else Severity.ERROR,
            )


def _takes(rulebook: Rulebook, row: Row, domain: str) -> bool:
    return any(domain in rulebook.systems[system_id].domains for system_id in owning_systems(row.outcome))


def _owning(rulebook: Rulebook, domain: str) -> set[str]:
    table = rulebook.tables.get(domain)
    rows = () if table is None else table.rows
    return {system_id for row in rows for system_id in owning_systems(row.outcome)}


def _in_lineages(rulebook: Rulebook, domain: str) -> list[str]:
    """The domain and what may follow, as far as anybody can submit it."""
    return [one for one in (domain, *FOLLOW_UPS.get(domain, ())) if one in rulebook.tables]


def _domains_lacking(rulebook: Rulebook, domain: str, system_id: str) -> list[str]:
    return [one for one in _in_lineages(rulebook, domain) if one not in rulebook.systems[system_id].domains]


def _operations_lacking(
    rulebook: Rulebook, domain: str, system_id: str, capabilities: Capabilities | None
) -> Iterator[str]:
    """By its driver, in the domains that the rulebook gives it."""
    if capabilities is None:
        return
    able = capabilities.get(system_id, ())
    for one in _in_lineages(rulebook, domain):
        if one in rulebook.systems[system_id].domains:
            lacking = [operation for operation in LINEAGE_OPERATIONS[one] if (one, operation) not in able]
            if one not in KEPT_BY_GATEWAY or len(lacking) < len(LINEAGE_OPERATIONS[one]):
                yield from (f"{operation} of {one}" for operation in lacking)


def behind(rulebook: Rulebook, domain: str, follow_up: str, limit: int = MAX_CELLS) -> Iterator[Finding]:
    """Rows from ``pilot`` on where a follow-up domain stands below ``validate``. Raises TooManyCells."""
    yield from _Pair(rulebook, domain, follow_up, limit).findings()


class _Pair:
    """The tables of a root and of what follows it, cut together."""

    def __init__(self, rulebook: Rulebook, domain: str, follow_up: str, limit: int) -> None:
        self._domain = domain
        self._follow_up = follow_up
        roots, follow_ups = (_creating(rulebook, one) for one in (domain, follow_up))
        self._first = len(roots)
        self._rows = [*roots, *follow_ups]
        self._inclusion = Inclusion(self._rows)
        self._columns: list[Column] = [
            NodeColumn(rulebook.business_units),
            NodeColumn(rulebook.geographies),
            NameColumn("company_code"),
            NameColumn("customer_segment"),
            AmountColumn(),
            DateColumn(),
            NameColumn(_OWN),
            NameColumn(f"{_OWN} of {follow_up}"),
        ]
        cells = [
            *(_cells(row, row.document_type, Choice()) for row in roots),
            *(_cells(row, Choice(), row.document_type) for row in follow_ups),
        ]
        self._decomposition = Decomposition(self._columns, cells, limit)
        self._early = {at for at, row in enumerate(self._rows) if row.outcome.stage in BELOW_VALIDATE}
        self._late = {at for at, row in enumerate(self._rows) if row.outcome.stage in FROM_PILOT}

    def findings(self) -> Iterator[Finding]:
        reported = set[tuple[str, str]]()
        for cell in self._decomposition.cells(self._judge):
            roots, follow_ups = self._parts(cell.rows)
            deciding = [self._rows[row] for row in self._inclusion.smallest(roots)]
            following = [self._rows[row] for row in self._inclusion.smallest(follow_ups)]
            outcome, then = agreed(deciding), agreed(following)
            if outcome is None or then is None:
                continue  # a gap or a conflict, found in its own table
            if outcome.stage not in FROM_PILOT or then.stage not in BELOW_VALIDATE:
                continue
            key = (deciding[0].id, following[0].id)
            if key not in reported:
                reported.add(key)
                yield self._finding(cell, deciding, following)

    def _judge(self, rows: Rows) -> Step:
        roots, follow_ups = self._parts(rows)
        if self._late.isdisjoint(roots) or self._early.isdisjoint(follow_ups):
            return Step.SKIP
        return Step.SPLIT

    def _parts(self, rows: Rows) -> tuple[Rows, Rows]:
        parted = sum(1 for row in rows if row < self._first)
        return rows[:parted], rows[parted:]

    def _finding(self, cell: Cell, deciding: Sequence[Row], following: Sequence[Row]) -> Finding:
        root, then = deciding[0].outcome.stage.value, following[0].outcome.stage.value
        return Finding(
            code=FindingCode.FOLLOW_UP_BEHIND,
            domain=self._domain,
            message=f"{self._domain} stand at {root} by row {row_ids(deciding)}, and the {self._follow_up} that follow "
            f"at {then} by row {row_ids(following)}",
            mend=f"bring the {self._follow_up} to validate there first",
            witness=self._witness(cell.path),
            where=where_of(cell.path),
            rows=places([*deciding, *following]),
        )

    def _witness(self, path: Path) -> Facts:
        facts: dict[str, Any] = {column.name: column.default for column in self._columns[:-1]}
        facts |= {name: atom.fact for name, atom in path if name in facts}
        facts["amount"], facts["currency"] = facts["amount"]
        facts["posting_date"] = facts.pop("valid")
        return Facts(domain=self._domain, operation="create", **facts)


def _creating(rulebook: Rulebook, domain: str) -> list[Row]:
    rows = sorted(rulebook.table(domain).rows, key=lambda row: row.id)
    return [row for row in rows if row.operation.matches("create")]


def _cells(row: Row, own: Choice, follow_up: Choice) -> tuple[Any, ...]:
    return (*(getattr(row, column) for column in _SHARED), own, follow_up)
