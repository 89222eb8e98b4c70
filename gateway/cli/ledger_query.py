"""`erp-gateway ledger query`: entries by a filter, sums by group, exports."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli.archived_months import tell_archived
from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, print_json, print_table
from gateway.cli.gateway_http import ClientOption, GatewayHttp, TokenOption, UrlOption, gateway_of
from gateway.cli.ledger_question import ConditionsArgument, conditions
from gateway.domain.entry_groups import GROUPS

if TYPE_CHECKING:
    from gateway.ledger.exports import Form

PATH: Final = "/v1/ledger"
PAGE: Final = 200

OverHttp = tuple[str | None, str | None, str]
Sums = tuple[list[dict[str, Any]], list[str]]


def query(
    words: ConditionsArgument = None,
    group_by: Annotated[str | None, typer.Option("--group-by", help=f"Count and sum by {', '.join(GROUPS)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many entries, the oldest first.")] = 50,
    as_csv: Annotated[bool, typer.Option("--csv", help="All of them as CSV, with count and hash at the end.")] = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="The same as JSON lines.")] = False,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "auditor",
    live: Annotated[bool, typer.Option("--live", help="Ask the running gateway of the data directory.")] = False,
    json: JsonOption = False,
) -> None:
    """Find entries of the ledger: NAME=VALUE words, all of which must hold (docs/ledger.md, 'Asking').

    Without --live, --url or --token the record of the data directory is read itself, whether its gateway runs or not.
    """
    asked = conditions(words)
    names = group_by.split(",") if group_by else []
    for name in names:
        if name not in GROUPS:
            raise Failure(f"--group-by takes {', '.join(GROUPS)}, not {name!r}", 2)
    gateway = gateway_of(data, url, token, client) if live or url or token else None
    if as_csv or as_lines:
        _export(gateway, data, asked, "csv" if as_csv else "jsonl")
        return
    if group_by is not None:
        groups, months = _groups(gateway, data, asked, names)
        print_json(groups) if json else _print_groups(groups, names)
        tell_archived(months, "their entries are counted, and only their archives prove them", aside=json)
        return
    entries = _entries(gateway, data, asked, limit)
    if json:
        print_json(entries)
        return
    print_table(
        ["log", "at", "trace", "seq", "entry", "actor", "slice", "system", "row", "amount"],
        [(str(one["logIndex"]), one["recordedAt"], one["trace"], str(one["seq"]), one["kind"], *_told(one))
         for one in entries],
    )  # fmt: skip
    months = [one["archivedMonth"] for one in entries if "archivedMonth" in one]
    tell_archived(months, "the bytes of their entries are there", aside=False)


def _told(one: Mapping[str, Any]) -> tuple[str, ...]:
    place = [one["domain"], one["businessUnit"], one["geography"]]
    money = f"{one['amount']} {one['currencyCode']}" if one["amount"] is not None else ""
    shown = ".".join(place) if all(place) else one["domain"] or ""
    return one["actor"], shown, one["systemId"] or "", one["row"] or "", money


def _entries(gateway: GatewayHttp | None, data: Path | None, asked: Mapping[str, str], limit: int) -> list[Any]:
    if gateway is None:
        from gateway.cli import ledger_record  # noqa: PLC0415 - where no gateway is asked

        return ledger_record.entries(data_directory(data), asked, limit)
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None and len(found) < limit:
        page_size = str(min(PAGE, limit - len(found)))
        # A cursor belongs to its question, and the size of a page is no part of that.
        page = gateway.get(f"{PATH}/entries", {**asked, "pageSize": page_size} | ({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["nextCursor"]
    return found


def _groups(gateway: GatewayHttp | None, data: Path | None, asked: Mapping[str, str], names: list[str]) -> Sums:
    """The groups, and the months whose entries are in archives."""
    if gateway is not None:
        grouped = {**asked, "groupBy": ",".join(names)} if names else dict(asked)
        found = gateway.get(f"{PATH}/summary", grouped)
        return found["groups"], found["archivedMonths"]
    from gateway.cli import ledger_record  # noqa: PLC0415 - where no gateway is asked

    return ledger_record.sums(data_directory(data), asked, names)


def _print_groups(groups: list[Any], names: list[str]) -> None:
    rows = []
    for one in groups:
        key = [str(one["key"].get(name) if one["key"].get(name) is not None else "") for name in names]
        sums = ", ".join(f"{s['kind']} {s['amount']} {s['currencyCode']}" for s in one["sums"])
        rows.append((*key, str(one["entryCount"]), sums))
    print_table([*names, "entries", "sums"], rows)


def _export(gateway: GatewayHttp | None, data: Path | None, asked: Mapping[str, str], form: Form) -> None:
    """Onto stdout, as bytes."""
    if gateway is not None:
        gateway.download(f"{PATH}/entries.{form}", asked, sys.stdout.buffer)
        return
    from gateway.cli import ledger_record  # noqa: PLC0415 - where no gateway is asked

    ledger_record.export(data_directory(data), asked, form)
