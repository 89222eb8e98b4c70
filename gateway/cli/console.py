"""What all commands share: where the data are, how a result is printed, how a failure ends."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from adapters.errors import ErpError
from gateway.cli.tables import table_lines
from gateway.errors import GatewayError
from gateway.intake.cross_references import ImportRefused
from gateway.settings import Settings, SettingsError, default_data, load_settings
from gateway.store.store import Store, open_store
from gateway.wiring import RulebookRefused
from gateway.wiring.record import store_url
from routing_rules import RulebookInvalid

T = TypeVar("T")

DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Data directory; by default $ERP_GATEWAY_DATA, else the one of the demo."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Failure(Exception):
    """The command failed; its text says what was wrong and what to do. `exit_code` 2: wrong input, 1: the rest."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def complain(text: str) -> None:
    """One message to stderr."""
    sys.stderr.write(f"erp-gateway: {text}\n")


def data_directory(given: Path | None) -> Path:
    """The data directory that the command works on."""
    if given is not None:
        return given
    named = os.environ.get("ERP_GATEWAY_DATA")
    return Path(named) if named else default_data()


def settings_of(data: Path) -> Settings:
    """The settings there, or a Failure that says how to get some."""
    try:
        return load_settings(data)
    except SettingsError as error:
        raise Failure(str(error), 2) from error


def run(work: Coroutine[Any, Any, T], loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> T:
    """Run to the end; whatever people can mend becomes a Failure. `loop`: another event loop than asyncio's own."""
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(work)
    except (RulebookInvalid, RulebookRefused) as error:
        listed = "\n".join(f"  {complaint}" for complaint in error.complaints)
        raise Failure(f"the rulebook cannot be used:\n{listed}", 2) from error
    except (SettingsError, ImportRefused) as error:
        raise Failure(str(error), 2) from error
    except (GatewayError, ErpError) as error:
        raise Failure(str(error)) from error


@asynccontextmanager
async def opened_store(data: Path) -> AsyncIterator[Store]:
    """The record of a data directory, whether its gateway runs or not."""
    store = await open_store(store_url(data, settings_of(data)))
    try:
        yield store
    finally:
        await store.close()


def reading(data: Path, ask: Callable[[Store], Awaitable[T]]) -> T:
    """Ask the record one question."""

    async def whole() -> T:
        async with opened_store(data) as store:
            return await ask(store)

    return run(whole())


def print_json(value: Any) -> None:
    """JSON on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on stdout; what is wider than the terminal is told row by row."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table_lines(columns, rows, width):
        sys.stdout.write(line + "\n")


def print_line(text: str) -> None:
    """A line on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
