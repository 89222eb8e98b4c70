"""Receipts for entries of the running log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.ledger.checkpoint import parse_checkpoint
from gateway.ledger.errors import NoteUnsigned
from gateway.ledger.log_files import LogFiles, WaitingTiles, size_of
from gateway.ledger.log_keys import SignedCheckpoint
from gateway.ledger.notes import parse_note
from gateway.ledger.receipt import Receipt, receipt_for
from gateway.ledger.tile_nodes import TileNodes
from gateway.ledger.tile_store import CHECKPOINT
from gateway.store.log_reads import EntriesMissing, LogReads, PlacedEntry


@dataclass(frozen=True, slots=True)
class EntryReceipt:
    """An entry's bytes, and the receipt that proves them."""

    trace: str
    seq: int
    entry: bytes
    receipt: Receipt


class ProvableLog(LogFiles):
    """The log's files, and receipts for its entries."""

    async def receipts(self, trace: str) -> Sequence[EntryReceipt]:
        """As `receipts_of`."""
        return await receipts_of(self._log, self._origin, trace)


async def receipts_of(log: LogReads, origin: str, trace: str, seq: int | None = None) -> Sequence[EntryReceipt]:
    """The receipts of a trace's entries that a signed checkpoint covers, in order; of one entry with `seq`.

    Raises:
        NoteUnsigned: nothing is signed yet.
        EntriesMissing, ProofInvalid, TilesDisagree: the database is not as it was signed.
    """
    files = LogFiles(log, origin)
    newest = await files.note(CHECKPOINT)
    if newest is None:
        raise NoteUnsigned(f"{origin} has no signed checkpoint yet")
    size = size_of(newest)
    entries = [one for one in await log.placed_of(trace) if one.log_index < size and (seq is None or one.seq == seq)]
    loop = asyncio.get_running_loop()
    return await asyncio.to_thread(_prove, TileNodes(WaitingTiles(files, newest, loop), size), entries, newest)


def _prove(nodes: TileNodes, entries: Sequence[PlacedEntry], newest: bytes) -> list[EntryReceipt]:
    note = parse_note(newest)
    signed = SignedCheckpoint(parse_checkpoint(note.text), note, ())
    found = []
    for one in entries:
        if one.body is None:
            raise EntriesMissing(f"entry {one.log_index} of the log is gone ({one.seq} of {one.trace})")
        found.append(EntryReceipt(one.trace, one.seq, one.body, receipt_for(nodes, one.log_index, one.body, signed)))
    return found
