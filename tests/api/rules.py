"""A small rulebook and what its systems can do."""

from __future__ import annotations

from adapters.canonical import DOMAINS
from adapters.port import Capabilities, Capability, Operation
from gateway.domain.plan import SERVED
from routing_rules import Budget, NodeSet, Outcome, Row, Rulebook, RuleTable, Side, Stage, System, Tree


def system(system_id: str, side: Side, domains: tuple[str, ...] = tuple(DOMAINS)) -> System:
    return System(
        id=system_id,
        name=f"The {side.value} ERP",
        side=side,
        driver="fake",
        regions=("world",),
        domains=domains,
        budget=Budget(8, 6_000),
        longest_execution_s=150,
        inquiry_delay_s=1,
        enforces_unique_reference=False,
    )


def rulebook(domains: tuple[str, ...] = tuple(DOMAINS)) -> Rulebook:
    """group > Western, wholesale; world > EMEA > DE, FR; world > US. Everything is in the legacy ERP."""
    units = Tree("business_unit", "group", {"group": None, "Western": "group", "wholesale": "group"}, {})
    places = Tree("geography", "world", {"world": None, "EMEA": "world", "DE": "EMEA", "FR": "EMEA", "US": "world"}, {})
    row = Row(
        id="r1",
        outcome=Outcome(stage=Stage.LEGACY, legacy_system="legacy-main"),
        business_unit=NodeSet.of(units, ["group"]),
        geography=NodeSet.of(places, ["world"]),
    )
    return Rulebook(
        name="test",
        tables={domain: RuleTable(domain, (row,)) for domain in domains},
        business_units=units,
        geographies=places,
        systems={"legacy-main": system("legacy-main", Side.LEGACY, domains)},
    )


def capabilities(*absent: tuple[str, Operation]) -> Capabilities:
    """Of a system that can do everything but what is absent."""
    return {
        (domain, operation): Capability(
            (domain, operation) not in absent,
            reason="not that" if (domain, operation) in absent else "",
            changeable=frozenset({"lines"} if operation is Operation.CHANGE else ()),
        )
        for domain in DOMAINS
        for operation in Operation
        if operation is Operation.CREATE or domain in SERVED[operation.value]
    }
