"""`erp-gateway exceptions list|show|claim|move|approve`: what needs a person, and what is done about it."""

from __future__ import annotations

import json as json_text
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gateway.cli import exception_bulks
from gateway.cli.console import DataOption, Failure, JsonOption, print_json, print_line, print_table
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of

app = typer.Typer(no_args_is_help=True)
app.add_typer(exception_bulks.app, name="bulk", help="One move for many: show, run.")
PATH = "/v1/exceptions"
MOST_BYTES = 1_000_000

ExceptionArgument = Annotated[str, typer.Argument(metavar="EXCEPTION", help="exc_…")]


class Move(StrEnum):
    """What can be done; `exceptions show` says which are allowed."""

    RETRY = "retry"
    RESUBMIT = "resubmit"
    MARK_POSTED = "mark_posted"
    CANCEL = "cancel"


@app.command("list")
def list_(
    state: Annotated[str, typer.Option(help="open, closed or all.")] = "open",
    reason: Annotated[str | None, typer.Option(help="Such as in-doubt, rejected-by-erp.")] = None,
    domain: Annotated[str | None, typer.Option(help="Such as orders.")] = None,
    system: Annotated[str | None, typer.Option(help="Such as legacy-main.")] = None,
    team: Annotated[str | None, typer.Option(help="Those of a team.")] = None,
    person: Annotated[str | None, typer.Option(help="Those of a person.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many, the oldest first.")] = 50,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """What stands in front of people, the oldest first."""
    if state not in {"open", "closed", "all"}:
        raise Failure("--state is open, closed or all", 2)
    asked = {
        "state": None if state == "all" else state,
        "reasonCode": reason,
        "domain": domain,
        "systemId": system,
        "ownerTeam": team,
        "ownerPerson": person,
        "pageSize": str(limit),
    }
    query = {name: value for name, value in asked.items() if value is not None}
    items = gateway_of(data, url, token, client).get(PATH, query)["items"]
    if json:
        print_json(items)
        return
    print_table(
        ["exception", "reason", "domain", "system", "money", "age", "owner", "status"],
        [
            (
                one["exceptionId"],
                one["reasonCode"] + (f" ({one['cause']})" if one["cause"] else ""),
                one["domain"],
                one["systemId"] or "",
                " ".join(filter(None, (one["amount"], one["currencyCode"]))),
                age_of(one["ageS"]),
                owner_of(one),
                one["transactionStatus"] or "",
            )
            for one in items
        ],
    )


@app.command("show")
def show(
    exception_id: ExceptionArgument,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Why it needs a person, what the ERP said, which moves are allowed, and what was done."""
    found = gateway_of(data, url, token, client).get(_address(exception_id))
    if json:
        print_json(found)
        return
    said = found["erpSaid"]
    lines = {
        "exception": f"{found['exceptionId']} ({found['state']}, {age_of(found['ageS'])})",
        "reason": found["reasonCode"] + (f" ({found['cause']})" if found["cause"] else ""),
        "said": "" if said is None else f"{said['messageCode']} {said['field']}: {said['message']}",
        "transaction": f"{found['transactionId']} ({found['transactionStatus']})",
        "slice": f"{found['domain']}.{found['businessUnit']}.{found['geography']}",
        "system": found["systemId"] or "",
        "money": " ".join(filter(None, (found["amount"], found["currencyCode"]))),
        "owner": owner_of(found),
        "moves": ", ".join(
            f"{one} (two persons)" if one in found["secondPerson"] else one for one in found["allowedMoves"]
        ),
        "outcome": found["outcome"] or "",
        "replaced by": found["replacedByTransactionId"] or "",
    }
    for name, value in lines.items():
        if value:
            print_line(f"{name:12} {value}")
    for one in found["moves"]:
        print_line(f"{'move':12} {_move_line(one)}")


@app.command("claim")
def claim(
    exception_id: ExceptionArgument,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Care for it from now on."""
    found = gateway_of(data, url, token, client).post(f"{_address(exception_id)}/claim", {})
    _tell(found, json, f"{found['exceptionId']} is cared for by {owner_of(found)}")


@app.command("move")
def move(
    exception_id: ExceptionArgument,
    wanted: Annotated[Move, typer.Argument(metavar="MOVE", help="retry, resubmit, mark_posted or cancel.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for people; kept beside the ledger.")],
    number: Annotated[
        str | None, typer.Option(metavar="TYPE/NUMBER", help="For mark_posted: the number in the ERP.")
    ] = None,
    document: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="For resubmit: the corrected document, JSON.")
    ] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Ask for a move; it is made at once where no second person is needed."""
    body: dict[str, Any] = {"move": wanted.value, "reason": reason}
    if number is not None:
        document_type, slash, document_number = number.partition("/")
        if not slash:
            raise Failure("--number is TYPE/NUMBER, such as invoice/0090000017", 2)
        body |= {"erpDocumentType": document_type, "erpDocumentNumber": document_number}
    if document is not None:
        body["document"] = _read(document)
    _moved(gateway_of(data, url, token, client).post(f"{_address(exception_id)}/moves", body), json)


@app.command("approve")
def approve(
    exception_id: ExceptionArgument,
    move_id: Annotated[str, typer.Argument(metavar="MOVE", help="mov_…, as `exceptions show` tells it.")],
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Approve, as a second person, what another one asked for; it is made at once."""
    path = f"{_address(exception_id)}/moves/{quote(move_id, safe='')}/approve"
    _moved(gateway_of(data, url, token, client).post(path, {}), json)


def age_of(seconds: int) -> str:
    """Seconds as people read them: 45 s, 12 min, 3 h, 5 d."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def owner_of(one: Mapping[str, Any]) -> str:
    """Team and person."""
    person = one["ownerPerson"]
    return " ".join(filter(None, (one["ownerTeam"], person and (person["personName"] or person["person"][:8]))))


def _address(exception_id: str) -> str:
    return f"{PATH}/{quote(exception_id, safe='')}"


def _read(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MOST_BYTES:
        raise Failure(f"{path} is larger than {MOST_BYTES} bytes", 2)
    try:
        found = json_text.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Failure(f"{path} is no JSON: {error}", 2) from error
    if not isinstance(found, dict):
        raise Failure(f"{path} is no JSON object", 2)
    return found


def _move_line(one: Mapping[str, Any]) -> str:
    told = f"{one['moveId']} {one['move']}: {one['state']}"
    return f"{told} ({one['result']})" if one["result"] else told


def _moved(found: Mapping[str, Any], json: bool) -> None:
    made = found["move"]
    told = {
        "asked": f"another person approves it: erp-gateway exceptions approve {found['exceptionId']} {made['moveId']}",
        "under_way": "the gateway inquires; see exceptions show",
    }.get(made["state"], f"the exception is {found['state']}")
    _tell(found, json, f"{_move_line(made)}; {told}")


def _tell(found: Mapping[str, Any], json: bool, line: str) -> None:
    if json:
        print_json(dict(found))
    else:
        print_line(line)
