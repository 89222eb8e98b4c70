"""The files of a pack, but for its page and its manifest. Pure: the same evidence gives the same bytes.

pack.json                    what it is about, the question with rows and hash, entries, openings, sample
checkpoint                   the signed checkpoint to which all proofs lead, with its cosignatures
keys/1 …                     announcements of the log's later keys
entries/<index>.json         the bytes of an entry, as they are hashed
entries/<index>.tlog-proof   its receipt (C2SP tlog-proof)
payloads/<id>.json           the bytes that an entry commits to; their salts are in pack.json
rules/<number>.rules.json    what was in force: the text whose SHA-256 is the version that entries name
rules/<number>.governance.json
decisions.json               entries `routed`, approvals.json of the rules' changes, answers.json of ERPs
sample/checkpoint            what closes the population
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from gateway.domain.records import ActivationRecord
from gateway.domain.wire import instant
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.evidence.openings import Opening
from gateway.ledger.lines import base64_text
from gateway.ledger.receipt import Receipt
from gateway.store.log_reads import PlacedEntry

FORMAT: Final = "erp-gateway/evidence/v1"
PACK: Final = "pack.json"
CHECKPOINT: Final = "checkpoint"
CLOSING: Final = "sample/checkpoint"
PAGE: Final = "index.html"
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "decisions.json": ("routed",),
    "approvals.json": (
        "draft_saved", "checked", "simulated", "approved", "gate_passed", "gate_failed", "gate_waived",
        "activation_prepared", "activated", "activation_failed", "rolled_back",
    ),
    "answers.json": ("posted", "rejected", "unknown", "inquired", "in_doubt", "compensated"),
}  # fmt: skip
"""Files that repeat entries of some kinds, so that they are found."""
RULES_LEFT_OUT: Final = "the text of "
"""So begins what a pack says of rules that decided and that it does not hold."""
FOUND: Final = "found"
BESIDE: Final = "beside"


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the pack's checkpoint continues the tree of `size` entries."""

    size: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that a pack holds. `found` and `beside`: entries in the order of the log, none of them twice;
    `receipts` by place. `asked`: the question. `closing`: the checkpoint that closes a sample's population."""

    pack_id: str
    made_at: int
    made_for: str
    sees_all: bool
    asked: Mapping[str, Any]
    checkpoint: Checkpoint
    note: bytes
    announcements: Sequence[bytes]
    found: Sequence[PlacedEntry]
    beside: Sequence[PlacedEntry]
    receipts: Mapping[int, Receipt]
    openings: Sequence[Opening]
    rules: Mapping[int, ActivationRecord]
    consistency: Sequence[Consistency] = ()
    sample: Mapping[str, Any] | None = None
    closing: bytes | None = None
    left_out: Sequence[str] = ()
    entries: Sequence[PlacedEntry] = field(init=False)

    def __post_init__(self) -> None:
        every = sorted((*self.found, *self.beside), key=lambda one: one.log_index)
        object.__setattr__(self, "entries", every)


def contents_of(evidence: Evidence) -> dict[str, bytes]:
    """The files by path."""
    files = {PACK: json_file(_pack(evidence)), CHECKPOINT: evidence.note}
    files |= {f"keys/{number}": note for number, note in enumerate(evidence.announcements, 1)}
    for one in evidence.entries:
        files[entry_path(one.log_index)] = one.body or b""
        files[proof_path(one.log_index)] = bytes(evidence.receipts[one.log_index])
    for opening in evidence.openings:
        if opening.path is not None and opening.body is not None:
            files[opening.path] = opening.body
    for number, known in evidence.rules.items():
        files[f"rules/{number}.rules.json"] = known.rules.encode()
        files[f"rules/{number}.governance.json"] = known.governance.encode()
    for path, kinds in KINDS.items():
        files[path] = json_file(_repeated(evidence.entries, kinds))
    if evidence.closing is not None:
        files[CLOSING] = evidence.closing
    return files


def entry_path(index: int) -> str:
    """Where the bytes of the entry at that place of the log are."""
    return f"entries/{index}.json"


def proof_path(index: int) -> str:
    """Where its receipt is."""
    return f"entries/{index}.tlog-proof"


def rows_hash(leaf_hashes: Iterable[bytes]) -> str:
    """SHA-256 over the RFC 6962 leaf hashes of the rows, in the order of the log, in hexadecimal."""
    return sha256(b"".join(leaf_hashes)).hexdigest()


def json_file(value: Any) -> bytes:
    """JSON that people can read."""
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _pack(evidence: Evidence) -> dict[str, Any]:
    found = {one.log_index for one in evidence.found}
    return {
        "format": FORMAT,
        "packId": evidence.pack_id,
        "origin": evidence.checkpoint.origin,
        "madeAt": instant(evidence.made_at),
        "madeFor": evidence.made_for,
        "wholeDataScope": evidence.sees_all,
        "checkpoint": {"size": evidence.checkpoint.size, "rootHash": base64_text(evidence.checkpoint.root)},
        "query": {
            **evidence.asked,
            "asOfLogSize": evidence.checkpoint.size,
            "rowCount": len(evidence.found),
            "rowsHash": rows_hash(one.leaf_hash or b"" for one in evidence.found),
        },
        "entries": [
            {
                "logIndex": one.log_index,
                "trace": one.trace,
                "seq": one.seq,
                "leafHash": (one.leaf_hash or b"").hex(),
                "role": FOUND if one.log_index in found else BESIDE,
            }
            for one in evidence.entries
        ],
        "openings": [one.words() for one in evidence.openings],
        "rules": [
            {
                "activationNumber": number,
                "rulesVersion": one.table_version,
                "governanceVersion": one.governance_version,
                "activatedAt": instant(one.activated_at),
            }
            for number, one in sorted(evidence.rules.items())
        ],
        "consistency": [
            {"size": one.size, "proof": [base64_text(step) for step in one.proof]} for one in evidence.consistency
        ],
        "sample": None if evidence.sample is None else dict(evidence.sample),
        "leftOut": list(evidence.left_out),
    }


def _repeated(entries: Iterable[PlacedEntry], kinds: Sequence[str]) -> list[dict[str, Any]]:
    read = [(one.log_index, json.loads(one.body or b"{}")) for one in entries]
    return [{"logIndex": index, "entry": body} for index, body in read if body.get("kind") in kinds]
