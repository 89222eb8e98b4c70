"""Tiles: where the hashes and entries of a log lie as files (C2SP tlog-tiles).

A tile is 256 hashes side by side on one level of the tree. Level 0 holds leaf hashes; each hash on level L + 1 is the
root over a full tile on level L. Entry bundles are numbered as level-0 tiles are; here they count as level -1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.ledger.errors import Malformed
from gateway.ledger.lines import HASH_BYTES, MAX_SIZE

TILE_WIDTH: Final = 256
TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES
TILE_HEIGHT: Final = 8
"""Levels of the tree from a tile's hashes up to its root: 2^8 = 256."""
ENTRIES: Final = -1
"""The level of entry bundles."""
MAX_LEVEL: Final = 63

_PATH: Final = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6})([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """A tile, or an entry bundle: its level, its number on that level, and how many hashes or entries it holds.

    Raises:
        Malformed: there is no such tile.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not (ENTRIES <= self.level <= MAX_LEVEL and 0 <= self.index <= MAX_SIZE and 1 <= self.width <= TILE_WIDTH):
            raise Malformed(f"there is no tile {self.index} of width {self.width} on level {self.level}")

    @property
    def path(self) -> str:
        """Below the log's prefix, such as `tile/0/x001/x234/067` or `tile/entries/000.p/17`."""
        if self.width == TILE_WIDTH:
            return self.full_path
        return f"{self.full_path}.p/{self.width}"

    @property
    def full_path(self) -> str:
        """The path that it has, or will have, when it is full."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        digits = f"{self.index:03d}"
        digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        return f"tile/{level}/" + "".join(f"x{group}/" for group in groups[:-1]) + groups[-1]

    def at_width(self, width: int) -> Tile:
        """The same tile, narrower or wider."""
        return Tile(self.level, self.index, width)


def parse_tile_path(path: str) -> Tile:
    """The tile of a path below the prefix. Raises `Malformed` for anything but its one valid form."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise Malformed(f"{path[:80]!r} is no tile path")
    level, groups, last, width = found.groups()
    tile = Tile(
        ENTRIES if level == "entries" else int(level),
        int(groups.replace("x", "").replace("/", "") + last),
        TILE_WIDTH if width is None else int(width),
    )
    if tile.path != path:
        raise Malformed(f"{path[:80]!r} is no tile path: leading zeros, or the width of a full tile")
    return tile


def hashes_on(level: int, size: int) -> int:
    """How many hashes (on level -1: entries) a tree of that size has in the tiles of that level."""
    return size >> (TILE_HEIGHT * max(level, 0))


def open_tile(level: int, size: int) -> Tile | None:
    """The partial tile on that level: `floor(size / 256^level) mod 256` wide. None where that is 0."""
    count = hashes_on(level, size)
    width = count % TILE_WIDTH
    return Tile(level, count // TILE_WIDTH, width) if width else None


def tile_holding(level: int, index: int, size: int) -> Tile:
    """The tile with the `index`-th hash of that level (level -1: entry), as wide as it is at that size.

    Raises:
        Malformed: a tree of that size has no such hash.
    """
    count = hashes_on(level, size)
    if not 0 <= index < count:
        raise Malformed(f"a tree of {size} leaves has no hash {index} on level {level}")
    number = index // TILE_WIDTH
    return Tile(level, number, min(TILE_WIDTH, count - number * TILE_WIDTH))


def tiles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """All tiles and bundles that a reader of a tree of that size may ask for and one of size `since` may not."""
    for level in range(ENTRIES, MAX_LEVEL + 1):
        count, before = hashes_on(level, size), hashes_on(level, since)
        if count == 0:
            return
        for index in range(before // TILE_WIDTH, count // TILE_WIDTH):
            yield Tile(level, index)
        partial = open_tile(level, size)
        if partial is not None and count != before:
            yield partial


def hashes_in(data: bytes) -> list[bytes]:
    """The hashes of a tile's bytes. Raises `Malformed` unless there are 1 to 256."""
    if not data or len(data) > TILE_BYTES or len(data) % HASH_BYTES:
        raise Malformed(f"{len(data)} bytes are no tile of 1 to {TILE_WIDTH} hashes")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
