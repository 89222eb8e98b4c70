"""`erp-gateway cutover overlay set|lift|list`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gateway.cli.console import DataOption, JsonOption, print_json, print_line, print_table
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of

app = typer.Typer(no_args_is_help=True)
PATH = "/v1/cutover/overlays"

ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for people; kept beside the ledger.")]


class Kind(StrEnum):
    """From the strictest on."""

    FREEZE = "freeze"
    HOLD = "hold"
    PAUSED = "paused"


@app.command("set")
def set_(
    overlay: Annotated[Kind, typer.Argument(help="freeze refuses, hold keeps back, paused keeps new roots back.")],
    slice_: Annotated[str, typer.Argument(metavar="SLICE", help="Such as orders.Eastern.DE.")],
    reason: ReasonOption,
    until: Annotated[
        str | None, typer.Option(help="When it will be lifted, as far as known: 2026-11-30T06:00:00Z.")
    ] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Lay a freeze, a hold or a pause over a slice; it bites at once."""
    body: dict[str, Any] = {"overlay": overlay.value, "slice": slice_, "reason": reason}
    if until is not None:
        body["expectedUntil"] = until
    found = gateway_of(data, url, token, client).post(PATH, body)
    _tell(found, json, f"{found['overlayId']}: {found['overlay']} lies over {found['slice']}")


@app.command("lift")
def lift(
    overlay_id: Annotated[str, typer.Argument(help="ovl_…")],
    reason: ReasonOption,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Ask for the lift of an overlay; the same command by a second person lifts it."""
    found = gateway_of(data, url, token, client).post(f"{PATH}/{quote(overlay_id, safe='')}/lift", {"reason": reason})
    lifted = found["state"] == "lifted"
    told = "is lifted" if lifted else "stays until a second person lifts it (--as another client, or its --token)"
    _tell(found, json, f"{found['overlayId']} over {found['slice']} {told}")


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
    """The overlays that lie over the rules."""
    query = {"lifted": str(lifted).lower(), "pageSize": str(limit)}
    items = gateway_of(data, url, token, client).get(PATH, query)["items"]
    if json:
        print_json(items)
        return
    print_table(
        ["overlay", "kind", "slice", "state", "since", "by", "reason"],
        [
            (
                one["overlayId"],
                one["overlay"],
                one["slice"],
                one["state"],
                one["setAt"],
                name_of(one["setBy"]) or "monitor",
                one["reason"] or "",
            )
            for one in items
        ],
    )


def name_of(person: Mapping[str, Any] | None) -> str:
    """Who acted, as people know them."""
    return "" if person is None else str(person["personName"] or person["client"])


def _tell(found: Mapping[str, Any], json: bool, line: str) -> None:
    if json:
        print_json(dict(found))
    else:
        print_line(line)
