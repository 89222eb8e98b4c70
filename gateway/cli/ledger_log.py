"""`erp-gateway ledger key|publish|receipt`: the log's key, its files, proofs of single entries."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.cli.console import (
    DataOption,
    Failure,
    JsonOption,
    data_directory,
    print_json,
    print_line,
    settings_of,
    written,
)
from gateway.cli.record import reading
from gateway.ledger.copying import copy_log
from gateway.ledger.errors import KeyMisused, NoteUnsigned
from gateway.ledger.key_files import KeyPurpose
from gateway.ledger.lines import base64_text
from gateway.ledger.log_files import LogFiles, WaitingTiles
from gateway.ledger.log_keys import LogKeys, SignedCheckpoint
from gateway.ledger.note_keys import SigningKey
from gateway.ledger.stored_receipts import EntryReceipt, receipts_of
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.tile_store import CHECKPOINT
from gateway.store.store import Store
from gateway.wiring.ledger_files import key_files, log_origin

NOTHING_YET: Final = "nothing is signed yet: the gateway signs within a second of the first entry, while it runs"


def key(data: DataOption = None, json: JsonOption = False) -> None:
    """Print the verifier key of the ledger: what auditors and witnesses pin. Two while one key follows another.

    Hand it over by another way than the ledger's files.
    """
    found = [signer.key.text for signer in log_signers(data_directory(data))]
    if json:
        print_json({"verifierKeys": found})
        return
    for one in found:
        print_line(one)


def publish(
    directory: Annotated[Path, typer.Argument(help="Where checkpoint, tile/ and keys/ are written; made if missing.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Write the ledger as files that any web server can serve; again to bring them up to date.

    The gateway may run meanwhile. What was published never changes; a directory with another log is refused.
    """
    place = data_directory(data)
    origin = log_origin(settings_of(place))
    keys = LogKeys.pinned(*(signer.key for signer in log_signers(place)))

    async def copy(store: Store) -> SignedCheckpoint:
        files = LogFiles(store.log, origin)
        newest = await files.note(CHECKPOINT)
        if newest is None:
            raise NoteUnsigned(NOTHING_YET)
        source = WaitingTiles(files, newest, asyncio.get_running_loop())
        with written(directory):
            return await asyncio.to_thread(copy_log, source, DirectoryTiles(directory), keys)

    checkpoint = reading(place, copy).checkpoint
    if json:
        told = {"origin": origin, "size": checkpoint.size, "rootHash": base64_text(checkpoint.root)}
        print_json({**told, "directory": str(directory)})
    else:
        print_line(f"{origin}: {checkpoint.size} entries are published in {directory}")


def receipt(
    transaction: Annotated[str, typer.Argument(help="The id of a transaction, or of another trace.")],
    data: DataOption = None,
    seq: Annotated[int | None, typer.Option(min=1, help="Only this entry of the trace.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write <trace>-<seq>.entry and .tlog-proof into this directory.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Prove that a transaction's entries are in the ledger: c2sp.org/tlog-proof, to be checked offline.

    The entry's bytes, its receipt and the verifier key are all that is needed.
    """
    place = data_directory(data)
    origin = log_origin(settings_of(place))

    async def prove(store: Store) -> list[EntryReceipt]:
        return list(await receipts_of(store.log, origin, transaction, seq))

    found = reading(place, prove)
    if not found:
        which = transaction if seq is None else f"entry {seq} of {transaction}"
        raise Failure(f"the signed ledger has nothing of {which}; entries are signed within a second, while it runs")
    if out is not None:
        with written(out):
            out.mkdir(parents=True, exist_ok=True)
            for one in found:
                name = f"{one.trace}-{one.seq}"
                if one.entry is not None:
                    (out / f"{name}.entry").write_bytes(one.entry)
                (out / f"{name}.tlog-proof").write_bytes(bytes(one.receipt))
    if json:
        print_json(
            [
                {
                    "trace": one.trace,
                    "seq": one.seq,
                    "logIndex": one.receipt.index,
                    "entry": None if one.entry is None else base64_text(one.entry),
                    "receipt": bytes(one.receipt).decode(),
                }
                | _archived(one)
                for one in found
            ]
        )
    elif out is not None:
        print_line(f"{len(found)} entries and receipts are in {out}")
    else:
        for one in found:
            said = f"archived with {one.archived_month}" if one.entry is None else one.entry.decode()
            print_line(f"entry {one.seq} of {one.trace}: {said}")
            print_line(bytes(one.receipt).decode())


def _archived(one: EntryReceipt) -> dict[str, str]:
    return {} if one.archived_month is None else {"archivedMonth": str(one.archived_month)}


def log_signers(data: Path) -> tuple[SigningKey, ...]:
    """The keys that sign now. Raises `Failure`."""
    files = key_files(data, settings_of(data))
    if not files.path(KeyPurpose.LOG).exists():
        raise Failure(f"{files.path(KeyPurpose.LOG)} is not there: the gateway makes it at its first start")
    try:
        return files.log_signers()
    except KeyMisused as error:
        raise Failure(str(error), 2) from error
