"""The CSV files as rows, and the two joins that several objects need.

Pure but for reading the package's own files.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

Row = Mapping[str, str]

COUNTRY_CODES: Final[Mapping[str, str]] = {
    "Argentina": "AR",
    "Austria": "AT",
    "Belgium": "BE",
    "Brazil": "BR",
    "Canada": "CA",
    "Denmark": "DK",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Ireland": "IE",
    "Italy": "IT",
    "Mexico": "MX",
    "Norway": "NO",
    "Poland": "PL",
    "Portugal": "PT",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "UK": "GB",
    "USA": "US",
    "Venezuela": "VE",
}
"""ISO 3166-1 alpha-2 code of each country as Northwind spells it."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables that traffic is made from. `region_of_employee` gives the name of the one region of each."""

    customers: tuple[Row, ...]
    products: tuple[Row, ...]
    category_names: Mapping[str, str]
    orders: tuple[Row, ...]
    lines_of_order: Mapping[str, tuple[Row, ...]]
    region_of_employee: Mapping[str, str]


@cache
def read_tables() -> Tables:
    """Read the package's files, once per process."""
    lines: dict[str, list[Row]] = defaultdict(list)
    for line in _rows("order-details"):
        lines[line["orderID"]].append(line)
    return Tables(
        customers=_rows("customers"),
        products=_rows("products"),
        category_names={row["categoryID"]: row["categoryName"] for row in _rows("categories")},
        orders=_rows("orders"),
        lines_of_order={order: tuple(rows) for order, rows in lines.items()},
        region_of_employee=_regions(),
    )


def _regions() -> dict[str, str]:
    names = {row["regionID"]: row["regionDescription"] for row in _rows("regions")}
    of_territory = {row["territoryID"]: names[row["regionID"]] for row in _rows("territories")}
    found: dict[str, set[str]] = defaultdict(set)
    for row in _rows("employee-territories"):
        found[row["employeeID"]].add(of_territory[row["territoryID"]])
    regions: dict[str, str] = {}
    for row in _rows("employees"):
        # An employee of two regions would make the business unit of an order ambiguous; Northwind has none.
        (regions[row["employeeID"]],) = found[row["employeeID"]]
    return regions


def _rows(table: str) -> tuple[Row, ...]:
    text = resources.files(__package__).joinpath("data", f"{table}.csv").read_text(encoding="utf-8")
    reader = csv.DictReader(text.splitlines())
    return tuple({name: "" if value == "NULL" else value.strip() for name, value in row.items()} for row in reader)
