"""Hashes of the tree, read out of published tiles: what proofs are made of."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from gateway.ledger.hashing import perfect_root
from gateway.ledger.tile_store import TileReader, read_tile
from gateway.ledger.tiles import TILE_HEIGHT, Tile, tile_holding

CACHED_TILES: Final = 64
"""Tiles that are kept, 8 KB each; a proof touches two for each level of tiles."""


def _tile_with(level: int, index: int, size: int) -> Tile:
    tile_level, height = divmod(level, TILE_HEIGHT)
    return tile_holding(tile_level, ((index + 1) << height) - 1, size)


class TileNodes:
    """The nodes of the tree of `size` leaves (a `NodeSource` of proofs).

    What tiles say is not checked here: whoever hands a proof out checks it against the signed root first.
    """

    def __init__(self, tiles: TileReader, size: int) -> None:
        self._tiles = tiles
        self._size = size
        self._kept: OrderedDict[Tile, list[bytes]] = OrderedDict()

    def node(self, level: int, index: int) -> bytes:
        """The root over 2^level leaves. Raises `TilesDisagree`, or `Malformed` where the tree is smaller."""
        height = level % TILE_HEIGHT
        tile = _tile_with(level, index, self._size)
        start = (index << height) - tile.index * (1 << TILE_HEIGHT)
        return perfect_root(self._hashes(tile)[start : start + (1 << height)])

    def _hashes(self, tile: Tile) -> list[bytes]:
        kept = self._kept.get(tile)
        if kept is None:
            kept = self._kept[tile] = read_tile(self._tiles, tile)
            if len(self._kept) > CACHED_TILES:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(tile)
        return kept
