"""Hashes of a log that are proven by its checkpoint, out of the few tiles that lie beside some of its entries.

The open tiles of all levels give the signed root. A full tile is proven by its root, which stands in the tile above it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.errors import Malformed, TilesDisagree
from gateway.ledger.hashing import perfect_root
from gateway.ledger.months.wrong import ArchiveWrong
from gateway.ledger.tile_store import CHECKPOINT, TileReader, read_edge, read_published
from gateway.ledger.tiles import TILE_WIDTH, Tile, hashes_in, hashes_on, open_tile, tile_holding

CACHED_TILES: Final = 1_024
"""Proven tiles that are remembered: 8 MB of hashes."""


def tiles_above(leaves: Iterable[int], size: int) -> list[Tile]:
    """The tiles that lead from these leaf tiles (by number) to the root of a tree of that size, the open ones first."""
    found: dict[Tile, None] = {}
    level = 0
    while hashes_on(level, size):
        edge = open_tile(level, size)
        if edge is not None:
            found[edge] = None
        level += 1
    numbers = sorted(set(leaves))
    for at in range(level):
        for number in numbers:
            found[tile_holding(at, number * TILE_WIDTH, size)] = None
        # what is above an open tile is the edge, which is there
        full = [number for number in numbers if (number + 1) * TILE_WIDTH <= hashes_on(at, size)]
        numbers = sorted({number // TILE_WIDTH for number in full})
    return list(found)


class TrustedTiles:
    """Raises ArchiveWrong, with the path of the tile, for whatever does not lead to the checkpoint."""

    def __init__(self, tiles: TileReader, checkpoint: Checkpoint) -> None:
        self._tiles = tiles
        self._size = checkpoint.size
        self._proven: OrderedDict[Tile, list[bytes]] = OrderedDict()
        try:
            edge = read_edge(tiles, checkpoint.size)
        except (TilesDisagree, Malformed) as error:
            raise ArchiveWrong("tile", str(error)) from error
        if edge.frontier().root != checkpoint.root:
            raise ArchiveWrong("tile", f"the open tiles of a tree of {checkpoint.size} do not give the root signed "
                               f"in {CHECKPOINT}")  # fmt: skip
        self._edge = dict(edge.open_tiles())

    def leaf(self, index: int) -> bytes:
        """The hash of the entry at that place. Raises ArchiveWrong also where the tree is smaller."""
        if not 0 <= index < self._size:
            raise ArchiveWrong(CHECKPOINT, f"it covers {self._size} entries, and none at the place {index}")
        return self._hashes(tile_holding(0, index, self._size))[index % TILE_WIDTH]

    def _hashes(self, tile: Tile) -> list[bytes]:
        if tile in self._edge:
            return self._edge[tile]
        if tile in self._proven:
            self._proven.move_to_end(tile)
            return self._proven[tile]
        try:
            path, data = read_published(self._tiles, tile)
            hashes = hashes_in(data)
        except (TilesDisagree, Malformed) as error:
            raise ArchiveWrong(tile.path, str(error)) from error
        above = self._hashes(tile_holding(tile.level + 1, tile.index, self._size))
        if len(hashes) != TILE_WIDTH or perfect_root(hashes) != above[tile.index % TILE_WIDTH]:
            raise ArchiveWrong(path, "its hashes are not those that the checkpoint signs")
        self._proven[tile] = hashes
        if len(self._proven) > CACHED_TILES:
            self._proven.popitem(last=False)
        return hashes
