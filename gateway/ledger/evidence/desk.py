"""Makes packs: gathers, proves, signs, and records in the ledger that it did, before anything is given out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import structlog

from gateway.errors import Problem
from gateway.ledger.access_log import AccessLog, Asker, Question
from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint
from gateway.ledger.errors import Malformed
from gateway.ledger.evidence.archive import MOST_BYTES, MOST_FILES, archive_of
from gateway.ledger.evidence.contents import PAGE, Consistency, Evidence, contents_of
from gateway.ledger.evidence.gathering import Gathered, Gatherer
from gateway.ledger.evidence.manifest import MANIFEST, manifest_of
from gateway.ledger.evidence.openings import MISSING, openings
from gateway.ledger.evidence.page import page_of
from gateway.ledger.evidence.subjects import For, Subject
from gateway.ledger.log_files import LogFiles, WaitingTiles
from gateway.ledger.log_keys import SignedCheckpoint
from gateway.ledger.note_keys import Signer
from gateway.ledger.notes import parse_note
from gateway.ledger.proofs import consistency_proof
from gateway.ledger.receipt import Receipt
from gateway.ledger.stored_receipts import proven_receipt
from gateway.ledger.tile_nodes import TileNodes
from gateway.ledger.tile_store import CHECKPOINT
from gateway.store.log_reads import PlacedEntry
from gateway.store.store import Store

AT_ONCE: Final = 2
"""Packs that one process makes at the same time; each is held in memory, up to MOST_BYTES."""
RESOURCE: Final = "/v1/ledger/evidence"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pack:
    """`archive`: the zip file. `rows`: the entries that the question found."""

    pack_id: str
    archive: bytes
    rows: int

    @property
    def file_name(self) -> str:
        """As it is saved."""
        return f"{self.pack_id}.zip"


class EvidenceDesk:
    """Makes packs of one log. `signer`: the key `<origin>/evidence`, read when it is needed."""

    def __init__(self, store: Store, accesses: AccessLog, origin: str, signer: Callable[[], Signer]) -> None:
        self._store = store
        self._accesses = accesses
        self._origin = origin
        self._signer = signer
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def make(self, subject: Subject, whose: For, who: Asker) -> Pack:
        """A pack, once the ledger holds that it was made.

        Raises:
            Problem: `not-found`, `out-of-scope`, `invalid-request` (too large), `not-ready` (not signed yet).
            KeyMisused: the evidence key cannot be used.
            EntryAltered: names the entry that is not as it was signed; no pack is made of it.
            EntriesMissing, ProofInvalid, TilesDisagree: the record is not as it was signed otherwise.
            StoreUnavailable: it could not be recorded, so it is not given out.
        """
        async with self._turns:
            pack_id, signer = self._accesses.new_pack_id(), self._signer()
            evidence = await self._evidence(pack_id, subject, whose, who)
            archive = await asyncio.to_thread(signed_pack, evidence, signer)
            question = Question(resource=RESOURCE, filter=subject.words(), log_size=evidence.checkpoint.size)
            record = await self._accesses.export_begins(pack_id, who, question)
            rows = len(evidence.found)
            await self._accesses.export_ends(record, rows, sha256(archive).hexdigest(), broken=False)
            return Pack(pack_id, archive, rows)

    async def _evidence(self, pack_id: str, subject: Subject, whose: For, who: Asker) -> Evidence:
        files = LogFiles(self._store.log, self._origin)
        newest = await files.note(CHECKPOINT)
        if newest is None:
            raise Problem("not-ready", f"{self._origin} has no signed checkpoint yet.", retry_after_s=2)
        note = parse_note(newest)
        checkpoint = parse_checkpoint(note.text)
        nodes = TileNodes(WaitingTiles(files, newest, asyncio.get_running_loop()), checkpoint.size)
        proven = _Proven(nodes, SignedCheckpoint(checkpoint, note, ()))
        store = self._store
        gatherer = Gatherer(store.reads, store.ledger, store.log, self._origin, proven.take)
        gathered = await gatherer.gather(subject, whose, checkpoint.size)
        beside = _without(gathered.beside, gathered.found)
        every = [*gathered.found, *beside]
        sizes = _sizes(gathered, whose, checkpoint)
        consistency = await asyncio.to_thread(_consistency, nodes, checkpoint, sizes)
        opened = openings(
            sorted(every, key=lambda one: one.log_index), gathered.candidates, may_read=whose.reads_payloads
        )
        for one in opened:
            if one.state == MISSING:
                _log.error("payload_missing", trace=one.entry.trace, log_index=one.entry.log_index, member=one.member)
        return Evidence(
            pack_id=pack_id,
            made_at=self._accesses.now(),
            made_for=who.client,
            sees_all=whose.sees_all,
            asked=subject.words(),
            checkpoint=checkpoint,
            note=newest,
            announcements=await self._store.log.announcements(self._origin),
            found=gathered.found,
            beside=beside,
            receipts=proven.receipts,
            openings=opened,
            rules=gathered.rules,
            consistency=consistency,
            sample=None if gathered.sample is None else gathered.sample.words,
            closing=None if gathered.sample is None else gathered.sample.closing,
            left_out=gathered.left_out,
        )


def signed_pack(evidence: Evidence, signer: Signer) -> bytes:
    """The zip file. Raises Problem `invalid-request` where it would be too large."""
    files: dict[str, bytes] = contents_of(evidence)
    files[PAGE] = page_of(evidence, signer.key)
    if len(files) >= MOST_FILES or sum(map(len, files.values())) > MOST_BYTES * 9 // 10:
        raise _too_large(f"{len(files)} files")
    try:
        files[MANIFEST] = manifest_of(files, signer)
    except Malformed as error:
        raise _too_large(str(error)) from error
    archive = archive_of(files)
    if len(archive) > MOST_BYTES:
        raise _too_large(f"{len(archive)} bytes")
    return archive


class _Proven:
    """Receipts of entries, by their places. What does not lead to the signed root is told before anything reads it."""

    def __init__(self, nodes: TileNodes, signed: SignedCheckpoint) -> None:
        self._nodes = nodes
        self._signed = signed
        self.receipts: dict[int, Receipt] = {}

    async def take(self, entries: Sequence[PlacedEntry]) -> None:
        """Prove these too. Raises EntryAltered, EntriesMissing, Malformed, TilesDisagree."""
        await asyncio.to_thread(self._prove, entries)

    def _prove(self, entries: Sequence[PlacedEntry]) -> None:
        for one in entries:
            if one.log_index not in self.receipts:
                self.receipts[one.log_index] = proven_receipt(self._nodes, one, self._signed)


def _consistency(nodes: TileNodes, checkpoint: Checkpoint, sizes: Sequence[int]) -> list[Consistency]:
    return [Consistency(size, consistency_proof(nodes, size, checkpoint.size)) for size in sizes]


def _sizes(gathered: Gathered, whose: For, checkpoint: Checkpoint) -> list[int]:
    """Of the trees that the pack's checkpoint is shown to continue."""
    sizes = {gathered.sample.size} if gathered.sample is not None else set()
    if whose.held_size is not None:
        if not 1 <= whose.held_size <= checkpoint.size:
            raise Problem(
                "invalid-request",
                f"heldSize is {whose.held_size}, and the newest checkpoint covers {checkpoint.size} entries: if you "
                "verified a larger log, this one was put back to an older state.",
            )
        sizes.add(whose.held_size)
    return sorted(sizes)


def _without(entries: Sequence[PlacedEntry], others: Sequence[PlacedEntry]) -> list[PlacedEntry]:
    there = {one.log_index for one in others}
    return [one for one in entries if one.log_index not in there]


def _too_large(what: str) -> Problem:
    return Problem(
        "invalid-request", f"The pack would be too large: {what}.", remedy="Ask for less, such as a smaller sample."
    )
