"""`erp-gateway exceptions bulk show|run`: one move for many, made by the name of what was shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gateway.cli.console import DataOption, JsonOption, print_json, print_line
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of

app = typer.Typer(no_args_is_help=True)
PATH = "/v1/exceptions/bulk-moves"


@app.command("show")
def show(
    move: Annotated[str, typer.Argument(help="retry or cancel.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for people; kept beside the ledger.")],
    reason_code: Annotated[str | None, typer.Option("--of", help="Such as rejected-by-erp.")] = None,
    domain: Annotated[str | None, typer.Option(help="Such as orders.")] = None,
    system: Annotated[str | None, typer.Option(help="Such as legacy-main.")] = None,
    team: Annotated[str | None, typer.Option(help="Those of a team.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """What it would deal with: how many, how much money, the first of them. Nothing is moved."""
    asked = {"reasonCode": reason_code, "domain": domain, "systemId": system, "ownerTeam": team}
    where = {name: value for name, value in asked.items() if value is not None}
    found = gateway_of(data, url, token, client).post(PATH, {"move": move, "reason": reason, "filter": where})
    if json:
        print_json(found)
        return
    money = ", ".join(f"{one['amount']} {one['currencyCode']}" for one in found["money"]) or "no money"
    print_line(f"{found['exceptions']} exceptions, {money}; {found['notAllowed']} more do not allow it")
    for one in found["first"]:
        print_line(f"  {one['exceptionId']} {one['domain']} {one['reasonCode']}")
    whose = "another person runs it" if found["secondPerson"] else "run it"
    print_line(f"{whose}: erp-gateway exceptions bulk run {found['bulkId']} {found['digest']}")


@app.command("run")
def run(
    bulk_id: Annotated[str, typer.Argument(metavar="BULK", help="blk_…")],
    digest: Annotated[str, typer.Argument(help="The digest of what was shown.")],
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Make the moves that were shown, page by page until nothing is left. It may be stopped and run again."""
    gateway = gateway_of(data, url, token, client)
    path, left = f"{PATH}/{quote(bulk_id, safe='')}/run", -1
    while True:
        found = gateway.post(path, {"digest": digest})
        if not json:
            print_line(f"{found['left']} left; {_results(found)}")
        if not found["left"] or found["left"] == left:
            break
        left = found["left"]
    if json:
        print_json(found)


def _results(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{count} {result}" for result, count in found["results"].items()) or "nothing yet"
