"""`erp-gateway ledger partitions list|make|detach|attach`: the months of the ledger on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.console import (
    DataOption,
    Failure,
    JsonOption,
    data_directory,
    print_json,
    print_line,
    print_table,
    settings_of,
)
from gateway.cli.ledger_archive import MonthArgument, evidence_signer, month_of
from gateway.cli.ledger_log import log_signers
from gateway.cli.record import opened_store
from gateway.cli.running import run
from gateway.domain.wire import instant
from gateway.ledger.errors import KeyMisused, Malformed
from gateway.ledger.months.detach import KEEP_MONTHS, attachable, detachable, rows_of
from gateway.ledger.months.records import believed
from gateway.ledger.note_keys import VerifierKey
from gateway.store.month_moves import put_back, take_out
from gateway.store.months import MonthPart, listed_months, make_months, without_month
from gateway.store.owner import as_owner
from gateway.store.partitions import AHEAD
from gateway.wiring.database_url import store_url

app = typer.Typer(no_args_is_help=True)
ArchiveOption = Annotated[Path, typer.Argument(help="The directory that `ledger archive` wrote.", metavar="DIR")]


@app.callback()
def partitions() -> None:
    """The months of the ledger on PostgreSQL, each a table of its own. To change them takes the owner of the tables
    (docs/operations.md, 'Months of the ledger')."""


@app.command("list")
def list_(data: DataOption = None, json: JsonOption = False) -> None:
    """The months, those that were taken out too, and what lies in none."""
    place = data_directory(data)

    async def ask() -> tuple[Sequence[MonthPart], int, Sequence[dict[str, str | int]]]:
        there, waiting = await as_owner(_url(place), lambda one: (listed_months(one), without_month(one)))
        async with opened_store(place) as store:
            records = await store.log.archived_months()
            believed(records, evidence_signer(place).key)
        return (
            there,
            waiting,
            [{"month": one.month, "entries": one.entries, "detachedAt": instant(one.detached_at)} for one in records],
        )

    there, waiting, gone = run(ask())
    if json:
        months = [{"month": str(one.month), "entriesEstimated": one.entries, "bytes": one.size} for one in there]
        print_json({"months": months, "archived": gone, "entriesWithoutMonth": waiting})
        return
    rows = [(str(one.month), "stored", _about(one), f"{one.size / 1e6:.1f} MB") for one in there]
    rows += [(str(one["month"]), "archived", str(one["entries"]), f"since {one['detachedAt']}") for one in gone]
    print_table(["month", "state", "entries", "size"], sorted(rows))
    if waiting:
        print_line(f"{waiting} entries lie in no month's table: `ledger partitions make` moves what it can")


@app.command("make")
def make(
    ahead: Annotated[int, typer.Option(min=0, max=120, help="Months to make before they begin.")] = AHEAD,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Make this month, the next ones, and those of which entries came before they were made."""
    made = run(as_owner(_url(data_directory(data)), lambda one: make_months(one, ahead)))
    if json:
        print_json({"made": [str(one) for one in made]})
    else:
        print_line(f"made: {', '.join(map(str, made))}" if made else "all months are there")


@app.command("detach")
def detach(
    month: MonthArgument,
    directory: ArchiveOption,
    keep: Annotated[
        int, typer.Option("--keep-months", min=1, help="Months that stay after they ended, for what looks back.")
    ] = KEEP_MONTHS,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Take a month out of the database, once its archive is sound and nothing in it is needed or held.

    Its table is dropped: keep the archive in two places. `partitions attach` puts it back.
    """
    wanted, place = month_of(month), data_directory(data)
    keys, evidence = _keys(place), evidence_signer(place).key

    async def move() -> int:
        now = time.time_ns() // 1_000
        async with opened_store(place) as store:
            record = await detachable(store, keys, evidence, wanted, directory, now, keep_months=keep)
        await as_owner(_url(place), lambda one: take_out(one, record))
        return record.entries

    entries = run(move())
    if json:
        print_json({"month": month, "entries": entries, "directory": str(directory)})
    else:
        print_line(f"{entries} entries of {month} are in {directory} only: keep it in two places")


@app.command("attach")
def attach(
    month: MonthArgument,
    directory: ArchiveOption,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="An older verifier key of this log, if the archive is of its time."),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Put a month that was taken out back into the database, exactly as it was."""
    wanted, place = month_of(month), data_directory(data)
    evidence = evidence_signer(place).key
    try:
        keys = [*_keys(place), *(VerifierKey.parse(one) for one in key or ())]
    except (KeyMisused, Malformed) as error:
        raise Failure(str(error), 2) from error

    async def move() -> int:
        async with opened_store(place) as store:
            records = {one.month: one for one in await store.log.archived_months()}
        found = await attachable(records.get(month), keys, evidence, wanted, directory)
        await as_owner(_url(place), lambda one: put_back(one, wanted, rows_of(directory, found)))
        return found.entries

    entries = run(move())
    if json:
        print_json({"month": month, "entries": entries})
    else:
        print_line(f"{entries} entries of {month} are in the database again")


def _keys(place: Path) -> list[VerifierKey]:
    return [signer.key for signer in log_signers(place)]


def _url(place: Path) -> str:
    return store_url(place, settings_of(place))


def _about(part: MonthPart) -> str:
    return "not counted" if part.entries < 0 else f"about {part.entries}"
