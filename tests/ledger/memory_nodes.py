"""All perfect subtrees of a tree in memory: a `NodeSource` for trees of any size up to it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


class MemoryNodes:
    """Levels of hashes side by side in byte arrays: 64 bytes a leaf."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self._levels = [bytearray(b"".join(leaves))]
        while len(below := self._levels[-1]) >= 64:
            whole = len(below) - len(below) % 64
            self._levels.append(
                bytearray().join(sha256(b"\x01" + below[at : at + 64]).digest() for at in range(0, whole, 64))
            )

    def node(self, level: int, index: int) -> bytes:
        found = bytes(self._levels[level][index * 32 : index * 32 + 32])
        assert len(found) == 32, f"no node {index} on level {level}"
        return found
