"""What is to be published, compared with the tree that was signed before any of it is written.

An altered bundle that was once written would stay: what is published at a place never changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from gateway.ledger.bundles import entries_in
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.errors import EntryAltered, TilesDisagree
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.tile_store import TileReader, read_edge, read_tile
from gateway.ledger.tiles import ENTRIES, TILE_WIDTH, Tile, tile_holding, tiles_of

_LEAVES: Final = 0


class SignedFiles:
    """The tiles and bundles of a tree that one of `since` entries lacks.

    The hashes of the entries are led to the signed root first: they are a small part of the bytes, and of each tile
    nothing but a digest is remembered. Each bundle and tile is compared with that when it is read to be written.
    """

    def __init__(self, source: TileReader, checkpoint: Checkpoint, since: int) -> None:
        """Raises `TilesDisagree`, `Malformed`: the source's hashes do not give the signed root."""
        self._source = source
        self._size = checkpoint.size
        self._since = since
        self._digests = {} if since == checkpoint.size else self._leading_to(checkpoint)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Each path with its bytes, bundles first.

        Raises:
            EntryAltered: an entry is not the one that was signed: the first one.
            TilesDisagree: a file is missing, or is not what the signed tree has there.
            Malformed: a bundle ends within an entry.
        """
        for tile in tiles_of(self._size, self._since):
            data = self._read(tile)
            if tile.level == ENTRIES:
                self._check_bundle(tile, data)
            elif sha256(data).digest() != self._digests[tile]:
                raise TilesDisagree(f"{tile.path} is not what the signed tree has there")
            yield tile.path, data

    def _leading_to(self, checkpoint: Checkpoint) -> dict[Tile, bytes]:
        """The SHA-256 of each tile that will be written, by what its entries' hashes give."""
        last = tile_holding(ENTRIES, checkpoint.size - 1, checkpoint.size)
        self._read(last)  # of an entry that is archived the source says so; its hash may not be there either
        begun = self._since - self._since % TILE_WIDTH
        edge = read_edge(self._source, begun)
        digests = {}
        for first in range(begun, checkpoint.size, TILE_WIDTH):
            hashes = read_tile(self._source, tile_holding(_LEAVES, first, checkpoint.size))
            for tile, full in edge.extend(hashes):
                digests[tile] = sha256(b"".join(full)).digest()
        for tile, part in edge.open_tiles():
            digests[tile] = sha256(b"".join(part)).digest()
        if edge.frontier().root != checkpoint.root:
            raise TilesDisagree(
                f"the stored hashes do not give the root that was signed for {checkpoint.size} entries: "
                "`erp-gateway ledger verify` tells which"
            )
        return digests

    def _check_bundle(self, bundle: Tile, data: bytes) -> None:
        entries = entries_in(data)
        if len(entries) != bundle.width:
            raise TilesDisagree(f"{bundle.path} holds {len(entries)} entries, {bundle.width} were signed")
        leaves = [leaf_hash(entry) for entry in entries]
        tile = Tile(_LEAVES, bundle.index, bundle.width)
        if sha256(b"".join(leaves)).digest() == self._digests[tile]:
            return
        told = read_tile(self._source, tile)
        for number, (leaf, signed) in enumerate(zip(leaves, told, strict=True)):
            if leaf != signed:
                index = bundle.index * TILE_WIDTH + number
                raise EntryAltered(index, f" ({bundle.path})", "is not the one that was signed")
        raise TilesDisagree(f"{tile.path} is not what the signed tree has there")

    def _read(self, tile: Tile) -> bytes:
        data = self._source.read(tile.path)
        if data is None:
            raise TilesDisagree(f"{tile.path} is missing")
        return data
