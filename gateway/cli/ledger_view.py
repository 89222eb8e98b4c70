"""`erp-gateway ledger view`: what operations read off the ledger, as a table with bars; `--csv` for spreadsheets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from gateway.cli.archived_months import tell_archived
from gateway.cli.console import DataOption, JsonOption, data_directory, print_json, print_line, print_table
from gateway.cli.cutover_board import bar
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of
from gateway.cli.ledger_question import ConditionsArgument, conditions
from gateway.domain.operational_views import View
from gateway.ledger.export_ends import csv_end
from gateway.ledger.view_wire import COLUMNS, KEY_COLUMNS, REQUEST_COLUMNS, view_csv

VIEWS_PATH: Final = "/v1/ledger/views"
_BARRED: Final[Mapping[View, str]] = {
    View.CYCLE_TIME: "medianMs",
    View.RECOVERY_TIME: "medianMs",
    View.COMPLETE_TRACES: "completeShare",
    View.INVOICE_ACCURACY: "accurateShare",
    View.API_USE: "acceptedCount",
}
"""The member that is drawn."""
_LEFT_OUT: Final = "their transactions are not counted: attach the month for that"
_ARCHIVED: Final[Mapping[View, str]] = {View.RECOVERY_TIME: _LEFT_OUT, View.COMPLETE_TRACES: _LEFT_OUT}
_PER_MILLE: Final = 1_000
"""Bars are drawn of whole numbers: of thousandths."""


def view(
    which: Annotated[View, typer.Argument(help="Which view.")],
    words: ConditionsArgument = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "auditor",
    live: Annotated[bool, typer.Option("--live", help="Ask the running gateway of the data directory.")] = False,
    json: JsonOption = False,
) -> None:
    """Show a view of operations: NAME=VALUE words narrow it, such as slice=orders.Western.US groupBy=month,side.

    Without --live, --url or --token the record of the data directory is read itself, whether its gateway runs or not.
    """
    asked = conditions(words)
    if live or url or token:
        gateway = gateway_of(data, url, token, client)
        if as_csv:
            gateway.download(f"{VIEWS_PATH}/{which}.csv", asked, sys.stdout.buffer)
            return
        found = gateway.get(f"{VIEWS_PATH}/{which}", asked)
    else:
        from gateway.cli import ledger_record  # noqa: PLC0415 - where no gateway is asked

        found = ledger_record.view(data_directory(data), which, asked, rows_only=as_csv)
        if as_csv:
            sys.stdout.buffer.write(view_csv(which, found["items"]))
            if found["archivedMonths"]:
                sys.stdout.buffer.write(csv_end({}, found["archivedMonths"]))
            sys.stdout.buffer.flush()
            return
    if json:
        print_json(found)
        return
    print_line(f"{which}: accepted from {found['acceptedFrom']} until {found['acceptedUntil']}")
    _print(which, found["items"], found["groupBy"])
    tell_archived(found["archivedMonths"], _ARCHIVED.get(which, "they are counted"), aside=False)
    if found.get("requests"):  # none where a part was asked for
        print_line("\nrequests by caller and version, in whole hours:")
        _print_requests(found["requests"], found["groupBy"])


def _print(which: View, items: Sequence[Mapping[str, Any]], groups: Sequence[str]) -> None:
    """Only the keys by which the rows are apart, and a bar beside what the view is about."""
    apart = [name for group in groups for name in (KEY_COLUMNS[1:4] if group == "slice" else (group,))]
    keys = [name for name in KEY_COLUMNS if name in apart]
    columns = [*keys, *(name for name in COLUMNS[which] if name not in KEY_COLUMNS)]
    barred = _BARRED[which]
    most = max((_length(one[barred]) for one in items), default=0)
    if barred.endswith("Share"):
        most = _PER_MILLE
    at = columns.index(barred) + 1
    rows = []
    for one in items:
        cells = [_cell(name)(one[name]) for name in columns]
        rows.append([*cells[:at], bar(_length(one[barred]), most), *cells[at:]])
    print_table([*columns[:at], "", *columns[at:]], rows)


def _print_requests(items: Sequence[Mapping[str, Any]], groups: Sequence[str]) -> None:
    columns = [name for name in REQUEST_COLUMNS if name != "month" or name in groups]
    print_table(columns, [["" if one[name] is None else str(one[name]) for name in columns] for one in items])


def _length(value: float | str | None) -> int:
    return 0 if value is None else round(float(value) * _PER_MILLE)


def _cell(name: str) -> Callable[[Any], str]:
    if name.endswith("Share"):
        return lambda value: f"{float(value):.2%}"
    return _duration if name.endswith("Ms") else (lambda value: "" if value is None else str(value))


def _duration(millis: int | None) -> str:
    """In the greatest unit of which there is one at least."""
    if millis is None:
        return ""
    seconds = millis / 1_000
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.3f} s"
