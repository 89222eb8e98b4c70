"""What verifying a published log found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.domain.months import Month
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.cosignature import Cosignature
from gateway.ledger.errors import LedgerError
from gateway.ledger.held import Held
from gateway.ledger.lines import base64_text
from gateway.ledger.note_keys import VerifierKey


class Reason(StrEnum):
    """What is wrong."""

    CHECKPOINT = "checkpoint"
    """No checkpoint, or none that the log's keys signed."""
    KEYS = "keys"
    """The announcement of a key was altered."""
    COSIGNATURES = "cosignatures"
    """Too few of the trusted witnesses cosigned, or one's cosignature does not verify."""
    SMALLER = "smaller"
    """The log is smaller than it was when it was last seen."""
    FORKED = "forked"
    """The log does not begin with what was last seen of it."""
    MISSING = "missing"
    """A file is not there."""
    ENTRY = "entry"
    """Entries are not those that were signed."""
    TILE = "tile"
    """The entries are as signed, a file with hashes of them is not."""
    ROOT = "root"
    """All files agree with each other, and not with the signed root."""
    FRONTIER = "frontier"
    """In a database: the entries since the held checkpoint do not lead to the stored tree."""
    TALLY = "tally"
    """In a database: entries are neither in the tree nor on their way into it, or a place has no entry."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """The first thing that is wrong. `entry` is the first entry that it concerns; it lies before `until`.

    Without an entry the whole log is concerned, or none of its entries.
    """

    reason: Reason
    detail: str
    path: str | None = None
    entry: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """The result. `held_size` is the size that was seen before, 0 at first sight; `wrong` is None if all is well.

    `checkpoint` and `keys` are None and empty where no checkpoint could be opened; `entries` counts those that were
    recomputed from their bytes; `seen` is what may be held against the log from now on, None if anything is wrong or it
    is empty. `hashed`: the ranges [first, end) of entries whose hashes alone are as signed, as their bytes were not
    given: who serves the log says that they are archived, with these `archived_months`.
    """

    origin: str
    held_size: int
    checkpoint: Checkpoint | None = None
    keys: tuple[VerifierKey, ...] = ()
    cosignatures: tuple[Cosignature, ...] = ()
    entries: int = 0
    seen: Held | None = None
    wrong: Wrong | None = None
    hashed: tuple[tuple[int, int], ...] = ()
    archived_months: tuple[Month, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything that was published is what was signed, and continues what was seen before."""
        return self.wrong is None

    @property
    def hashed_only(self) -> int:
        """Entries whose bytes were not seen."""
        return sum(end - first for first, end in self.hashed)

    def as_json(self) -> dict[str, Any]:
        """For `--json`, in wire words; members without a value are left out."""
        wrong = self.wrong
        told = {
            "ok": self.ok,
            "origin": self.origin,
            "size": self.checkpoint.size if self.checkpoint else None,
            "rootHash": base64_text(self.checkpoint.root) if self.checkpoint else None,
            "signedBy": [key.text for key in self.keys],
            "cosignedBy": [{"key": one.key.text, "timeS": one.time} for one in self.cosignatures],
            "heldSize": self.held_size,
            "entriesVerified": self.entries,
            "entriesHashedOnly": self.hashed_only or None,
            "hashedOnly": [{"firstEntry": first, "beforeEntry": end} for first, end in self.hashed] or None,
            "archivedMonths": [str(one) for one in self.archived_months] or None,
            "wrong": wrong
            and {
                name: value
                for name, value in (
                    ("reason", wrong.reason.value),
                    ("detail", wrong.detail),
                    ("path", wrong.path),
                    ("firstEntry", wrong.entry),
                    ("beforeEntry", wrong.until),
                )
                if value is not None
            },
        }
        return {name: value for name, value in told.items() if value is not None}


class WrongFound(LedgerError):
    """Ends a verification at the first thing that is wrong."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong.detail)
        self.wrong = wrong
