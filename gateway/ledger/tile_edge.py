"""The right edge of a tiled tree: the tiles that are still open, and what appending finishes of them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ledger.errors import TilesDisagree
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import perfect_root
from gateway.ledger.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, hashes_on


class TileEdge:
    """The hashes of the open tile on each level, lowest first: at most 255 a level, whatever the tree's size."""

    def __init__(self, size: int = 0, levels: Sequence[Sequence[bytes]] = ()) -> None:
        """`levels`: what the open tiles of a tree of that size hold. Raises `TilesDisagree` if the counts cannot be."""
        self.size = size
        self._levels = [list(level) for level in levels]
        for level in range(max(len(self._levels), self._height())):
            held = len(self._levels[level]) if level < len(self._levels) else 0
            wanted = hashes_on(level, size) % TILE_WIDTH
            if held != wanted:
                raise TilesDisagree(f"the open tile on level {level} holds {held} hashes, {wanted} belong there")

    def copy(self) -> TileEdge:
        """Another one at the same place, to append to."""
        return TileEdge(self.size, self._levels)

    def extend(self, leaves: Sequence[bytes]) -> list[tuple[Tile, list[bytes]]]:
        """Append leaf hashes; the tiles that they made full, on all levels, lowest first."""
        finished: list[tuple[Tile, list[bytes]]] = []
        level, joining = 0, list(leaves)
        while joining:
            if level == len(self._levels):
                self._levels.append([])
            hashes = self._levels[level] + joining
            first = hashes_on(level, self.size) // TILE_WIDTH
            full = len(hashes) // TILE_WIDTH
            joining = []
            for number in range(full):
                tile = hashes[number * TILE_WIDTH : (number + 1) * TILE_WIDTH]
                finished.append((Tile(level, first + number), tile))
                joining.append(perfect_root(tile))
            self._levels[level] = hashes[full * TILE_WIDTH :]
            level += 1
        self.size += len(leaves)
        return finished

    def open_tiles(self) -> list[tuple[Tile, list[bytes]]]:
        """The partial tiles, lowest level first. Empty tiles do not exist."""
        return [
            (Tile(level, hashes_on(level, self.size) // TILE_WIDTH, len(hashes)), list(hashes))
            for level, hashes in enumerate(self._levels)
            if hashes
        ]

    def frontier(self) -> Frontier:
        """The frontier. The eight bits of the size that belong to a level say which peaks its open tile holds."""
        peaks = []
        for hashes in reversed(self._levels):
            start = 0
            while start < len(hashes):
                width = 1 << ((len(hashes) - start).bit_length() - 1)
                peaks.append(perfect_root(hashes[start : start + width]))
                start += width
        return Frontier(self.size, tuple(peaks))

    def _height(self) -> int:
        return -(-self.size.bit_length() // TILE_HEIGHT)
