"""`erp-gateway cutover period close|reopen|list`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from gateway.cli.console import DataOption, JsonOption, print_json, print_line, print_table
from gateway.cli.cutover_overlay import ReasonOption, name_of
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of

app = typer.Typer(no_args_is_help=True)
PATH = "/v1/cutover/periods"

CompanyCode = Annotated[str, typer.Argument(help="Such as NW01.")]
PeriodId = Annotated[str, typer.Argument(metavar="PERIOD", help="Fiscal year and period, such as 2026-11.")]


@app.command("close")
def close(
    company_code: CompanyCode,
    period: PeriodId,
    reason: ReasonOption,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Close a fiscal period: nothing may be posted into it any more."""
    _act("close", company_code, period, reason, data, url, token, client, json)


@app.command("reopen")
def reopen(
    company_code: CompanyCode,
    period: PeriodId,
    reason: ReasonOption,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Reopen a closed fiscal period."""
    _act("reopen", company_code, period, reason, data, url, token, client, json)


@app.command("list")
def list_(
    company_code: Annotated[str | None, typer.Option(help="Of this company code only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """The periods that were closed, reopened or tied out; any other is open."""
    query = {"pageSize": str(limit)} | ({"companyCode": company_code} if company_code else {})
    items = gateway_of(data, url, token, client).get(PATH, query)["items"]
    if json:
        print_json(items)
        return
    print_table(
        ["company code", "period", "state", "since", "by", "tied out", "reason"],
        [
            (
                one["companyCode"],
                one["period"],
                one["state"],
                one["actedAt"],
                name_of(one["actedBy"]),
                one["tieOutId"] or "",
                one["reason"] or "",
            )
            for one in items
        ],
    )


def _act(
    act: str,
    company_code: str,
    period: str,
    reason: str,
    data: Path | None,
    url: str | None,
    token: str | None,
    client: str,
    json: bool,
) -> None:
    path = "/".join((PATH, quote(company_code, safe=""), quote(period, safe=""), act))
    found = gateway_of(data, url, token, client).post(path, {"reason": reason})
    if json:
        print_json(found)
        return
    print_line(f"period {found['period']} of company code {found['companyCode']} is {found['state']}")
