"""`erp-gateway ledger index`: the index by which entries are found."""

from __future__ import annotations

import typer

from gateway.cli.console import DataOption, Failure, data_directory, print_line
from gateway.cli.record import writing
from gateway.store.store import Store

app = typer.Typer(no_args_is_help=True)


@app.callback()
def index() -> None:
    """The index by which entries are found, summed and counted. It is made of the entries and no evidence."""


@app.command("rebuild")
def rebuild(data: DataOption = None) -> None:
    """Empty the index; the gateway fills it again when it runs, and questions wait for it.

    With SQLite the gateway has to be stopped. Keep a copy of the database first where `ledger audit` told of the index.
    """
    size = writing(data_directory(data), _emptied)
    print_line(f"the index of {size} entries is empty; the gateway fills it again when it runs")


async def _emptied(store: Store) -> int:
    await _refuse_without_entries(store)
    return await store.write(lambda unit: unit.empty_entry_index())


async def _refuse_without_entries(store: Store) -> None:
    """Raises Failure where entries are in an archive: the index could not be filled again."""
    gone = [one.month for one in await store.log.archived_months()]
    if gone:
        raise Failure(
            f"the entries of {', '.join(gone)} are archived, so that the index cannot be made again: put them back "
            "first (erp-gateway ledger partitions attach)"
        )
