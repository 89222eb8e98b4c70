"""`erp-gateway adapters try`: does each connected ERP answer, and what can it do?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, print_json, print_table, settings_of
from gateway.cli.running import run
from gateway.wiring.systems import connect_systems
from routing_rules import load_rulebook

app = typer.Typer(no_args_is_help=True)


@app.callback()
def adapters() -> None:
    """The connected ERPs."""


@app.command("try")
def try_(data: DataOption = None, json: JsonOption = False) -> None:
    """Call each system of the rulebook without posting anything. Exit code 1 if one does not answer."""
    directory = data_directory(data)
    found = run(_try(directory))
    if json:
        print_json(found)
    else:
        print_table(
            ["system", "driver", "answers", "after", "detail", "takes"],
            [
                (
                    one["systemId"],
                    one["driver"],
                    "yes" if one["ready"] else "no",
                    f"{one['latencyMs']} ms",
                    one["detail"],
                    ", ".join(one["takes"]),
                )
                for one in found
            ],
        )
    if not all(one["ready"] for one in found):
        raise Failure("not every ERP answers")


async def _try(data: Path) -> list[dict[str, Any]]:
    settings = settings_of(data)
    rulebook = load_rulebook(data / settings.rulebook)
    systems = connect_systems(rulebook, settings.systems, data)
    try:
        found = []
        for system_id, system in systems.items():
            health = await system.port.health()
            capabilities = system.port.capabilities()
            found.append(
                {
                    "systemId": system_id,
                    "driver": rulebook.systems[system_id].driver,
                    "ready": health.ready,
                    "detail": health.detail,
                    "latencyMs": round(health.latency_s * 1_000),
                    "takes": sorted(
                        f"{domain} ({operation.value})"
                        for (domain, operation), capability in capabilities.items()
                        if capability.supported
                    ),
                }
            )
        return found
    finally:
        for system in systems.values():
            await system.port.aclose()
