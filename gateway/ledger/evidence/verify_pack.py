"""Verification of a pack, offline: nothing is believed but the keys that are given, and what was seen before. Pure.

1. The archive: it is one zip file, and nothing beside.  2. The manifest: signed by the evidence key, every file as
listed.  3. The checkpoint: signed by the log.  4. Each entry: its receipt leads to that checkpoint.  5. What entries
commit to.  6. The rules: their text gives the versions that the decisions name, and decides as it was decided.  7. What
the pack says of itself: question, rows, lists.  8. The sample: drawn as it must be.  9. The checkpoint continues what
was seen before.  10. The published log, where that is given: it gives the same sample, and has no other entries of what
the pack is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.ledger.cosignature import Cosignature, WitnessPolicy
from gateway.ledger.errors import KeyMisused
from gateway.ledger.evidence.archive import files_of
from gateway.ledger.evidence.comparing import Compared, compare
from gateway.ledger.evidence.continuing import check_continues, check_sample
from gateway.ledger.evidence.manifest import EVIDENCE, check_files, opened_manifest
from gateway.ledger.evidence.proven import ProvenPack, open_cosignatures, open_log, prove_entries
from gateway.ledger.evidence.published import Progress
from gateway.ledger.evidence.question import check_question
from gateway.ledger.evidence.read_pack import read_pack
from gateway.ledger.evidence.ruled import Reproduces, check_rules
from gateway.ledger.evidence.told import check_openings, check_repeated
from gateway.ledger.evidence.wrong import NotCompared, PackWrong
from gateway.ledger.held import Held
from gateway.ledger.lines import base64_text
from gateway.ledger.note_keys import SignatureType, VerifierKey
from gateway.ledger.tile_store import TileReader


@dataclass(frozen=True, slots=True, kw_only=True)
class PackFound:
    """What was found. `wrong`: None for a sound pack. `evidence_key_id`: of the key that signed the manifest, in
    hexadecimal; `manifest_checked`: it is the one that was given. `continues`: how many entries had been seen before,
    which the pack's checkpoint continues; None where nothing had been. `compared`: what the published log has of what
    the pack is about; None where that was not compared. `not_compared`: why not, where it was to be."""

    origin: str
    pack_id: str | None = None
    about: Mapping[str, Any] | None = None
    size: int | None = None
    root: bytes | None = None
    entries: int = 0
    decisions: int = 0
    opened: int = 0
    closed: int = 0
    cosignatures: Sequence[Cosignature] = ()
    evidence_key_id: str | None = None
    manifest_checked: bool = False
    continues: int | None = None
    compared: Compared | None = None
    not_compared: str | None = None
    wrong: PackWrong | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.wrong is None

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "ok": self.ok,
            "origin": self.origin,
            "packId": self.pack_id,
            "about": self.about,
            "size": self.size,
            "rootHash": None if self.root is None else base64_text(self.root),
            "entryCount": self.entries,
            "reproducedDecisions": self.decisions,
            "openedCommitments": self.opened,
            "unopenedCommitments": self.closed,
            "cosignatures": [{"name": one.key.name, "time": one.time} for one in self.cosignatures],
            "evidenceKeyId": self.evidence_key_id,
            "manifestChecked": self.manifest_checked,
            "continues": self.continues,
            "redrawnOf": None if self.compared is None else self.compared.redrawn,
            "comparedEntryCount": None if self.compared is None else self.compared.entries,
            "notCompared": self.not_compared,
            "wrong": None
            if self.wrong is None
            else {"reason": self.wrong.reason, "file": self.wrong.path, "detail": self.wrong.detail},
        }


def verify_pack(
    data: bytes,
    keys: Sequence[VerifierKey],
    *,
    evidence_key: VerifierKey | None = None,
    witnesses: WitnessPolicy | None = None,
    held: Held | None = None,
    reproduces: Reproduces | None = None,
    published: TileReader | None = None,
    progress: Progress | None = None,
) -> PackFound:
    """Check all of it; the first thing that is wrong is named.

    Args:
        keys: the log's; one at least.
        evidence_key: without it nobody vouches for the page and the words around what is proven.
        held: the state of who verified the log before.
        published: the files of the log, with which the pack is compared.
        progress: called now and then while these are read.

    Raises:
        KeyMisused: the evidence key is not one of that log, or a witness's key is the log's own.
    """
    origin = keys[0].name if keys else ""
    if evidence_key is not None and (
        evidence_key.name != origin + EVIDENCE or evidence_key.signature_type is not SignatureType.ED25519
    ):
        raise KeyMisused(f"the evidence key of {origin} is named {origin}{EVIDENCE}, not {evidence_key.name}")
    try:
        pack, found = _verified(data, keys, evidence_key, witnesses or WitnessPolicy(), reproduces)
        found = replace(found, continues=check_continues(pack, held))
        return found if published is None else _compared(pack, found, published, progress)
    except PackWrong as wrong:
        return PackFound(origin=origin, wrong=wrong)


def _compared(pack: ProvenPack, found: PackFound, published: TileReader, progress: Progress | None) -> PackFound:
    try:
        return replace(found, compared=compare(pack, published, progress))
    except NotCompared as why:
        return replace(found, not_compared=str(why))


def _verified(
    data: bytes,
    keys: Sequence[VerifierKey],
    evidence_key: VerifierKey | None,
    witnesses: WitnessPolicy,
    reproduces: Reproduces | None,
) -> tuple[ProvenPack, PackFound]:
    """The pack as it is in itself. Raises PackWrong."""
    files = files_of(data)
    hashes, signature = opened_manifest(files, evidence_key)
    check_files(files, hashes)
    told = read_pack(files)
    log, signed = open_log(files, told, keys)
    cosignatures = open_cosignatures(witnesses, signed, log)
    entries = prove_entries(files, told, log, signed.checkpoint)
    pack = ProvenPack(files, told, signed.checkpoint, entries, log)
    opened, closed = check_openings(pack)
    decisions = check_rules(pack, reproduces)
    check_repeated(pack)
    check_question(pack)
    check_sample(pack)
    pack.check_nothing_else(hashes)
    return pack, PackFound(
        origin=log.origin,
        pack_id=told.pack_id,
        about={name: value for name, value in told.query.items() if name not in {"rowsHash", "asOfLogSize"}},
        size=signed.checkpoint.size,
        root=signed.checkpoint.root,
        entries=len(entries),
        decisions=decisions,
        opened=opened,
        closed=closed,
        cosignatures=cosignatures,
        evidence_key_id=signature.key_id.hex(),
        manifest_checked=evidence_key is not None,
    )
