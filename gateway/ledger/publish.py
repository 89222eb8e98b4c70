"""Publishing: entries that have their place in the tree become tiles, bundles and a signed checkpoint.

The order is what makes it safe. The entries' places are committed before; then the files that never change are
written and durable; then the checkpoint that covers them replaces the former one; only then do partial files go that
full ones have replaced. After a crash in between, publishing the same entries again writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from gateway.ledger.bundles import bundle_of
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.errors import TilesDisagree
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.log_keys import LogKeys, SignedCheckpoint, sign_checkpoint
from gateway.ledger.note_keys import Signer
from gateway.ledger.tile_edge import TileEdge
from gateway.ledger.tile_store import CHECKPOINT, TileStore, read_bundle, read_edge
from gateway.ledger.tiles import ENTRIES, TILE_WIDTH, Tile, hashes_on, open_tile, tiles_of


class Publisher:
    """Publishes one log. Only one process may do so at a time; which one is the sequencer's business."""

    def __init__(self, tiles: TileStore, origin: str, edge: TileEdge, open_entries: Sequence[bytes]) -> None:
        """From a known state; `open_published` reads it."""
        self._tiles = tiles
        self._origin = origin
        self._edge = edge
        self._open_entries = list(open_entries)

    @classmethod
    def open_published(cls, tiles: TileStore, log: LogKeys) -> Self:
        """Carry on from what is published; nothing published is an empty log.

        The checkpoint's signature, the open tiles, and the entries of the open bundle are checked against each other.

        Raises:
            Malformed, NoteUnsigned, SignatureInvalid: the published checkpoint is not the log's.
            TilesDisagree: the published tiles do not give the root that was signed.
        """
        data = tiles.read(CHECKPOINT)
        if data is None:
            return cls(tiles, log.origin, TileEdge(), ())
        checkpoint = log.open_checkpoint(data).checkpoint
        edge = read_edge(tiles, checkpoint.size)
        if edge.frontier().root != checkpoint.root:
            raise TilesDisagree(f"the open tiles do not give the root that was signed for {checkpoint.size} entries")
        bundle = open_tile(ENTRIES, checkpoint.size)
        entries = read_bundle(tiles, bundle) if bundle else []
        if bundle and list(map(leaf_hash, entries)) != edge.open_tiles()[0][1]:
            raise TilesDisagree(f"the entries in {bundle.path} do not have the hashes that were signed")
        return cls(tiles, log.origin, edge, entries)

    @property
    def size(self) -> int:
        """Entries whose files are written, though the checkpoint may not cover all of them yet."""
        return self._edge.size

    @property
    def frontier(self) -> Frontier:
        """The tree of these entries."""
        return self._edge.frontier()

    def publish(self, entries: Sequence[bytes], signers: Sequence[Signer]) -> SignedCheckpoint:
        """Append entries, the one at index `size` first, and sign the new checkpoint; with no entries, sign it anew.

        Every entry's place must be committed. If this raises, nothing is known of what was written: open again.

        Raises:
            Malformed: an entry is longer than a bundle can tell.
            TilesDisagree: other bytes are published where these belong.
        """
        before = self._edge.size
        self._tiles.write(self._files_of(entries))
        checkpoint = Checkpoint.of(self._origin, self._edge.frontier())
        note = sign_checkpoint(checkpoint, signers)
        self._tiles.replace(CHECKPOINT, bytes(note))
        for tile in tiles_of(self._edge.size, since=before):
            if tile.width == TILE_WIDTH:
                self._tiles.remove_partials(tile)
        return SignedCheckpoint(checkpoint, note, tuple(signer.key for signer in signers))

    def _files_of(self, entries: Sequence[bytes]) -> dict[str, bytes]:
        """Append to the edge in memory; the files that are new by it."""
        if not entries:
            return {}
        first = hashes_on(ENTRIES, self._edge.size) // TILE_WIDTH
        held = [*self._open_entries, *entries]
        bundles = [held[at : at + TILE_WIDTH] for at in range(0, len(held), TILE_WIDTH)]
        files = {
            Tile(ENTRIES, first + number, len(bundle)).path: bundle_of(bundle) for number, bundle in enumerate(bundles)
        }
        full = self._edge.extend([leaf_hash(entry) for entry in entries])
        for tile, hashes in [*full, *self._edge.open_tiles()]:
            files[tile.path] = b"".join(hashes)
        self._open_entries = bundles[-1] if len(bundles[-1]) < TILE_WIDTH else []
        return files
