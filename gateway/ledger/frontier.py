"""The frontier of a tree: the little that is needed to append to it and to know its root."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from gateway.ledger.errors import Malformed
from gateway.ledger.hashing import root_of_peaks
from gateway.ledger.lines import HASH_BYTES, MAX_SIZE

_SIZE_BYTES = 8


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves by its peaks: the roots of its perfect subtrees, the largest and leftmost first.

    There is one peak for each bit that is set in the size, so at most 63 of 32 bytes each.

    Raises:
        Malformed: the peaks cannot belong to a tree of that size.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise Malformed(f"frontier: no tree has {self.size} leaves")
        if len(self.peaks) != self.size.bit_count() or any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise Malformed(f"frontier: these {len(self.peaks)} peaks do not belong to {self.size} leaves")

    @property
    def root(self) -> bytes:
        """The root hash (RFC 6962 section 2.1)."""
        return root_of_peaks(self.peaks)

    def appended(self, leaves: Iterable[bytes]) -> Frontier:
        """The frontier after these leaf hashes, in their order."""
        peaks, size = list(self.peaks), self.size
        for leaf in leaves:
            node, bits = leaf, size
            while bits & 1:  # a neighbour of the same height stands to the left: both become one
                node = sha256(b"\x01" + peaks.pop() + node).digest()
                bits >>= 1
            peaks.append(node)
            size += 1
        return Frontier(size, tuple(peaks))

    def spans(self) -> Iterator[tuple[int, int, bytes]]:
        """(first leaf, last leaf + 1, hash) of each peak, from the left."""
        start = 0
        for peak in self.peaks:
            end = start + (1 << ((self.size - start).bit_length() - 1))
            yield start, end, peak
            start = end

    def __bytes__(self) -> bytes:
        """For a database row: u64be size, then the peaks."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `bytes()` gave. Raises `Malformed`."""
        if len(data) < _SIZE_BYTES or (len(data) - _SIZE_BYTES) % HASH_BYTES:
            raise Malformed(f"frontier: {len(data)} bytes hold no size and hashes")
        return cls(
            int.from_bytes(data[:_SIZE_BYTES], "big"),
            tuple(data[at : at + HASH_BYTES] for at in range(_SIZE_BYTES, len(data), HASH_BYTES)),
        )
