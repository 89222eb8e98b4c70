"""The lines of a stream of bytes, one at a time, whatever its length: plain, or packed with gzip (RFC 1952).

What a sender can make large has a limit: a line, the lines, and the bytes after unpacking, so that a small body cannot
fill the memory or keep the gateway busy for ever.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from gateway.errors import Problem

_GZIP: Final = 16 + zlib.MAX_WBITS
_UNPACKED_AT_ONCE: Final = 65_536
"""Bytes, so that unpacking never holds the loop for long."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """`lines`: some hours of a billing run. `whole_bytes`: as they come, and after unpacking; 200,000 lines of 5 kB.
    `line_bytes`: of one line; as large as one document may be on its own."""

    lines: int = 200_000
    whole_bytes: int = 1_000_000_000
    line_bytes: int = 2_000_000


async def unpacked(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What was packed, in pieces. Raises Problem `invalid-request` for what is no gzip, and where it ends too soon."""
    unpacking = zlib.decompressobj(_GZIP)
    has_begun = False
    async for packed in pieces:
        left = packed
        while left:
            if unpacking.eof:  # another member may follow (section 2.2)
                unpacking = zlib.decompressobj(_GZIP)
            has_begun = True
            try:
                yield unpacking.decompress(left, _UNPACKED_AT_ONCE)
            except zlib.error as error:
                raise Problem(
                    "invalid-request", "The body is not gzip, as its Content-Encoding says.", remedy="Send it unpacked."
                ) from error
            left = unpacking.unused_data if unpacking.eof else unpacking.unconsumed_tail
    # a piece may be taken in whole while more than one portion comes out of it
    while not unpacking.eof and (rest := unpacking.decompress(b"", _UNPACKED_AT_ONCE)):
        yield rest
    if has_begun and not unpacking.eof:
        raise Problem("invalid-request", "The packed body ends before its end.", remedy="Send the whole body.")


class LineStream:
    """The lines of `pieces` without their line feed; None for one that is too long, of which no more than the limit is
    held. For one reader."""

    def __init__(self, pieces: AsyncIterator[bytes], limits: StreamLimits) -> None:
        self._pieces = pieces
        self._limits = limits
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal of the lines given so far, each with a line feed: as they came, those that are too
        long too, so that it says nothing of the limits."""
        return self._digest.hexdigest()

    async def __aiter__(self) -> AsyncIterator[bytes | None]:
        """The last one needs no line feed. Raises Problem `too-large` for too many of them or too many bytes."""
        limits = self._limits
        held, is_too_long = bytearray(), False
        size = count = 0
        async for piece in self._pieces:
            size += len(piece)
            if size > limits.whole_bytes:
                raise Problem(
                    "too-large",
                    f"The batch has more than {limits.whole_bytes} bytes, unpacked.",
                    extra={"mostBytes": limits.whole_bytes},
                )
            begin = 0
            while (end := piece.find(b"\n", begin)) >= 0:
                count = _counted(count, limits)
                self._digest.update(piece[begin : end + 1])
                if is_too_long or len(held) + end - begin > limits.line_bytes:
                    yield None
                else:
                    held += piece[begin:end]
                    yield bytes(held)
                held.clear()
                is_too_long = False
                begin = end + 1
            self._digest.update(piece[begin:])
            if is_too_long or len(held) + len(piece) - begin > limits.line_bytes:
                is_too_long = True
                held.clear()
            else:
                held += piece[begin:]
        if is_too_long or held:
            _counted(count, limits)
            self._digest.update(b"\n")
            yield None if is_too_long else bytes(held)


def _counted(count: int, limits: StreamLimits) -> int:
    if count >= limits.lines:
        raise Problem("too-large", f"The batch has more than {limits.lines} lines.", extra={"mostLines": limits.lines})
    return count + 1
