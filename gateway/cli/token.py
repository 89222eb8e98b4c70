"""`erp-gateway token`: an access token of the embedded issuer."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

import typer

from gateway.auth import DEFAULT_CLIENTS, IssuerMisused
from gateway.cli.console import DataOption, Failure, data_directory, print_line, settings_of
from gateway.domain.caller import DataScope
from gateway.settings import SettingsError
from gateway.wiring.issuer import embedded_issuer


def token(
    client: Annotated[str, typer.Option(help=f"One of {', '.join(DEFAULT_CLIENTS)}.")],
    data: DataOption = None,
    lifetime_s: Annotated[int, typer.Option(help="Seconds that it lives.")] = 3_600,
    scope: Annotated[list[str] | None, typer.Option(help="Instead of the client's scopes; repeat for more.")] = None,
    business_unit: Annotated[list[str] | None, typer.Option(help="Only these business units.")] = None,
    geography: Annotated[list[str] | None, typer.Option(help="Only these geographies.")] = None,
    person: Annotated[str | None, typer.Option(help="The person behind the client.")] = None,
    team: Annotated[list[str] | None, typer.Option(help="The person's teams instead; repeat for more.")] = None,
) -> None:
    """Print an access token, for `curl -H "Authorization: Bearer $(erp-gateway token --client salesforce)"`."""
    known = DEFAULT_CLIENTS.get(client)
    if known is None:
        raise Failure(f"no client {client!r}; there are {', '.join(DEFAULT_CLIENTS)}", 2)
    directory = data_directory(data)
    wanted = replace(
        known,
        scopes=frozenset(scope) if scope else known.scopes,
        person=person or known.person,
        teams=frozenset(team) if team else known.teams,
        data_scope=DataScope(
            frozenset(business_unit) if business_unit else known.data_scope.business_units,
            frozenset(geography) if geography else known.data_scope.geographies,
        ),
    )
    try:
        issuer = embedded_issuer(directory, settings_of(directory), time.time)
        print_line(issuer.mint(wanted, lifetime_s))
    except (IssuerMisused, SettingsError) as error:
        raise Failure(str(error), 2) from error
