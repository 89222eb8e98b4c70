"""What all commands share: where the data are, how a result is printed, how a failure ends.

Every command imports this, so it imports little; what runs inside of an event loop is in `running` and `record`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.tables import table_lines
from gateway.settings import Settings, SettingsError, default_data, load_settings

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


@contextmanager
def written(place: Path) -> Iterator[None]:
    """What is written to a place that the command was given. Raises Failure, with the very path that was in the way."""
    try:
        yield
    except OSError as error:
        at = str(error.filename or place)
        of = "" if at == str(place) else f" ({at})"
        taken = isinstance(error, FileExistsError | NotADirectoryError)
        why = "there is a file where a directory must be" if taken else error.strerror or str(error)
        raise Failure(f"{place} cannot be written: {why}{of}", 2) from error


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
