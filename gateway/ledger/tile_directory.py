"""Published files in a directory, which any web server can serve as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from gateway.ledger.bundles import MAX_BUNDLE_BYTES
from gateway.ledger.durable_files import read_limited, sync_folder, write_all_durably, write_durably
from gateway.ledger.errors import Malformed, TilesDisagree
from gateway.ledger.notes import MAX_NOTE_BYTES
from gateway.ledger.tile_store import CHECKPOINT
from gateway.ledger.tiles import ENTRIES, TILE_BYTES, TILE_WIDTH, Tile, parse_tile_path

_KEY_NOTE: Final = re.compile(r"keys/[1-9][0-9]{0,2}", re.ASCII)
_WIDTH: Final = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)


class DirectoryTiles:
    """A `TileStore` on a directory: `checkpoint`, `keys/…` and `tile/…` below it.

    A path that no published file can have raises `Malformed`: `..` and the like never reach the file system.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, path: str) -> bytes | None:
        """See `TileReader`. A symbolic link is refused."""
        return read_limited(self._directory / path, _limit(path))

    def partial_widths(self, tile: Tile) -> Sequence[int]:
        """See `TileReader`."""
        try:
            names = [one.name for one in (self._directory / f"{tile.full_path}.p").iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        return sorted(int(name) for name in names if _WIDTH.fullmatch(name) and int(name) < TILE_WIDTH)

    def write(self, files: Mapping[str, bytes]) -> None:
        """See `TileStore`."""
        fresh, repeated = {}, set()
        for path, data in files.items():
            there = self.read(path)
            if there is None:
                fresh[self._directory / path] = data
            elif there == data:
                repeated.add((self._directory / path).parent)
            else:
                raise TilesDisagree(f"{path} is published with other bytes")
        write_all_durably(fresh)
        for folder in repeated:  # whoever wrote it may have failed before the name was synced
            sync_folder(folder)

    def replace(self, path: str, data: bytes) -> None:
        """See `TileStore`."""
        if path != CHECKPOINT:
            raise Malformed(f"{path} is published once and never changes")
        write_durably(self._directory / path, data)

    def remove_partials(self, tile: Tile) -> None:
        """See `TileStore`."""
        folder = self._directory / f"{tile.full_path}.p"
        for width in self.partial_widths(tile):
            (folder / str(width)).unlink(missing_ok=True)
        try:
            folder.rmdir()
        except OSError:  # not there, or it holds what is not ours: then it stays
            return
        sync_folder(folder.parent)


def _limit(path: str) -> int:
    """The most bytes that a file of this path can have. Raises `Malformed` for a path that nothing is published at."""
    if path == CHECKPOINT or _KEY_NOTE.fullmatch(path):
        return MAX_NOTE_BYTES
    return MAX_BUNDLE_BYTES if parse_tile_path(path).level == ENTRIES else TILE_BYTES
