"""Whose checkpoints are believed: a log's origin with its keys, and how a key follows another.

A new key is announced in a note that the old key signs; the new one signs too, to show that somebody holds it:

    key-announcement/v1
    <origin>
    <verifier key of the new key>
    <size of the tree from which on it signs>

These are four lines and a checkpoint has three, so neither is ever taken for the other. While both keys sign every
checkpoint, whoever knows only one of them notices nothing. Announcements are published as `keys/1`, `keys/2` and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint
from gateway.ledger.errors import KeyMisused, Malformed, NoteUnsigned
from gateway.ledger.lines import parse_decimal
from gateway.ledger.note_keys import SignatureType, Signer, VerifierKey, check_name
from gateway.ledger.notes import Note, open_note, parse_note, sign_note

_FIRST_LINE: Final = "key-announcement/v1"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that verified keys of its log signed, and the note as it stands, other signatures included."""

    checkpoint: Checkpoint
    note: Note
    keys: tuple[VerifierKey, ...]


@dataclass(frozen=True, slots=True)
class LogKeys:
    """A log's origin and the keys that may sign for it, each from a size of the tree on.

    Every key's name is the origin: the log's other keys (`<origin>/evidence`) cannot sign checkpoints.

    Raises:
        KeyMisused: no key, one with another name, or one for cosignatures.
    """

    origin: str
    keys: tuple[tuple[VerifierKey, int], ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise KeyMisused(f"{self.origin}: no key is given")
        for key, _ in self.keys:
            if key.name != self.origin or key.signature_type is not SignatureType.ED25519:
                raise KeyMisused(f"key {key.name} ({key.key_id.hex()}) does not sign checkpoints of {self.origin}")

    @classmethod
    def pinned(cls, *keys: VerifierKey) -> LogKeys:
        """The log of keys that were handed over in person: their name is its origin. Raises `KeyMisused`."""
        return cls(keys[0].name if keys else "", tuple((key, 0) for key in keys))

    @property
    def known(self) -> tuple[VerifierKey, ...]:
        """All keys, whatever they may sign."""
        return tuple(key for key, _ in self.keys)

    def open_checkpoint(self, data: bytes) -> SignedCheckpoint:
        """Verify a checkpoint of this log.

        Raises:
            Malformed: it is no checkpoint, or one of another log.
            SignatureInvalid: a known key's signature does not verify.
            NoteUnsigned: no known key signed it, or none that may sign at this size.
        """
        opened = open_note(data, self.known)
        checkpoint = parse_checkpoint(opened.text)
        if checkpoint.origin != self.origin:
            raise Malformed(f"checkpoint: of {checkpoint.origin[:80]!r}, not of {self.origin}")
        since = dict(self.keys)
        valid = tuple(key for key, _ in opened.verified if since[key] <= checkpoint.size)
        if not valid:
            raise NoteUnsigned(f"the keys that signed were announced for trees larger than {checkpoint.size}")
        return SignedCheckpoint(checkpoint, opened.note, valid)

    def following(self, announcements: Iterable[bytes]) -> LogKeys:
        """These keys and those that they announce, in the order of the announcements.

        An announcement that no known key signed is passed over: it is older than the keys that are pinned.

        Raises:
            Malformed, SignatureInvalid: an announcement was altered.
        """
        found = self
        for data in announcements:
            try:
                found = found._with(data)
            except NoteUnsigned:
                continue
        return found

    def _with(self, data: bytes) -> LogKeys:
        key, size = _parse_announcement(parse_note(data).text, self.origin)
        # both have to sign; the first open passes over what no earlier key of the log signed
        open_note(data, self.known)
        opened = open_note(data, (*self.known, key))
        if key not in dict(opened.verified):
            raise Malformed(f"key announcement: {key.key_id.hex()} did not sign its own announcement")
        return self if key in self.known else LogKeys(self.origin, (*self.keys, (key, size)))


def announce_key(old: Signer, new: Signer, size: int) -> Note:
    """The note by which the old key announces the new one, which signs trees of at least `size` leaves.

    Raises:
        KeyMisused: the keys are not two keys of one log.
    """
    if old.key.name != new.key.name or old.key == new.key:
        raise KeyMisused(f"{new.key.name} ({new.key.key_id.hex()}) cannot follow {old.key.name}")
    return sign_note(f"{_FIRST_LINE}\n{old.key.name}\n{new.key.text}\n{size}\n", (old, new))


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[Signer]) -> Note:
    """Sign with every key that is in use. Raises `KeyMisused` for a key of another name or purpose."""
    LogKeys(checkpoint.origin, tuple((signer.key, 0) for signer in signers))
    return sign_note(checkpoint.text, signers)


def _parse_announcement(text: str, origin: str) -> tuple[VerifierKey, int]:
    lines = text.split("\n")
    if len(lines) != 5 or lines[0] != _FIRST_LINE or lines[4]:
        raise Malformed(f"key announcement: not exactly the four lines after {_FIRST_LINE}")
    check_name(lines[1])
    key = VerifierKey.parse(lines[2])
    if lines[1] != origin or key.name != origin or key.signature_type is not SignatureType.ED25519:
        raise Malformed(f"key announcement: not of a key for checkpoints of {origin}")
    return key, parse_decimal(lines[3], "key announcement, size")
