"""The manifest of a pack: a signed note (C2SP signed-note) by `<origin>/evidence` over one line for each file.

A line is as `sha256sum` writes it, so `sha256sum --check manifest` works in the unpacked folder; the lines that it does
not know are the signature.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from gateway.ledger.errors import LedgerError
from gateway.ledger.evidence.archive import is_path
from gateway.ledger.evidence.wrong import PackWrong
from gateway.ledger.note_keys import Signer, VerifierKey
from gateway.ledger.notes import NoteSignature, open_note, parse_note, sign_note

MANIFEST: Final = "manifest"
EVIDENCE: Final = "/evidence"
"""What the name of the key that signs packs has behind the log's."""

_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S+)")


def manifest_of(files: Mapping[str, bytes], signer: Signer) -> bytes:
    """The signed manifest. Raises Malformed where it would be too large."""
    text = "".join(f"{sha256(files[path]).hexdigest()}  {path}\n" for path in sorted(files))
    return bytes(sign_note(text, [signer]))


def opened_manifest(files: Mapping[str, bytes], key: VerifierKey | None) -> tuple[dict[str, str], NoteSignature]:
    """SHA-256 in hexadecimal by path, and the signature; without a key nobody vouches for it.

    Raises PackWrong: there is none, nobody signed it who should, or it is not of the form.
    """
    data = files.get(MANIFEST)
    if data is None:
        raise PackWrong("manifest", MANIFEST, "it is missing")
    try:
        note = parse_note(data) if key is None else open_note(data, [key]).note
    except LedgerError as error:
        raise PackWrong("manifest", MANIFEST, str(error)) from error
    hashes: dict[str, str] = {}
    for line in note.text.removesuffix("\n").split("\n"):
        found = _LINE.fullmatch(line)
        if found is None or not is_path(found[2]) or found[2] == MANIFEST:
            raise PackWrong("manifest", MANIFEST, f"{line[:100]!r} is not 'SHA-256  path'")
        hashes[found[2]] = found[1]
    if "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes)) != note.text:
        raise PackWrong("manifest", MANIFEST, "its lines are not in order, or one is there twice")
    if bytes(note) != data or len(note.signatures) != 1:
        raise PackWrong("manifest", MANIFEST, "it has other signatures than that of the evidence key")
    return hashes, note.signatures[0]


def check_files(files: Mapping[str, bytes], hashes: Mapping[str, str]) -> None:
    """Raise PackWrong, which names the first file that is altered, missing or not listed."""
    for path in sorted({*files, *hashes} - {MANIFEST}):
        if path not in files:
            raise PackWrong("file", path, "it is listed in the manifest and missing")
        if path not in hashes:
            raise PackWrong("file", path, "it is not listed in the manifest")
        if sha256(files[path]).hexdigest() != hashes[path]:
            raise PackWrong("file", path, "it is not the file that the manifest lists: its SHA-256 is another one")
