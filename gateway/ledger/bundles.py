"""Entry bundles (C2SP tlog-tiles): up to 256 entries one after the other, each behind its length as u16be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.domain.entries import MAX_ENTRY_BYTES
from gateway.ledger.errors import Malformed
from gateway.ledger.tiles import TILE_WIDTH

MAX_BUNDLE_BYTES: Final = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
"""16.8 MB: the largest bundle that the format allows."""


class BundleBroken(Malformed):
    """A bundle that ends within an entry. `whole` are the entries before that place."""

    def __init__(self, whole: Sequence[bytes]) -> None:
        super().__init__(f"the entry bundle ends within its entry {len(whole)}")
        self.whole = tuple(whole)


def bundle_of(entries: Sequence[bytes]) -> bytes:
    """The bytes of a bundle. Raises `Malformed` for an entry that its length cannot tell, or for more than 256."""
    if len(entries) > TILE_WIDTH:
        raise Malformed(f"{len(entries)} entries: a bundle holds at most {TILE_WIDTH}")
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise Malformed(f"an entry of {len(entry)} bytes: at most {MAX_ENTRY_BYTES}")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def entries_in(data: bytes) -> list[bytes]:
    """The entries of a bundle's bytes. Raises `BundleBroken`, or `Malformed` for more than 256 entries."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + 2
        end = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or end > len(data):
            raise BundleBroken(entries)
        if len(entries) == TILE_WIDTH:
            raise Malformed(f"the entry bundle holds more than {TILE_WIDTH} entries")
        entries.append(data[start:end])
        at = end
    return entries
