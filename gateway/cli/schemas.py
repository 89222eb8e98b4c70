"""`erp-gateway schemas export DIR`: the API and its events as files."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import typer
from litestar.serialization import encode_json

from adapters.canonical import DOMAINS
from gateway.api.contract.files import contract_files, write_files
from gateway.api.openapi import describe
from gateway.api.parts import AppParts
from gateway.app import routes
from gateway.cli.console import Failure, JsonOption, print_json, print_line
from gateway.telemetry import Metrics
from routing_rules import Rulebook

app = typer.Typer(no_args_is_help=True)


class _Nothing:
    """Stands for a part that a description never asks."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(f"a description uses no part, and this one asked for {name}")


def served_document() -> dict[str, Any]:
    """The API description with the limits of the default settings, as /openapi.json answers it."""
    nothing = cast("Any", _Nothing())

    def no_rulebook() -> Rulebook:
        raise RuntimeError("a description uses no rulebook")

    parts = AppParts(
        submissions=nothing,
        reads=nothing,
        authenticator=nothing,
        rulebook=no_rulebook,
        clock=nothing,
        metrics=Metrics(),
        capabilities=nothing,
    )
    # Through the encoder of the server, which turns what is no JSON yet (enumerations) into what callers see.
    found: dict[str, Any] = json_text.loads(encode_json(describe(routes(parts), parts.limits)))
    return found


def served_files() -> dict[str, str]:
    """Every file of the contract, by its path below the directory of the export."""
    return contract_files(served_document(), tuple(DOMAINS))


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(help="Where openapi/ and events/ are written; files are replaced.")],
    json: JsonOption = False,
) -> None:
    """Write the OpenAPI documents (3.1, and flat 3.0 for Salesforce), a page to read, AsyncAPI and event schemas."""
    try:
        written = write_files(directory, served_files())
    except OSError as error:
        raise Failure(f"{directory} cannot be written: {error.strerror}", 2) from error
    if json:
        print_json({"files": [str(path) for path in written]})
        return
    for path in written:
        print_line(str(path))
