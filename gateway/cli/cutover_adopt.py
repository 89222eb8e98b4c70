"""`erp-gateway cutover adopt`: ask for a batch of lineages to be adopted, or approve one as a second person."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from gateway.cli.console import DataOption, Failure, JsonOption, print_json, print_line, print_table
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of

PATH: Final = "/v1/cutover/adoptions"
COLUMNS: Final = ("lineage_id", "document_type", "document_number")
MOST_BYTES: Final = 1_000_000
_WIRE: Final = ("lineageId", "documentType", "documentNumber")


def adopt(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE.csv", help=f"With the columns {', '.join(COLUMNS)}.")
    ] = None,
    from_system: Annotated[str | None, typer.Option("--from", help="The system that the lineages were in.")] = None,
    to_system: Annotated[str | None, typer.Option("--to", help="The system to which they were migrated.")] = None,
    effective_on: Annotated[str | None, typer.Option("--on", help="From this day on it may be approved.")] = None,
    total: Annotated[
        list[str] | None,
        typer.Option(help="What the old system says is open, such as '440.00 USD'; once for each currency."),
    ] = None,
    count: Annotated[int | None, typer.Option(help="How many lineages the old system says they are.")] = None,
    approve: Annotated[str | None, typer.Option(help="Approve this batch (adp_…) instead.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Record lineages that were migrated elsewhere: ask with a file, approve as another person. Nothing is posted."""
    if (file is None) == (approve is None):
        raise Failure("give a FILE.csv to ask for a batch, or --approve adp_… to approve one", 2)
    if approve is not None:
        found = gateway_of(data, url, token, client).post(f"{PATH}/{quote(approve, safe='')}/approve", {})
    else:
        asked = _request(file or Path(), from_system, to_system, effective_on, total or [], count)
        found = gateway_of(data, url, token, client).post(PATH, asked)
    if json:
        print_json(found)
    else:
        _tell(found)
    if found["refused"]:
        raise Failure(f"{found['refused']} lineage(s) were refused; approving the batch again tries them again")


def _request(
    file: Path,
    from_system: str | None,
    to_system: str | None,
    effective_on: str | None,
    total: Sequence[str],
    count: int | None,
) -> dict[str, Any]:
    if from_system is None or to_system is None or effective_on is None or count is None or not total:
        raise Failure("a batch needs --from, --to, --on, --count and --total", 2)
    return {
        "fromSystemId": from_system,
        "toSystemId": to_system,
        "effectiveOn": effective_on,
        "control": {"lineageCount": count, "amounts": [_amount(one) for one in total]},
        "lines": read_lines(file),
    }


def _amount(text: str) -> dict[str, str]:
    amount, _, currency_code = text.strip().partition(" ")
    if not currency_code:
        raise Failure(f"--total {text!r} is no amount with its currency: write it as '440.00 USD'", 2)
    return {"amount": amount, "currencyCode": currency_code.strip()}


def read_lines(file: Path) -> list[dict[str, str]]:
    """The lines of a CSV file in wire words. Raises Failure with file and line for what is none."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise Failure(f"{file} is larger than {MOST_BYTES} bytes; make several batches of it", 2)
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.reader(opened, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Failure(f"{file} cannot be read: {error}", 2) from error
    if not rows or tuple(rows[0]) != COLUMNS:
        raise Failure(f"{file}:1: the header must be {','.join(COLUMNS)}", 2)
    for at, row in enumerate(rows[1:], start=2):
        if len(row) != len(COLUMNS) or not all(cell.strip() for cell in row):
            raise Failure(f"{file}:{at}: a line needs {', '.join(COLUMNS)}, and nothing else", 2)
    return [dict(zip(_WIRE, (cell.strip() for cell in row), strict=True)) for row in rows[1:]]


def _tell(found: Mapping[str, Any]) -> None:
    print_line(
        f"{found['adoptionId']}: {found['state']}, {found['fromSystemId']} to {found['toSystemId']} "
        f"on {found['effectiveOn']}; {found['adopted']} adopted, {found['refused']} refused"
    )
    print_table(
        ("lineage", "number", "state", "reason"),
        [
            (one["lineageId"], f"{one['documentType']} {one['documentNumber']}", one["state"], one["reason"] or "")
            for one in found["lines"]
        ],
    )
