"""rulebook.yaml, the section ``cutover_dates``: from which posting date on the cloud takes what a row sends it.

It stands there by domain and row id, and not in a column, because the header of the tables is a contract. It is part of
what the row yields, hence of the table version: what decides is named by every ``routed`` entry. Source: docs/rules.md,
'Cutover dates'.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import yaml

from routing_rules.cells import CellInvalid, parse_date, suggestion
from routing_rules.model import DOMAINS, MASTER_DOMAINS, Row
from routing_rules.yaml_nodes import YamlFile


class _Dated(NamedTuple):
    """The date of a row, and where it stands."""

    cutover_date: date
    place: yaml.Node


@dataclass(frozen=True, slots=True)
class CutoverDates:
    """The dates of a rulebook by domain and row id; what is wrong with them is complained of at their places."""

    doc: YamlFile
    by_domain: dict[str, dict[str, _Dated]]

    @classmethod
    def read(cls, doc: YamlFile, node: yaml.Node | None) -> CutoverDates:
        """The section, whether there are such rows or not."""
        found: dict[str, dict[str, _Dated]] = {}
        domains = {} if node is None else doc.fields(node, "cutover_dates", (), DOMAINS)
        for domain, value in domains.items():
            if domain in MASTER_DOMAINS:
                doc.complain(value, f"{domain} have no posting date", "Leave them out: their owner changes at once")
                continue
            dates = doc.mapping(value, f"the cutover dates of {domain}") or {}
            found[domain] = {row: dated for row, one in dates.items() if (dated := _date(doc, one)) is not None}
        return cls(doc, found)

    def applied_to(self, domain: str, rows: Sequence[Row]) -> tuple[Row, ...]:
        """The rows with their dates. A row without legacy system has nothing to send earlier dates to."""
        dates = self.by_domain.get(domain, {})
        return tuple(self._dated(row, dates[row.id]) if row.id in dates else row for row in rows)

    def _dated(self, row: Row, dated: _Dated) -> Row:
        if row.outcome.legacy_system is None:
            message = f"row {row.id} ({row.place}) has a cutover date and no legacy system"
            self.doc.complain(dated.place, message, "Name the system that earlier posting dates go to, or leave it out")
        return replace(row, outcome=replace(row.outcome, cutover_date=dated.cutover_date))

    def complain_of_the_rest(self, rows_of: Mapping[str, Collection[str]]) -> None:
        """Of dates for rows that are not there. `rows_of`: the ids of the rows by domain."""
        for domain, dates in self.by_domain.items():
            rows = rows_of.get(domain, ())
            for row, dated in dates.items():
                if row not in rows:
                    remedy = suggestion(row[:64], rows) if rows else "Leave it out"
                    self.doc.complain(dated.place, f"{domain} have no row '{row[:64]}' to date", remedy)


def _date(doc: YamlFile, node: yaml.Node) -> _Dated | None:
    text = doc.text(node, "the cutover date")
    if text is None:
        return None
    try:
        found = parse_date(text)
    except CellInvalid as invalid:
        for message, remedy in invalid.faults:
            doc.complain(node, message, remedy)
        return None
    if found is None:
        doc.complain(node, "the cutover date is empty", "Write it as 2026-01-31, or leave the row out")
        return None
    return _Dated(found, node)
