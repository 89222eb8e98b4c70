"""RFC 6962 section 2.1 as it is written there, recursively; and leaves to build trees of."""

from __future__ import annotations

from functools import cache
from hashlib import sha256


def entry(index: int) -> bytes:
    """The entries of the published vectors."""
    return b'{"event":"posted","seq":%d}' % index


class NaiveTree:
    """MTH, PATH and PROOF over the first entries."""

    def __init__(self, count: int) -> None:
        self.leaves = [sha256(b"\x00" + entry(index)).digest() for index in range(count)]
        self.root_between = cache(self._root_between)

    def root(self, size: int) -> bytes:
        return self.root_between(0, size)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        return self._path(index, 0, size)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        return self._proof(old, 0, new, whole=True)

    def _root_between(self, start: int, end: int) -> bytes:
        if start == end:
            return sha256(b"").digest()
        if end - start == 1:
            return self.leaves[start]
        middle = start + _k(end - start)
        return sha256(b"\x01" + self.root_between(start, middle) + self.root_between(middle, end)).digest()

    def _path(self, index: int, start: int, end: int) -> tuple[bytes, ...]:
        if end - start == 1:
            return ()
        middle = start + _k(end - start)
        if index < middle:
            return (*self._path(index, start, middle), self.root_between(middle, end))
        return (*self._path(index, middle, end), self.root_between(start, middle))

    def _proof(self, old: int, start: int, end: int, *, whole: bool) -> tuple[bytes, ...]:
        if old == end:
            return () if whole else (self.root_between(start, end),)
        middle = start + _k(end - start)
        if old <= middle:
            return (*self._proof(old, start, middle, whole=whole), self.root_between(middle, end))
        return (*self._proof(old, middle, end, whole=False), self.root_between(start, middle))


def _k(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k
