"""The entries of a pack, as far as the log's signature proves them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.domain.canonical_json import canonical_json
from gateway.domain.entries import leaf_hash
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.cosignature import Cosignature, WitnessPolicy
from gateway.ledger.errors import LedgerError
from gateway.ledger.evidence.contents import CHECKPOINT, CLOSING, KINDS, PACK, PAGE, entry_path, proof_path
from gateway.ledger.evidence.read_pack import ToldPack, indices
from gateway.ledger.evidence.wrong import PackWrong
from gateway.ledger.lines import base64_text
from gateway.ledger.log_keys import LogKeys, SignedCheckpoint
from gateway.ledger.note_keys import VerifierKey
from gateway.ledger.receipt import parse_receipt, verify_receipt


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An entry whose receipt is good. `body`: its JSON."""

    index: int
    found: bool
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProvenPack:
    """A pack whose entries are proven; the rest of it is still to be compared with them. `entries`: by place."""

    files: Mapping[str, bytes]
    told: ToldPack
    checkpoint: Checkpoint
    entries: Mapping[int, ProvenEntry]
    log: LogKeys

    def file(self, path: str) -> bytes:
        """Raises PackWrong."""
        return file_of(self.files, path)

    def check_nothing_else(self, listed: Mapping[str, str]) -> None:
        """Raise PackWrong for a file that belongs to nothing."""
        known = {PACK, CHECKPOINT, PAGE, *KINDS}
        known |= {path for index in self.entries for path in (entry_path(index), proof_path(index))}
        known |= {one.path for one in self.told.openings if one.path is not None}
        for one in self.told.rules:
            known |= {f"rules/{one.activation_number}.{part}.json" for part in ("rules", "governance")}
        known |= {f"keys/{number}" for number, _ in _announcements(self.files)}
        if self.told.sample is not None:
            known.add(CLOSING)
        for path in sorted({*listed, *known}):
            if path not in known or path not in listed:
                what = "it belongs to nothing" if path not in known else "it is missing"
                raise PackWrong("file", path, what)


def file_of(files: Mapping[str, bytes], path: str) -> bytes:
    """Raises PackWrong."""
    data = files.get(path)
    if data is None:
        raise PackWrong("file", path, "it is missing")
    return data


def open_log(
    files: Mapping[str, bytes], told: ToldPack, keys: Sequence[VerifierKey]
) -> tuple[LogKeys, SignedCheckpoint]:
    """The log's keys, with those that were announced, and the checkpoint. Raises PackWrong, KeyMisused."""
    log = LogKeys.pinned(*keys)
    for number, note in _announcements(files):
        try:
            log = log.following([note])
        except LedgerError as error:
            raise PackWrong("keys", f"keys/{number}", str(error)) from error
    try:
        signed = log.open_checkpoint(file_of(files, CHECKPOINT))
    except PackWrong:
        raise
    except LedgerError as error:
        raise PackWrong("checkpoint", CHECKPOINT, str(error)) from error
    one = signed.checkpoint
    if (told.origin, told.checkpoint.size, told.checkpoint.root_hash) != (one.origin, one.size, base64_text(one.root)):
        raise PackWrong("pack", PACK, "it names another checkpoint than the file that the log signed")
    return log, signed


def open_cosignatures(witnesses: WitnessPolicy, signed: SignedCheckpoint, log: LogKeys) -> tuple[Cosignature, ...]:
    """Those of trusted witnesses. Raises PackWrong; KeyMisused where a witness's key is the log's own."""
    try:
        return witnesses.check(signed, log)
    except LedgerError as error:
        raise PackWrong("cosignatures", CHECKPOINT, str(error)) from error


def prove_entries(
    files: Mapping[str, bytes], told: ToldPack, log: LogKeys, checkpoint: Checkpoint
) -> dict[int, ProvenEntry]:
    """Every entry with its receipt. Raises PackWrong."""
    found: dict[int, ProvenEntry] = {}
    steps: dict[str, int] = {}
    for index, one in zip(indices(told.entries), told.entries, strict=True):
        data, path = file_of(files, entry_path(index)), proof_path(index)
        try:
            receipt = parse_receipt(file_of(files, path))
            proven = verify_receipt(receipt, data, log, WitnessPolicy())
        except PackWrong:
            raise
        except LedgerError as error:
            raise PackWrong("entry", path, f"it does not prove {entry_path(index)}: {error}") from error
        if receipt.index != index or proven.signed.checkpoint != checkpoint or receipt.extra is not None:
            raise PackWrong("entry", path, "it is a receipt of another place, or under another checkpoint")
        body = _body(data, index)
        if (body.get("trace"), body.get("seq"), leaf_hash(data).hex()) != (one.trace, one.seq, one.leaf_hash):
            raise PackWrong("pack", PACK, f"it says something else of entry {index} than the entry itself")
        # The entries of a trace follow each other from its first on: none was left out in the middle. A batch of
        # adoptions is no such trace: each of its entries is about another lineage, and says all of its act.
        if one.seq != steps.get(one.trace, 0) + 1 and body.get("kind") != "adopted":
            raise PackWrong(
                "entry", entry_path(index), f"entry {steps.get(one.trace, 0) + 1} of {one.trace} is missing"
            )
        steps[one.trace] = one.seq
        found[index] = ProvenEntry(index, one.role == "found", body)
    return found


def _announcements(files: Mapping[str, bytes]) -> Iterator[tuple[int, bytes]]:
    number = 1
    while (note := files.get(f"keys/{number}")) is not None:
        yield number, note
        number += 1


def _body(data: bytes, index: int) -> Mapping[str, Any]:
    try:
        body = json.loads(data)
        if isinstance(body, dict) and canonical_json(body) == data:
            return body
    except (ValueError, RecursionError):
        pass
    raise PackWrong("entry", entry_path(index), "it is proven, and no canonical JSON object: not written by a gateway")
