"""`erp-gateway restored`."""

from __future__ import annotations

from pathlib import Path

from gateway.cli.console import DataOption, data_directory, print_line, run, settings_of
from gateway.store.store import open_store
from gateway.store.url import SqliteDatabase, parse_url
from gateway.wiring.record import only_writer, store_url
from gateway.wiring.tools import SystemClock


def restored(data: DataOption = None) -> None:
    """Say that the record was restored from a back-up, before the first start: what it has not finished is asked for in
    the ERPs before it is sent."""
    directory = data_directory(data)
    run(_note(directory, store_url(directory, settings_of(directory))))
    print_line("what was accepted until now is inquired before it is sent")


async def _note(data: Path, url: str) -> None:
    release = only_writer(data) if isinstance(parse_url(url), SqliteDatabase) else None
    store = await open_store(url)
    try:
        await store.write(lambda unit: unit.note_restore(SystemClock().now()))
    finally:
        await store.close()
        if release is not None:
            await release()
