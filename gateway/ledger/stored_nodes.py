"""Hashes of the tree, read out of the store as far as a proof needs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.errors import Malformed, TilesDisagree
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import perfect_root
from gateway.ledger.lines import HASH_BYTES
from gateway.ledger.tiles import TILE_BYTES, TILE_HEIGHT, TILE_WIDTH, hashes_in, hashes_on
from gateway.store.receipt_reads import HashRun

Peaks = Mapping[tuple[int, int], bytes]
"""Nodes of the tree that are at hand, by level and number."""

NO_PEAKS: Final[Peaks] = {}


def peaks_of(frontier: bytes | None, checkpoint: Checkpoint) -> Peaks:
    """The peaks of the checkpoint's tree, where the frontier is of just that tree; none otherwise, for it may have
    grown since. Only what makes up the signed root is given."""
    try:
        stored = Frontier() if frontier is None else Frontier.from_bytes(frontier)
    except Malformed:
        return NO_PEAKS  # who leads reads it and halts; what is signed can be proven without it
    if (stored.size, stored.root) != (checkpoint.size, checkpoint.root):
        return NO_PEAKS
    spans = ((start, (end - start).bit_length() - 1, peak) for start, end, peak in stored.spans())
    return {(level, start >> level): peak for start, level, peak in spans}


class WantedHashes:
    """A `NodeSource` that notes which hashes a proof is made of, beside peaks that are at hand.

    Attributes:
        tiles: the full tiles that hold some, by level and number.
        open: by level, the places [first, end) of those in its open tile.
    """

    def __init__(self, size: int, peaks: Peaks) -> None:
        self._size = size
        self._peaks = peaks
        self.tiles: set[tuple[int, int]] = set()
        self.open: dict[int, tuple[int, int]] = {}

    def node(self, level: int, index: int) -> bytes:
        """Nothing but its length. Raises `Malformed` where the tree is smaller."""
        if (level, index) in self._peaks:
            return self._peaks[level, index]
        tile_level, first, end = _hashes_below(level, index)
        count = hashes_on(tile_level, self._size)
        if end > count:
            raise Malformed(f"a tree of {self._size} leaves has no hash {end - 1} on level {tile_level}")
        if first // TILE_WIDTH < count // TILE_WIDTH:
            self.tiles.add((tile_level, first // TILE_WIDTH))
        else:
            least, most = self.open.get(tile_level, (first, end))
            self.open[tile_level] = (min(least, first), max(most, end))
        return bytes(HASH_BYTES)


class StoredNodes:
    """Nodes of the tree out of runs of hashes (a `NodeSource` of proofs).

    What these say is not checked here: whoever hands a proof out checks it against the signed root first.
    """

    def __init__(self, peaks: Peaks, runs: Iterable[HashRun]) -> None:
        """Raises `Malformed` for a run that is neither a full tile nor one hash."""
        self._nodes = dict(peaks)
        self._tiles: dict[tuple[int, int], list[bytes]] = {}
        self._hashes: dict[tuple[int, int], bytes] = {}
        for run in runs:
            if len(run.hashes) == TILE_BYTES:
                self._tiles[run.level, run.first // TILE_WIDTH] = hashes_in(run.hashes)
            elif len(run.hashes) == HASH_BYTES:
                self._hashes[run.level, run.first] = run.hashes
            else:
                raise Malformed(f"{len(run.hashes)} bytes are no full tile and no hash (level {run.level})")

    def node(self, level: int, index: int) -> bytes:
        """The root over 2^level leaves. Raises `TilesDisagree` where something of it is not stored."""
        node = self._nodes.get((level, index))
        if node is None:
            node = self._nodes[level, index] = perfect_root(self._below(*_hashes_below(level, index)))
        return node

    def _below(self, level: int, first: int, end: int) -> list[bytes]:
        tile = self._tiles.get((level, first // TILE_WIDTH))
        if tile is not None:
            return tile[first % TILE_WIDTH : (end - 1) % TILE_WIDTH + 1]
        try:
            return [self._hashes[level, place] for place in range(first, end)]
        except KeyError as missing:
            raise TilesDisagree(f"of the tree's hashes on level {level}, {missing.args[0][1]} is missing") from missing


def _hashes_below(level: int, index: int) -> tuple[int, int, int]:
    """The level of tiles whose hashes a node is made of, and their places [first, end), which are in one tile."""
    tile_level, height = divmod(level, TILE_HEIGHT)
    return tile_level, index << height, (index + 1) << height
