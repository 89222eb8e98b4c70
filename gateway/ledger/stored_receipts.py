"""Receipts for entries of the running log."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gateway.domain.months import Month
from gateway.ledger.checkpoint import parse_checkpoint
from gateway.ledger.errors import NoteUnsigned
from gateway.ledger.log_files import LogFiles, WaitingTiles, size_of
from gateway.ledger.log_keys import SignedCheckpoint
from gateway.ledger.notes import parse_note
from gateway.ledger.receipt import Receipt, receipt_for, receipt_of
from gateway.ledger.tile_nodes import TileNodes, tiles_proving
from gateway.ledger.tile_store import CHECKPOINT
from gateway.store.log_reads import EntriesMissing, LogReads, PlacedEntry


@dataclass(frozen=True, slots=True)
class EntryReceipt:
    """An entry's bytes, and the receipt that proves them; without the bytes where they are in the archive of
    `archived_month`: the receipt then proves those that are found there."""

    trace: str
    seq: int
    entry: bytes | None
    receipt: Receipt
    archived_month: Month | None = None


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
    tiles = WaitingTiles(files, newest, asyncio.get_running_loop())
    await tiles.fetch({tile for one in entries for tile in tiles_proving(one.log_index, size)})
    gone = {one.month for one in await log.archived_months()} if any(one.body is None for one in entries) else set()
    return await asyncio.to_thread(_prove, TileNodes(tiles, size), entries, newest, gone)


def _prove(
    nodes: TileNodes, entries: Sequence[PlacedEntry], newest: bytes, gone: Collection[str]
) -> list[EntryReceipt]:
    note = parse_note(newest)
    signed = SignedCheckpoint(parse_checkpoint(note.text), note, ())
    found = []
    for one in entries:
        month = Month.of_trace(one.trace)
        if one.body is None and month is not None and str(month) in gone:
            leaf = nodes.node(0, one.log_index)
            found.append(EntryReceipt(one.trace, one.seq, None, receipt_of(nodes, one.log_index, leaf, signed), month))
            continue
        if one.body is None:
            raise EntriesMissing(f"entry {one.log_index} of the log is gone ({one.seq} of {one.trace})")
        found.append(EntryReceipt(one.trace, one.seq, one.body, receipt_for(nodes, one.log_index, one.body, signed)))
    return found
