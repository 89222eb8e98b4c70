"""`erp-gateway witness key|serve`: a witness of ledgers, for an auditor to run, away from those who run the gateway."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Annotated, Final

import typer
import uvloop

from gateway.api.witness import witness_app
from gateway.cli.console import Failure, print_line, written
from gateway.cli.running import run
from gateway.ledger.errors import KeyMisused, Malformed
from gateway.ledger.key_files import WitnessKeyFile
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.note_keys import SigningKey, VerifierKey
from gateway.ledger.witness import Witness
from gateway.ledger.witness_state import WitnessFiles
from gateway.server import serve as serve_http
from gateway.telemetry import configure_logs

app = typer.Typer(no_args_is_help=True)

DEFAULT_PORT: Final = 8090
DirectoryArgument = Annotated[
    Path, typer.Argument(help="The witness's key and memory. Never shared with the gateway, never restored from old.")
]
NameOption = Annotated[
    str, typer.Option("--name", help="The witness's name, such as witness.example/w1; part of its key.")
]


@app.callback()
def witness() -> None:
    """A witness of ledgers (C2SP tlog-witness)."""


@app.command("key")
def key(directory: DirectoryArgument, name: NameOption) -> None:
    """Print the witness's verifier key, which the gateway and other auditors are told; it is made at first use."""
    print_line(_signer(directory, name).key.text)


@app.command("serve")
def serve(
    directory: DirectoryArgument,
    name: NameOption,
    log: Annotated[
        list[str], typer.Option("--log", help="The verifier key of a ledger that is witnessed; again for more.")
    ],
    host: Annotated[str, typer.Option("--host", help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="The port.")] = DEFAULT_PORT,
) -> None:
    """Cosign checkpoints of ledgers that only grow, until SIGTERM or Ctrl-C.

    While a ledger's key is followed by another, give both with --log.
    """
    configure_logs(logging.INFO)
    try:
        found = Witness(
            _signer(directory, name), _logs(log), WitnessFiles(directory / "logs"), lambda: int(time.time())
        )
    except (KeyMisused, Malformed) as error:
        raise Failure(str(error), 2) from error
    print_line(f"{name} listens at http://{host}:{port}/add-checkpoint")
    run(serve_http(witness_app(found), host, port), uvloop.new_event_loop)


def _signer(directory: Path, name: str) -> SigningKey:
    try:
        with written(directory):
            return WitnessKeyFile(directory / "witness.key", name).made_or_read()
    except (KeyMisused, Malformed) as error:
        raise Failure(str(error), 2) from error


def _logs(texts: list[str]) -> list[LogKeys]:
    """Keys of one name are of one log."""
    by_origin: dict[str, list[VerifierKey]] = {}
    for one in map(VerifierKey.parse, texts):
        by_origin.setdefault(one.name, []).append(one)
    return [LogKeys.pinned(*keys) for keys in by_origin.values()]
