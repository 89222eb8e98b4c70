"""The summary: per slice count, money, where it went, failures; as text for people and as JSON for scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from gateway.demo.erps import CLOUD, LEGACY
from gateway.demo.load import ORDER_OF_DOMAINS, LoadReport
from gateway.demo.master_tie_out import Masters
from gateway.demo.northwind import CURRENCY
from gateway.demo.tie_out import Fault, Placed, TieOut

SHOWN_FAULTS: Final = 20


@dataclass(slots=True)
class Tally:
    """Count and money of one slice: sent, and by the system in which it was found."""

    count: int = 0
    amount: Decimal = Decimal(0)
    failures: int = 0
    by_system: dict[str, tuple[int, Decimal]] = field(default_factory=dict)

    def add(self, placed: Placed) -> None:
        """Count one document."""
        self.count += 1
        self.amount += placed.expected.total
        self.failures += placed.faults > 0
        if placed.system_id:
            count, amount = self.by_system.get(placed.system_id, (0, Decimal(0)))
            self.by_system[placed.system_id] = (count + 1, amount + placed.expected.total)

    def system(self, system_id: str) -> tuple[int, Decimal]:
        """Count and money in one system."""
        return self.by_system.get(system_id, (0, Decimal(0)))


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that the demo found out. `region_of` names the region of a country."""

    load: LoadReport
    result: TieOut
    masters: Sequence[Masters]
    master_faults: Sequence[Fault]
    region_of: Mapping[str, str]

    @property
    def faults(self) -> list[Fault]:
        """All disagreements."""
        return [*self.result.faults, *self.master_faults]

    @property
    def holds(self) -> bool:
        """Whether everything was posted and ties out."""
        return not self.faults and not self.load.failures

    def as_json(self) -> dict[str, Any]:
        """In wire words; amounts are decimal strings."""
        slices = _tallies(self.result.placed, lambda one: (one.domain, one.business_unit, one.geography))
        return {
            "holds": self.holds,
            "others": self.result.others,
            "currencyCode": CURRENCY,
            "loadSeconds": round(self.load.seconds, 1),
            "domains": [
                {"domain": domain, **_tally_json(tally)}
                for (domain,), tally in _tallies(self.result.placed, lambda one: (one.domain,))
            ],
            "masters": [
                {"domain": one.domain, "count": one.sent, "inSystem": {LEGACY: one.legacy, CLOUD: one.cloud}}
                for one in self.masters
            ],
            "lineages": dict(sorted(self._lineages().items())),
            "slices": [
                {"domain": domain, "businessUnit": unit, "geography": country, **_tally_json(tally)}
                for (domain, unit, country), tally in slices
            ],
            "notPosted": [
                {
                    "domain": one.domain,
                    "externalId": one.external_id,
                    "status": one.status,
                    "transactionId": one.body.get("transactionId"),
                    "detail": one.complaint,
                }
                for one in self.load.failures
            ],
            "faults": [
                {"kind": one.kind, "domain": one.domain, "externalId": one.document, "detail": one.detail}
                for one in self.faults
            ],
        }

    def print(self, console: Console) -> None:
        """For people."""
        for table in (*self._slices(), self._domains()):
            console.print(table)
        lineages = self._lineages()
        console.print(
            f"Lineages: {sum(lineages.values())}, in {LEGACY} {lineages.get(LEGACY, 0)}, in {CLOUD} "
            f"{lineages.get(CLOUD, 0)}. The load took {self.load.seconds:.1f} s. Amounts in {CURRENCY}."
        )
        if self.holds:
            console.print(
                "[bold green]It ties out[/]: every document stands in exactly one ERP, every lineage in one, and "
                "every line and sum equals the input to the cent, read back from the two ERPs' own interfaces."
            )
            if self.result.others:
                console.print(f"{self.result.others} further documents came from other callers; each stands once.")
            return
        console.print(f"[bold red]It does not tie out[/]: {len(self.faults)} disagreements.")
        for outcome in self.load.failures[:SHOWN_FAULTS]:
            line = f"not posted: {outcome.domain} {outcome.external_id} {outcome.status}: {outcome.complaint}"
            console.print(line, style="red", markup=False)
        for fault in self.faults[:SHOWN_FAULTS]:
            line = f"{fault.kind}: {fault.domain} {fault.document}: {fault.detail}"
            console.print(line, style="red", markup=False)
        left = max(0, len(self.load.failures) - SHOWN_FAULTS) + max(0, len(self.faults) - SHOWN_FAULTS)
        if left:
            console.print(f"and {left} more; the JSON summary lists all.", style="red", markup=False)

    def _lineages(self) -> dict[str, int]:
        """How many lineages each system holds; a lineage that is split is nowhere."""
        systems: dict[str, set[str]] = {}
        for placed in self.result.placed:
            systems.setdefault(placed.expected.lineage, set()).add(placed.system_id)
        whole = [next(iter(found)) for found in systems.values() if len(found) == 1]
        return {system: whole.count(system) for system in set(whole) - {""}}

    def _slices(self) -> list[Table]:
        """One table per domain: business unit × region."""
        tables: dict[str, Table] = {}
        rows = _tallies(
            self.result.placed,
            lambda one: (one.domain, one.business_unit, self.region_of.get(one.geography, one.geography)),
        )
        for (domain, unit, region), tally in rows:
            if domain not in tables:
                tables[domain] = _table(domain.capitalize(), "unit", "region")
            tables[domain].add_row(unit, region, *_cells(tally))
        return list(tables.values())

    def _domains(self) -> Table:
        table = _table("All domains", "domain")
        for one in self.masters:
            failures = sum(fault.domain == one.domain for fault in self.master_faults)
            table.add_row(one.domain, str(one.sent), "", str(one.legacy), "", str(one.cloud), "", _failures(failures))
        for names, tally in _tallies(self.result.placed, lambda one: (one.domain,)):
            table.add_row(*names, *_cells(tally))
        return table


def _tallies(
    placed: Iterable[Placed], slice_of: Callable[[Any], tuple[str, ...]]
) -> list[tuple[tuple[str, ...], Tally]]:
    found: dict[tuple[str, ...], Tally] = {}
    for one in placed:
        found.setdefault(slice_of(one.expected), Tally()).add(one)
    return sorted(found.items(), key=lambda item: (ORDER_OF_DOMAINS.index(item[0][0]), item[0]))


def _tally_json(tally: Tally) -> dict[str, Any]:
    return {
        "count": tally.count,
        "amount": f"{tally.amount:.2f}",
        "inSystem": {
            system: {"count": count, "amount": f"{amount:.2f}"}
            for system, (count, amount) in sorted(tally.by_system.items())
        },
        "failures": tally.failures,
    }


def _table(title: str, *names: str) -> Table:
    """Narrow enough for a terminal of 80 columns."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=0, show_edge=False)
    for name in names:
        table.add_column(name, no_wrap=True)
    for name in ("sent", "amount", "legacy", "amount", "cloud", "amount", "failed"):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _cells(tally: Tally) -> list[str]:
    cells = [f"{tally.count}", f"{tally.amount:,.2f}"]
    for system in (LEGACY, CLOUD):
        count, amount = tally.system(system)
        cells += [f"{count}", f"{amount:,.2f}"]
    return [*cells, _failures(tally.failures)]


def _failures(count: int) -> str:
    return f"[bold red]{count}[/]" if count else "0"
