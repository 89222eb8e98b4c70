"""`erp-gateway batches send|show`: many documents as one stream of lines, to the running gateway."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from gateway.cli.console import DataOption, Failure, JsonOption, print_json, print_line
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of

app = typer.Typer(no_args_is_help=True)
PATH: Final = "/v1/batches"
_PIECE: Final = 262_144


@app.command("send")
def send(
    file: Annotated[Path, typer.Argument(help="JSON lines {domain, document, idempotencyKey}; .gz is read too.")],
    key: Annotated[
        str | None,
        typer.Option("--key", help="The name under which it goes on after a cut; by default of its content."),
    ] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "billing",
    json: JsonOption = False,
) -> None:
    """Submit what a file holds, each line for itself. The same file again goes on where it was cut."""
    name = key or _content_of(file)
    found = gateway_of(data, url, token, client).send(PATH, _packed(file), name)
    _show(found, json=json)
    if found["refused"]:
        raise Failure(f"{found['refused']} lines were refused: erp-gateway batches show {found['batchId']}", 1)


@app.command("show")
def show(
    batch_id: Annotated[str, typer.Argument(metavar="BATCH", help="bat_…")],
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "billing",
    json: JsonOption = False,
) -> None:
    """How a batch stands. The client must be the one that sent it."""
    _show(gateway_of(data, url, token, client).get(f"{PATH}/{quote(batch_id, safe='')}"), json=json)


def _show(found: Mapping[str, Any], *, json: bool) -> None:
    if json:
        print_json(dict(found))
        return
    counts = ", ".join(f"{found[name]} {name}" for name in ("received", "accepted", "refused", "waiting"))
    print_line(f"{found['batchId']} {found['batchState']}: {counts}")
    for one in found["byStatus"]:
        print_line(f"  {one['count']} {one['status']}")
    for one in found["money"]:
        print_line(f"  {one['acceptedAmount']} {one['currencyCode']}, of it posted {one['postedAmount']}")


def _pieces(file: Path) -> Iterator[bytes]:
    """Unpacked. Raises Failure for a file that cannot be read."""
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            while piece := lines.read(_PIECE):
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        raise Failure(f"{file} cannot be read: {error}", 2) from error


def _content_of(file: Path) -> str:
    """A key that the same lines have again."""
    digest = hashlib.sha256()
    for piece in _pieces(file):
        digest.update(piece)
    return digest.hexdigest()


def _packed(file: Path) -> Iterator[bytes]:
    packing = zlib.compressobj(1, wbits=31)
    for piece in _pieces(file):
        if packed := packing.compress(piece):
            yield packed
    yield packing.flush()
