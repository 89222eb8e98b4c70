"""Cosignatures (C2SP tlog-cosignature, Ed25519): what witnesses say about a checkpoint, and when they said it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.ledger.errors import KeyMisused, NoteUnsigned, SignatureInvalid
from gateway.ledger.log_keys import LogKeys, SignedCheckpoint
from gateway.ledger.note_keys import SignatureType, Signer, VerifierKey, signed_at
from gateway.ledger.notes import Note, NoteSignature, open_note, signature_of

MAX_TIME: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness saw the checkpoint as the newest of a log that only grew. `time` in s since 1970, by its clock."""

    key: VerifierKey
    time: int


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """The witnesses that are trusted, and how many of them must have cosigned.

    Raises:
        KeyMisused: a key that is no cosigner's, the same key twice, or more wanted than there are.
    """

    keys: tuple[VerifierKey, ...] = ()
    quorum: int = 0

    def __post_init__(self) -> None:
        for key in self.keys:
            if key.signature_type is not SignatureType.COSIGNATURE:
                raise KeyMisused(f"{key.name} ({key.key_id.hex()}) is no witness's key: its type is not 04")
        # one key under two names would count twice: the cosigned message does not hold the name
        if len({key.public for key in self.keys}) != len(self.keys):
            raise KeyMisused("two witnesses have one key")
        if self.quorum < 0:
            raise KeyMisused(f"a quorum of {self.quorum} is none: it is 0 or more")
        if self.quorum > len(self.keys):
            given = f"only {len(self.keys)}" if self.keys else "none"
            raise KeyMisused(f"a quorum of {self.quorum} needs as many witness keys, and {given} is given")

    def check(self, signed: SignedCheckpoint, log: LogKeys) -> tuple[Cosignature, ...]:
        """The cosignatures of the trusted witnesses.

        Raises:
            KeyMisused: a witness's key is the log's own: a log does not witness itself.
            SignatureInvalid: a trusted witness's cosignature does not verify.
            NoteUnsigned: fewer than the quorum cosigned.
        """
        own = {key.public for key in log.known}
        for key in self.keys:
            if key.public in own:
                raise KeyMisused(f"the witness {key.name} has the key of the log {log.origin} itself")
        try:
            verified = open_note(bytes(signed.note), self.keys).verified
        except NoteUnsigned:
            verified = ()
        if len(verified) < self.quorum:
            raise NoteUnsigned(f"{len(verified)} of the trusted witnesses cosigned, {self.quorum} are wanted")
        return tuple(Cosignature(key, signed_at(signature.payload)) for key, signature in verified)


def cosign(signer: Signer, text: str, time: int) -> NoteSignature:
    """A cosignature over a checkpoint's text at `time` (s since 1970). Raises `KeyMisused` for another type of key."""
    if not 0 <= time <= MAX_TIME:
        raise KeyMisused(f"no cosignature can state the time {time}")
    return signature_of(signer, text, time)


def with_cosignatures(note: Note, given: Sequence[NoteSignature], trusted: Sequence[VerifierKey]) -> Note:
    """The checkpoint with what witnesses answered, for the log to publish; signatures of others are left out.

    Raises:
        SignatureInvalid: a trusted witness's cosignature does not verify.
    """
    keys = {(key.name, key.key_id): key for key in trusted}
    taken = []
    for signature in given:
        key = keys.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not key.verifies(note.text, signature.payload):
            raise SignatureInvalid(f"the cosignature of {key.name} ({key.key_id.hex()}) does not verify")
        taken.append(signature)
    return note.with_signatures(taken)
