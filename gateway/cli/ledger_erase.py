"""`erp-gateway ledger erase ask|approve|show|due`: erase what tells of a customer, by two persons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from gateway.cli.console import DataOption, Failure, JsonOption, print_json, print_line, print_table
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of

app = typer.Typer(no_args_is_help=True)
PATH: Final = "/v1/ledger/erasures"

CustomerArgument = Annotated[
    str, typer.Argument(metavar="CUSTOMER", help="doc_…, or SOURCE:ID such as salesforce:VINET.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for people; kept beside the ledger.")]


@app.callback()
def erase() -> None:
    """Erase what tells of a customer: one person asks, another approves. It cannot be undone."""


@app.command("ask")
def ask(
    customer: CustomerArgument,
    reason: ReasonOption,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Ask, and see what would go and what must be kept. Nothing is erased. Whoever asks again, for the same reason, is
    told of the first request until it is finished."""
    body = {"customer": reference_of(customer), "reason": reason}
    _tell(gateway_of(data, url, token, client).post(PATH, body), json)


@app.command("approve")
def approve(
    erasure_id: Annotated[str, typer.Argument(metavar="ERASURE", help="era_…")],
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Approve as a second person: what may go is gone for ever; what must be kept goes when it may."""
    _tell(gateway_of(data, url, token, client).post(f"{PATH}/{quote(erasure_id, safe='')}/approve", {}), json)


@app.command("show")
def show(
    erasure_id: Annotated[str, typer.Argument(metavar="ERASURE", help="era_…")],
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """What is gone, and what must be kept and why."""
    _tell(gateway_of(data, url, token, client).get(f"{PATH}/{quote(erasure_id, safe='')}"), json)


@app.command("due")
def due(
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """How long payloads are kept, and what is due by now. A dry run: nothing is erased."""
    found = gateway_of(data, url, token, client).get("/v1/ledger/retention")
    if json:
        print_json(found)
        return
    print_table(
        ["domain", "geography", "kept days", "erased after", "from"],
        [
            (
                one["domain"] or "all",
                one["geography"],
                str(one["keepDays"]),
                "never unasked" if one["eraseAfterDays"] is None else str(one["eraseAfterDays"]),
                "the year's end" if one["fromYearEnd"] else "the day",
            )
            for one in found["rules"]
        ],
    )
    kept = ", ".join(f"{count} for {why}" for why, count in found["kept"].items()) or "nothing"
    print_line(f"{found['due']} transactions are due; kept although due: {kept}")
    if found["more"]:
        print_line("there are more than were looked at")


def reference_of(customer: str) -> dict[str, str]:
    """A customer as the API names one. Raises Failure."""
    if customer.startswith("doc_"):
        return {"documentId": customer}
    source, colon, external_id = customer.partition(":")
    if not (source and colon and external_id):
        raise Failure(f"{customer!r} names no customer: give doc_…, or SOURCE:ID such as salesforce:VINET", 2)
    return {"externalId": external_id, "source": source}


def _tell(found: Mapping[str, Any], json: bool) -> None:
    if json:
        print_json(dict(found))
        return
    again = ", as you asked before: no second request was made" if found["replayed"] else ""
    print_line(f"{found['erasureId']} of {found['customerId']}: {found['state']}{again}")
    print_line(f"{found['erased']} transactions erased, {found['erasable']} could be erased now")
    if found["kept"]:
        print_table(
            ["kept", "domain", "why", "until"],
            [(one["transactionId"], one["domain"], one["keptFor"], one["keptUntil"] or "") for one in found["kept"]],
        )
    if found["more"]:
        print_line("there is more than was looked at")
    if found["state"] == "asked":
        print_line(f"another person approves it: erp-gateway ledger erase approve {found['erasureId']}")
