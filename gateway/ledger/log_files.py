"""The log's published files, made of the store when somebody asks for them (C2SP tlog-tiles)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Sequence
from typing import Any, Final, TypeVar

from gateway.ledger.bundles import bundle_of
from gateway.ledger.checkpoint import parse_checkpoint
from gateway.ledger.notes import parse_note
from gateway.ledger.tile_store import CHECKPOINT
from gateway.ledger.tiles import ENTRIES, TILE_WIDTH, Tile, hashes_on, parse_tile_path
from gateway.store.log_reads import LogReads

T = TypeVar("T")

AHEAD: Final = 8
"""Bundles that a thread which reads one after the other gets at once: about a megabyte."""
READ_S: Final = 60.0
"""Longest wait of a thread for one file."""
_KEY_NOTE: Final = re.compile(r"keys/([1-9][0-9]{0,2})", re.ASCII)


class LogFiles:
    """What is published of one log. Nothing above the newest signed checkpoint is ever given out."""

    def __init__(self, log: LogReads, origin: str) -> None:
        self._log = log
        self._origin = origin

    async def read(self, path: str) -> bytes | None:
        """The file at that path below the log's prefix, None if there is none.

        Raises:
            Malformed: no file of a log has such a path.
        """
        if path == CHECKPOINT or _KEY_NOTE.fullmatch(path):
            return await self.note(path)
        tile = parse_tile_path(path)
        newest = await self.note(CHECKPOINT)
        return None if newest is None else await self.tile(tile, size_of(newest))

    async def note(self, path: str) -> bytes | None:
        """The newest checkpoint, or the announcement of a key."""
        key = _KEY_NOTE.fullmatch(path)
        if key is None:
            return await self._log.newest_checkpoint(self._origin)
        announced = await self._log.announcements(self._origin)
        return announced[int(key[1]) - 1] if int(key[1]) <= len(announced) else None

    async def tile(self, tile: Tile, size: int) -> bytes | None:
        """A tile or bundle of the tree of `size` entries, None where that tree has not so much of it.

        A partial one is also given when the full one is there: it is how the full one begins.

        Raises:
            EntriesMissing: an entry of the bundle is gone from the database.
        """
        if tile.index * TILE_WIDTH + tile.width > hashes_on(tile.level, size):
            return None
        first = tile.index * TILE_WIDTH
        if tile.level == ENTRIES:
            return bundle_of([body async for part in self._log.bodies(first, first + tile.width) for body in part])
        # An open tile is in no row: it is not looked for there first.
        full = await self._log.tile_hashes(tile.level, tile.index) if tile.width == TILE_WIDTH else None
        if full is not None:
            return full
        if tile.level == 0:
            return b"".join(await self._log.leaf_hashes(first, first + tile.width))
        return b"".join(await self._log.tile_roots(tile.level - 1, first, first + tile.width))

    async def bundles(self, index: int, count: int, size: int) -> dict[str, bytes]:
        """Up to `count` full bundles from the `index`-th on, by their paths. Raises `EntriesMissing`."""
        until = min(index + count, hashes_on(ENTRIES, size) // TILE_WIDTH)
        bodies = [body async for part in self._log.bodies(index * TILE_WIDTH, until * TILE_WIDTH) for body in part]
        return {
            Tile(ENTRIES, index + number).path: bundle_of(bodies[number * TILE_WIDTH : (number + 1) * TILE_WIDTH])
            for number in range(until - index)
        }


class WaitingTiles:
    """A `TileReader` for a thread, of the tree as it is under one checkpoint: it waits for the loop's answers."""

    def __init__(self, files: LogFiles, checkpoint: bytes, loop: asyncio.AbstractEventLoop) -> None:
        self._files = files
        self._checkpoint = checkpoint
        self._size = size_of(checkpoint)
        self._loop = loop
        self._ahead: dict[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        """See `TileReader`."""
        if path == CHECKPOINT:
            return self._checkpoint
        if path in self._ahead:
            return self._ahead.pop(path)
        if path.startswith("keys/"):
            return self._wait(self._files.note(path))
        tile = parse_tile_path(path)
        if tile.level == ENTRIES and tile.width == TILE_WIDTH:
            self._ahead = self._wait(self._files.bundles(tile.index, AHEAD, self._size))
            return self._ahead.pop(path, None)
        return self._wait(self._files.tile(tile, self._size))

    def _wait(self, asked: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(READ_S)

    def partial_widths(self, tile: Tile) -> Sequence[int]:
        """None: they are made when they are asked for."""
        return ()


def size_of(note: bytes) -> int:
    """The tree size that a checkpoint's note says; nothing is verified. Raises `Malformed`."""
    return parse_checkpoint(parse_note(note).text).size
