"""A tile store in memory. It passes the same suite as the one on a directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.ledger.errors import Malformed, TilesDisagree
from gateway.ledger.tile_store import CHECKPOINT
from gateway.ledger.tiles import Tile, parse_tile_path


class MemoryTiles:
    """Files by path, open to a test's hands."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.files = dict(files or {})

    def read(self, path: str) -> bytes | None:
        _check(path)
        return self.files.get(path)

    def partial_widths(self, tile: Tile) -> Sequence[int]:
        start = f"{tile.full_path}.p/"
        return sorted(int(path.removeprefix(start)) for path in self.files if path.startswith(start))

    def write(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            if self.read(path) not in (None, data):
                raise TilesDisagree(f"{path} is published with other bytes")
        self.files |= files

    def replace(self, path: str, data: bytes) -> None:
        if path != CHECKPOINT:
            raise Malformed(f"{path} is published once and never changes")
        self.files[path] = data

    def remove_partials(self, tile: Tile) -> None:
        for width in self.partial_widths(tile):
            del self.files[tile.at_width(width).path]


def _check(path: str) -> None:
    if path != CHECKPOINT and not path.startswith("keys/"):
        parse_tile_path(path)
