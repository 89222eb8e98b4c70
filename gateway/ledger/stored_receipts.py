"""Receipts for entries of the running log."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.domain.months import Month
from gateway.ledger.checkpoint import parse_checkpoint
from gateway.ledger.errors import EntryAltered, Malformed, NoteUnsigned, ProofInvalid, TilesDisagree
from gateway.ledger.log_files import LogFiles
from gateway.ledger.log_keys import SignedCheckpoint
from gateway.ledger.notes import parse_note
from gateway.ledger.proofs import NodeSource, inclusion_proof
from gateway.ledger.receipt import Receipt, receipt_for, receipt_of
from gateway.ledger.stored_nodes import StoredNodes, WantedHashes, peaks_of
from gateway.store.log_reads import EntriesMissing, LogReads, PlacedEntry
from gateway.store.receipt_reads import HashRun, ProvableEntry

AT_HAND: Final = 8
"""Entries that are proven at once: a third of a millisecond for the first, a tenth for each other. More are left to a
thread."""


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

    Everything is read out of the store each time, and no receipt is given that does not lead to the signed root.

    Raises:
        NoteUnsigned: nothing is signed yet.
        EntryAltered: one of them does not lead to the signed root.
        EntriesMissing, Malformed, ProofInvalid, TilesDisagree: the database is not as it was signed otherwise.
    """
    found = await log.provable(origin, trace, seq)
    if found.note is None:
        raise NoteUnsigned(f"{origin} has no signed checkpoint yet")
    note = parse_note(found.note)
    signed = SignedCheckpoint(parse_checkpoint(note.text), note, ())
    size = signed.checkpoint.size
    entries = [one for one in found.entries if one.log_index < size]
    peaks = peaks_of(found.frontier, signed.checkpoint)
    wanted = WantedHashes(size, peaks)
    for one in entries:
        inclusion_proof(wanted, one.log_index, size)
        wanted.node(0, one.log_index)  # its own hash too: where its bytes do not fit, it says which of the two is wrong
    gone = {one.month for one in await log.archived_months()} if any(one.body is None for one in entries) else set()
    nodes = StoredNodes(peaks, await wanted_hashes(log, wanted))
    if len(entries) <= AT_HAND:
        return _prove(nodes, entries, signed, gone)
    return await asyncio.to_thread(_prove, nodes, entries, signed, gone)


async def wanted_hashes(log: LogReads, wanted: WantedHashes) -> Sequence[HashRun]:
    """Those hashes, as far as they are stored."""
    runs: list[HashRun] = []
    above = {level: places for level, places in wanted.open.items() if level}
    if wanted.tiles or above:
        runs += await log.hash_runs(wanted.tiles, above)
    if 0 in wanted.open:
        first, end = wanted.open[0]
        leaves = enumerate(await log.leaf_hashes(first, end), first)
        runs += (HashRun(0, place, leaf) for place, leaf in leaves if leaf)
    return runs


def _prove(
    nodes: NodeSource, entries: Sequence[ProvableEntry], signed: SignedCheckpoint, gone: Collection[str]
) -> list[EntryReceipt]:
    found = []
    for one in entries:
        month = Month.of_trace(one.trace)
        if one.body is None and month is not None and str(month) in gone:
            leaf = nodes.node(0, one.log_index)
            found.append(EntryReceipt(one.trace, one.seq, None, receipt_of(nodes, one.log_index, leaf, signed), month))
            continue
        found.append(EntryReceipt(one.trace, one.seq, one.body, proven_receipt(nodes, one, signed)))
    return found


def proven_receipt(nodes: NodeSource, one: ProvableEntry | PlacedEntry, signed: SignedCheckpoint) -> Receipt:
    """The receipt of an entry by its bytes.

    Raises:
        EntriesMissing: it is not there.
        EntryAltered: it does not lead to the signed root; whether it alone, its stored hash tells.
        Malformed, TilesDisagree: the stored hashes are not those of a tree.
    """
    if one.body is None:
        raise EntriesMissing(f"entry {one.log_index} of the log is gone ({one.seq} of {one.trace})")
    try:
        return receipt_for(nodes, one.log_index, one.body, signed)
    except ProofInvalid as error:
        alone = _is_signed(nodes, one.log_index, signed)
        what = (
            "is not the one that was signed"
            if alone
            else "does not lead to the signed root: it, a hash beside it or the checkpoint is not what was signed"
        )
        raise EntryAltered(one.log_index, f" ({one.seq} of {one.trace})", what) from error


def _is_signed(nodes: NodeSource, log_index: int, signed: SignedCheckpoint) -> bool:
    """Whether the hash that is stored for the entry leads to the signed root."""
    try:
        receipt_of(nodes, log_index, nodes.node(0, log_index), signed)
    except (ProofInvalid, TilesDisagree, Malformed):
        return False
    return True
