"""`erp-gateway ledger hold set|lift|list`: keep what a court wants from being erased."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from gateway.cli.console import DataOption, Failure, JsonOption, print_json, print_line, print_table
from gateway.cli.cutover_overlay import name_of
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of
from gateway.cli.ledger_erase import ReasonOption, reference_of

app = typer.Typer(no_args_is_help=True)
PATH: Final = "/v1/ledger/holds"


@app.callback()
def hold() -> None:
    """Legal holds: one person sets one, two lift it."""


@app.command("set")
def set_(
    reason: ReasonOption,
    customer: Annotated[str | None, typer.Option(help="All that tells of a customer: doc_…, or SOURCE:ID.")] = None,
    lineage: Annotated[str | None, typer.Option(help="One lineage: lin_…")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Nothing of it is erased from now on."""
    if (customer is None) == (lineage is None):
        raise Failure("give either --customer or --lineage", 2)
    what: dict[str, Any] = {"lineageId": lineage} if customer is None else {"customer": reference_of(customer)}
    found = gateway_of(data, url, token, client).post(PATH, {**what, "reason": reason})
    if json:
        print_json(found)
    else:
        print_line(f"{found['holdId']}: nothing of {found['customerId'] or found['lineageId']} is erased")


@app.command("lift")
def lift(
    hold_id: Annotated[str, typer.Argument(metavar="HOLD", help="hld_…")],
    reason: ReasonOption,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Ask for the lift of a hold; the same command by a second person lifts it."""
    found = gateway_of(data, url, token, client).post(f"{PATH}/{quote(hold_id, safe='')}/lift", {"reason": reason})
    if json:
        print_json(found)
        return
    lifted = found["state"] == "lifted"
    print_line(f"{hold_id} {'is lifted' if lifted else 'stays until a second person lifts it'}")


@app.command("list")
def list_(
    lifted: Annotated[bool, typer.Option("--lifted", help="Those too that are lifted.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many, newest first.")] = 50,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """The holds that are set."""
    query = {"lifted": str(lifted).lower(), "pageSize": str(limit)}
    items = gateway_of(data, url, token, client).get(PATH, query)["items"]
    if json:
        print_json(items)
        return
    print_table(
        ["hold", "keeps", "state", "since", "by", "reason"],
        [
            (
                one["holdId"],
                one["customerId"] or one["lineageId"],
                one["state"],
                one["setAt"],
                name_of(one["setBy"]),
                one["reason"] or "",
            )
            for one in items
        ],
    )
