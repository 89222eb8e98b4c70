"""Checkpoints (C2SP tlog-checkpoint): size and root of a log, as the text of a signed note.

Ours have no extension lines, and those of others are refused: no monitor could audit what stands there. So a
checkpoint states no time; time comes from cosignatures.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.errors import Malformed
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import EMPTY_ROOT
from gateway.ledger.lines import HASH_BYTES, MAX_SIZE, base64_text, parse_decimal, parse_hash
from gateway.ledger.note_keys import check_name


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of `origin` at `size` leaves. Raises `Malformed` if there is no such tree."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        check_name(self.origin)
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise Malformed(f"checkpoint: no tree has {self.size} leaves and a root of {len(self.root)} bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise Malformed("checkpoint: the root of a tree without leaves is SHA-256 of nothing")

    @property
    def text(self) -> str:
        """The three lines, each with its newline."""
        return f"{self.origin}\n{self.size}\n{base64_text(self.root)}\n"

    @classmethod
    def of(cls, origin: str, frontier: Frontier) -> Checkpoint:
        """The checkpoint of a tree."""
        return cls(origin, frontier.size, frontier.root)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text, which ends with a newline. Raises `Malformed`."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise Malformed("checkpoint: not exactly the three lines origin, size and root")
    return Checkpoint(lines[0], parse_decimal(lines[1], "checkpoint, size"), parse_hash(lines[2], "checkpoint, root"))
