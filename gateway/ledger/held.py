"""What an auditor has seen of a log: the control that counts, because the log's keeper cannot change it.

The state file is JSON: the checkpoint's size and root, the peaks of its tree, and the signed note itself. The peaks
narrow a fork down to a part of the tree; two notes that contradict each other are proof against whoever signed both.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint
from gateway.ledger.durable_files import held_alone, read_limited, write_durably
from gateway.ledger.errors import Malformed, StateBroken
from gateway.ledger.frontier import Frontier
from gateway.ledger.lines import base64_text, parse_hash
from gateway.ledger.notes import MAX_NOTE_BYTES, parse_note

_MAX_STATE_BYTES: Final = 2 * MAX_NOTE_BYTES
_FORMAT: Final = "held-checkpoint/v1"


@dataclass(frozen=True, slots=True)
class Held:
    """The newest checkpoint of a log that somebody verified, with its tree's frontier and the signed note.

    Raises:
        Malformed: an empty tree (seeing it shows nothing), or parts that contradict each other.
    """

    checkpoint: Checkpoint
    frontier: Frontier
    note: bytes

    def __post_init__(self) -> None:
        if self.checkpoint.size == 0:
            raise Malformed("held checkpoint: every log continues one of size 0, so that cannot be held against any")
        if (self.frontier.size, self.frontier.root) != (self.checkpoint.size, self.checkpoint.root):
            raise Malformed("held checkpoint: its peaks do not give its root")
        if parse_checkpoint(parse_note(self.note).text) != self.checkpoint:
            raise Malformed("held checkpoint: its note is of another checkpoint")

    def __bytes__(self) -> bytes:
        """The state file."""
        told = {
            "format": _FORMAT,
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "rootHash": base64_text(self.checkpoint.root),
            "peaks": [base64_text(peak) for peak in self.frontier.peaks],
            "note": self.note.decode(),
        }
        return json.dumps(told, indent=2, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a state file. Raises `Malformed`."""
        try:
            told: Any = json.loads(data)
            if told["format"] != _FORMAT:
                raise Malformed(f"held checkpoint: format {told['format']!r}, not {_FORMAT}")
            peaks = tuple(parse_hash(str(peak), "held checkpoint, peak") for peak in told["peaks"])
            root = parse_hash(str(told["rootHash"]), "held checkpoint, root")
            size, note = told["size"], str(told["note"]).encode()
            if not isinstance(size, int) or isinstance(size, bool):
                raise Malformed("held checkpoint: its size is no whole number")
            return cls(Checkpoint(str(told["origin"]), size, root), Frontier(size, peaks), note)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Malformed("held checkpoint: not the JSON that was written") from error


class HeldFile:
    """The state file, while nobody else verifies with it. What was read or written is remembered beside it: a file that
    is taken away or put back meanwhile takes nothing back."""

    def __init__(self, path: Path, origin: str) -> None:
        self._path = path
        self._origin = origin
        self._seen: Held | None = None
        self._one_at_a_time = threading.RLock()

    def read(self) -> Held | None:
        """What was seen, None if nothing was. Raises `StateBroken` for a damaged file or one of another log."""
        with self._one_at_a_time:
            held, seen = self._in_file(), self._seen
            if seen is not None and (held is None or held.checkpoint.size < seen.checkpoint.size):
                return seen
            self._seen = held
            return held

    def write(self, held: Held) -> bool:
        """Put what was proven to continue what is held in its place; durable when this returns.

        False: more is held, or another tree of as many entries; that stays. Raises `StateBroken` as `read`.
        """
        with self._one_at_a_time:
            now = self.read()
            if now is not None:
                before, after = now.checkpoint, held.checkpoint
                if before.size > after.size or (before.size == after.size and before.root != after.root):
                    return False
            write_durably(self._path, bytes(held))
            self._seen = held
            return True

    def _in_file(self) -> Held | None:
        try:
            data = read_limited(self._path, _MAX_STATE_BYTES)
            if data is None:
                return None
            held = Held.from_bytes(data)
        except Malformed as error:
            raise StateBroken(f"{self._path}: {error}; restore it: without it an older log would pass") from error
        if held.checkpoint.origin != self._origin:
            raise StateBroken(f"{self._path} is of the log {held.checkpoint.origin}, not of {self._origin}")
        return held


@contextmanager
def held_file(path: Path, origin: str) -> Iterator[HeldFile]:
    """Open the state of a log for one verification. Raises `StateBroken` while another one uses it."""
    with held_alone(path.with_name(f"{path.name}.lock"), wait=False):
        yield HeldFile(path, origin)
