"""Where published files are read and written: the port, and reading through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from gateway.ledger.bundles import entries_in
from gateway.ledger.errors import Malformed, TilesDisagree
from gateway.ledger.tile_edge import TileEdge
from gateway.ledger.tiles import TILE_HEIGHT, Tile, hashes_in, open_tile, parse_tile_path

CHECKPOINT: Final = "checkpoint"
"""The path of the newest signed checkpoint; the only published file that changes."""


MAX_ANNOUNCEMENTS: Final = 999
"""Keys that a log may have had, one after the other."""


def announcement_path(number: int) -> str:
    """Where the announcement of a log's `number`-th new key is published; the first has the number 1."""
    return f"keys/{number}"


class TileReader(Protocol):
    """Published files by their path below the log's prefix. What it gives is not trusted."""

    def read(self, path: str) -> bytes | None:
        """The whole file, None if there is none. MUST refuse with `Malformed` what no path's format allows in size. MAY
        raise `BundleArchived` for a bundle, where who serves it says so."""
        ...

    def partial_widths(self, tile: Tile) -> Sequence[int]:
        """The widths of the partial files of this tile that are there, smallest first."""
        ...


class TileStore(TileReader, Protocol):
    """Published files, to be written by one process at a time. A call that returns is durable."""

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files that never change.

        MUST be durable when it returns, MUST show each file whole or not at all, MUST leave a file with the same
        bytes alone, MUST raise `TilesDisagree` rather than replace other bytes. MAY have written some of the files
        when it raises.
        """
        ...

    def replace(self, path: str, data: bytes) -> None:
        """Write the checkpoint over the former one; readers see the one or the other, whole."""
        ...

    def remove_partials(self, tile: Tile) -> None:
        """Remove the partial files of a tile whose full file is there. MAY be lost in a crash."""
        ...


def read_published(tiles: TileReader, tile: Tile) -> tuple[str, bytes]:
    """The file that holds a tile or bundle: its path, and all its bytes.

    A partial one may have given way to the full one in the meantime (tlog-tiles, Partial Tiles), and who publishes
    later writes a wider one only; then that is read, which begins with what was asked for.

    Raises:
        TilesDisagree: none of them is there.
    """
    for path in dict.fromkeys((tile.path, tile.full_path)):
        data = tiles.read(path)
        if data is not None:
            return path, data
    for width in tiles.partial_widths(tile):
        wider = tile.at_width(width)
        if width > tile.width and (data := tiles.read(wider.path)) is not None:
            return wider.path, data
    raise TilesDisagree(f"{tile.path} is missing")


def read_tile(tiles: TileReader, tile: Tile) -> list[bytes]:
    """The hashes of a tile, exactly `width` of them.

    Raises:
        TilesDisagree: it is not there.
        Malformed: it holds another number of hashes than its path says.
    """
    path, data = read_published(tiles, tile)
    hashes = hashes_in(data)
    if len(hashes) != parse_tile_path(path).width:
        raise Malformed(f"{path} holds {len(hashes)} hashes")
    return hashes[: tile.width]


def read_bundle(tiles: TileReader, tile: Tile) -> list[bytes]:
    """The entries of a bundle, exactly `width` of them.

    Raises:
        TilesDisagree: it is not there.
        Malformed: it holds another number of entries than its path says, or ends within one.
    """
    path, data = read_published(tiles, tile)
    entries = entries_in(data)
    if len(entries) != parse_tile_path(path).width:
        raise Malformed(f"{path} holds {len(entries)} entries")
    return entries[: tile.width]


def read_edge(tiles: TileReader, size: int) -> TileEdge:
    """The open tiles of a tree of that size, as published. Raises `TilesDisagree`, `Malformed`."""
    levels = []
    for level in range(-(-size.bit_length() // TILE_HEIGHT)):
        tile = open_tile(level, size)
        levels.append(read_tile(tiles, tile) if tile else [])
    return TileEdge(size, levels)


def announcements(tiles: TileReader) -> Iterator[bytes]:
    """The published announcements of keys, the oldest first. Raises `Malformed`."""
    for number in range(1, MAX_ANNOUNCEMENTS + 1):
        data = tiles.read(announcement_path(number))
        if data is None:
            return
        yield data
