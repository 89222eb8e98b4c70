"""How tables are cut: the order of their columns, and a cell's facts as a transaction or in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from routing_rules.atoms import Atom, Column, NameColumn, NodeColumn, OperationColumn
from routing_rules.atoms_of_ranges import AmountColumn, DateColumn
from routing_rules.decomposition import Path
from routing_rules.dimensions import Tree
from routing_rules.facts import Facts
from routing_rules.model import Row

CUTTING_ORDER: Final = (
    "business_unit",
    "geography",
    "company_code",
    "document_type",
    "customer_segment",
    "operation",
    "amount",
    "valid",
)
"""The columns in the order in which tables are cut: those that tell most rows apart come first."""


def columns_of(
    units: tuple[Tree, Tree | None], geographies: tuple[Tree, Tree | None], *, both: bool = False
) -> list[Column]:
    """The columns in the order of cutting, under a pair of trees, each with the one before it where there is one."""
    columns: tuple[Column, ...] = (
        NodeColumn(*units, both=both),
        NodeColumn(*geographies, both=both),
        NameColumn("company_code"),
        NameColumn("document_type"),
        NameColumn("customer_segment"),
        OperationColumn(),
        AmountColumn(),
        DateColumn(),
    )
    by_name = {column.name: column for column in columns}
    return [by_name[name] for name in CUTTING_ORDER]


def cells_of(row: Row) -> tuple[Any, ...]:
    """The row's cells in the order of cutting."""
    return tuple(getattr(row, column) for column in CUTTING_ORDER)


def witness_of(domain: str, columns: Iterable[Column], path: Path) -> Facts:
    """A transaction in a cell."""
    facts: dict[str, Any] = {column.name: column.default for column in columns}
    facts |= {name: atom.fact for name, atom in path}
    facts["amount"], facts["currency"] = facts["amount"]
    facts["posting_date"] = facts.pop("valid")
    return Facts(domain=domain, **facts)


def where_of(path: Path) -> dict[str, str]:
    """All facts of a cell in words."""
    return {name: atom.extent().text for name, atom in path}


def witness_in(domain: str, columns: Iterable[Column], row: Row) -> Facts:
    """A transaction that the row matches; other rows may match it too."""
    columns = tuple(columns)
    path: list[tuple[str, Atom]] = []
    for column, cell in zip(columns, cells_of(row), strict=True):
        if not column.is_universal(cell):
            # Under this one cell there are two atoms: what it holds and what it does not.
            path.append((column.name, next(atom for atom in column.split([cell]) if atom.cells)))
    return witness_of(domain, columns, tuple(path))
