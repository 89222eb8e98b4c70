"""`erp-gateway capabilities`: what each system and each slice can do today, from rulebook and drivers; calls nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.api.capability_report import capability_report
from gateway.api.domains import RESOURCES
from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, print_json, print_table, settings_of
from gateway.cli.running import run
from gateway.transactions.queries import Visible
from gateway.wiring.systems import connect_systems
from routing_rules import load_rulebook


def capabilities(
    data: DataOption = None,
    domain: Annotated[str | None, typer.Option(help="One domain only.")] = None,
    json: JsonOption = False,
) -> None:
    """What can be done to documents, where: by system, and by row of the rule tables."""
    known = [one.domain for one in RESOURCES]
    if domain is not None and domain not in known:
        raise Failure(f"there is no domain {domain}; there are {', '.join(known)}", 2)
    report = run(_report(data_directory(data), domain))
    if json:
        print_json(report)
        return
    print_table(
        ["system", "domain", "operation", "can", "what it may change, or why not"],
        [
            (
                system["systemId"],
                one["domain"],
                operation["operation"],
                "yes" if operation["supported"] else "no",
                operation["reason"] or ", ".join(operation["changeableMembers"]),
            )
            for system in report["systems"]
            for one in system["domains"]
            for operation in one["operations"]
        ],
    )
    print_table(
        ["domain", "row", "business unit", "geography", "stage", "new roots", "follow-ups", "can"],
        [
            (
                one["domain"],
                one["row"],
                one["businessUnit"],
                one["geography"],
                one["stage"],
                ", ".join(one["newRootSystemIds"]),
                ", ".join(one["followUpSystemIds"]),
                ", ".join(able["operation"] for able in one["operations"] if able["systemIds"]),
            )
            for one in report["slices"]
        ],
    )


async def _report(data: Path, domain: str | None) -> dict[str, Any]:
    settings = settings_of(data)
    rulebook = load_rulebook(data / settings.rulebook)
    systems = connect_systems(rulebook, settings.systems, data)
    try:
        able = {name: system.port.capabilities() for name, system in systems.items()}
        return capability_report(rulebook, able, RESOURCES, Visible(), domain)
    finally:
        for system in systems.values():
            await system.port.aclose()
