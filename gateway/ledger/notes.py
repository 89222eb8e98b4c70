"""Signed notes (C2SP signed-note): a text, a blank line, and signature lines of known and unknown keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.ledger.errors import Malformed, NoteUnsigned, SignatureInvalid
from gateway.ledger.lines import base64_text, parse_base64
from gateway.ledger.note_keys import KEY_ID_BYTES, Signer, VerifierKey, check_name, payload_of

MAX_NOTE_BYTES: Final = 1_000_000
"""As Go's `note` and `tlog` limit it."""
MAX_SIGNATURES: Final = 100
"""As Go's `note` limits them; readers must take at least 16."""
_DASH: Final = "\u2014 "
_FIRST_PRINTABLE: Final = " "


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line. `payload` is what follows the key id."""

    name: str
    key_id: bytes
    payload: bytes

    @property
    def line(self) -> str:
        """The line with its newline."""
        return f"{_DASH}{self.name} {base64_text(self.key_id + self.payload)}\n"

    def is_by(self, key: VerifierKey) -> bool:
        """Whether it claims to be of that key."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it stands; nothing is verified. `text` ends with a newline."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def __bytes__(self) -> bytes:
        return (self.text + "\n" + "".join(one.line for one in self.signatures)).encode()

    def with_signatures(self, more: Iterable[NoteSignature]) -> Note:
        """The note with these added; a newer one of the same key replaces the older."""
        added = {(one.name, one.key_id): one for one in more}
        kept = [one for one in self.signatures if (one.name, one.key_id) not in added]
        return Note(self.text, (*kept, *added.values()))


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note that at least one known key signed. `verified` are the signatures of known keys, each with its key."""

    note: Note
    verified: tuple[tuple[VerifierKey, NoteSignature], ...]

    @property
    def text(self) -> str:
        """The signed text."""
        return self.note.text


def parse_note(data: bytes) -> Note:
    """Part a note at its last blank line. Nothing is verified. Raises `Malformed`."""
    if len(data) > MAX_NOTE_BYTES:
        raise Malformed(f"note: {len(data)} bytes, at most {MAX_NOTE_BYTES}")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("note: not UTF-8") from error
    if any(one < _FIRST_PRINTABLE and one != "\n" for one in whole):
        raise Malformed("note: a control character")
    text, blank, signatures = whole.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise Malformed("note: no blank line with signature lines after it")
    return Note(text + "\n", parse_signature_lines(signatures))


def parse_signature_lines(lines: str) -> tuple[NoteSignature, ...]:
    """Signature lines, each with its newline. Raises `Malformed`, also for none and for more than 100."""
    split = lines.split("\n")
    if split.pop() or not 1 <= len(split) <= MAX_SIGNATURES:
        raise Malformed(f"note: 1 to {MAX_SIGNATURES} signature lines, each with its newline")
    return tuple(_parse_signature(line) for line in split)


def open_note(data: bytes, known: Sequence[VerifierKey]) -> OpenedNote:
    """Verify a note.

    Signatures of keys that are not known are ignored, even if name or id (but not both) is that of a known key. Of two
    signatures of one key the first counts, as in Go.

    Raises:
        Malformed: it is no note.
        SignatureInvalid: a known key's signature does not verify; then no other one is believed either.
        NoteUnsigned: no known key signed it.
    """
    note = parse_note(data)
    keys = {(key.name, key.key_id): key for key in known}
    verified: dict[VerifierKey, NoteSignature] = {}
    for signature in note.signatures:
        key = keys.get((signature.name, signature.key_id))
        if key is None or key in verified:
            continue
        if not key.verifies(note.text, signature.payload):
            raise SignatureInvalid(f"the signature of {key.name} ({key.key_id.hex()}) does not verify")
        verified[key] = signature
    if not verified:
        names = ", ".join(f"{one.name} ({one.key_id.hex()})" for one in note.signatures[:5])
        raise NoteUnsigned(f"signed by {names}, of which no key is known")
    return OpenedNote(note, tuple(verified.items()))


def sign_note(text: str, signers: Sequence[Signer]) -> Note:
    """Sign a text that ends with a newline. Raises `Malformed` for a text that no note can hold."""
    note = Note(text, tuple(signature_of(signer, text) for signer in signers))
    if parse_note(bytes(note)) != note:
        raise Malformed("note: this text cannot be told from its signatures")
    return note


def signature_of(signer: Signer, text: str, time: int | None = None) -> NoteSignature:
    """One signature line over a text; `time` in s since 1970 for a cosignature. Raises `KeyMisused`."""
    return NoteSignature(signer.key.name, signer.key.key_id, payload_of(signer, text, time))


def _parse_signature(line: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise Malformed("note: a signature line begins with an em dash and holds a name and base64")
    check_name(name)
    data = parse_base64(encoded, f"note, signature of {name}")
    if len(data) <= KEY_ID_BYTES:
        raise Malformed(f"note, signature of {name}: no signature after the key id")
    return NoteSignature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])
