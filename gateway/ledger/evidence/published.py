"""The published log as who verifies a pack reads it: entry by entry, and hashed, with the root that they have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.domain.entries import leaf_hash
from gateway.ledger.bundles import entries_in
from gateway.ledger.errors import LedgerError
from gateway.ledger.evidence.wrong import NotCompared, PackWrong
from gateway.ledger.frontier import Frontier
from gateway.ledger.tile_store import TileReader, read_published
from gateway.ledger.tiles import ENTRIES, TILE_WIDTH, tile_holding

_YEAR_10000: Final = 253_402_300_800_000_000
"""In µs since 1970: what comes later no calendar text can say."""


Progress = Callable[[int, int], None]
"""Called with (entries read, entries in all)."""


@dataclass
class PublishedLog:
    """Its first `size` entries. `reason`: of what is wrong with them. `progress`: called now and then."""

    published: TileReader
    size: int
    reason: str
    progress: Progress | None = None
    _tree: Frontier = field(default_factory=Frontier)

    @property
    def root(self) -> bytes:
        """Of the entries that were read; they are the signed ones where it is the signed one."""
        return self._tree.root

    def entries(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Each with its place. Raises PackWrong; NotCompared where a file is not there, or cannot be read."""
        for path, entries in self._bundles():
            first = self._tree.size
            self._tree = self._tree.appended(leaf_hash(one) for one in entries)
            for index, one in enumerate(entries, start=first):
                yield index, self._body(path, one)
            if self.progress is not None:
                self.progress(self._tree.size, self.size)

    def _bundles(self) -> Iterator[tuple[str, list[bytes]]]:
        for first in range(0, self.size, TILE_WIDTH):
            tile = tile_holding(ENTRIES, first, self.size)
            try:
                path, data = read_published(self.published, tile)
            except (LedgerError, OSError) as error:
                raise NotCompared(f"the published log is not whole: {error}") from error
            try:
                entries = entries_in(data)[: tile.width]
            except LedgerError as error:
                raise PackWrong(self.reason, tile.path, f"of the published log: {error}") from error
            if len(entries) < tile.width:
                raise PackWrong(self.reason, path, f"it holds {len(entries)} entries, {tile.width} were signed")
            yield path, entries

    def _body(self, path: str, entry: bytes) -> Mapping[str, Any]:
        try:
            body = json.loads(entry)
        except (ValueError, RecursionError) as error:
            raise PackWrong(self.reason, path, "of the published log: an entry is no JSON") from error
        if not isinstance(body, dict) or type(body.get("at")) is not int or not 0 <= body["at"] < _YEAR_10000:
            raise PackWrong(self.reason, path, "of the published log: an entry is not what a gateway writes")
        return body
