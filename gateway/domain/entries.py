"""Ledger entries: what is hashed is what is stored.

An entry is RFC 8785 canonical JSON of at most 65,535 bytes (an entry bundle of C2SP tlog-tiles has a two-byte
length). It holds no names, external ids or free text; those are salted commitments, opened from erasable tables.
The leaf hash is RFC 6962's: SHA-256(00 ‖ entry).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from gateway.domain.canonical_json import canonical_json
from gateway.domain.records import EntryRecord

ENTRY_VERSION: Final = 1
MAX_ENTRY_BYTES: Final = 65_535


class EntryKind(StrEnum):
    """What an entry records."""

    ACCEPTED = "accepted"
    ROUTED = "routed"
    WAITING = "waiting"
    HELD = "held"
    RELEASED = "released"
    DISPATCHED = "dispatched"
    INQUIRED = "inquired"
    POSTED = "posted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    IN_DOUBT = "in_doubt"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"
    CANCELLED = "cancelled"
    REPLAYED = "replayed"
    PINNED = "pinned"
    PIN_RELEASED = "pin_released"
    ADOPTED = "adopted"
    LINKED = "linked"
    UNLINKED = "unlinked"
    MERGED = "merged"
    UNMERGED = "unmerged"
    ERASED = "erased"
    HOLD_SET = "hold_set"
    HOLD_LIFTED = "hold_lifted"
    DRAFT_SAVED = "draft_saved"
    CHECKED = "checked"
    SIMULATED = "simulated"
    APPROVED = "approved"
    ACTIVATION_PREPARED = "activation_prepared"
    ACTIVATED = "activated"
    ACTIVATION_FAILED = "activation_failed"
    ROLLED_BACK = "rolled_back"
    GATE_PASSED = "gate_passed"
    GATE_FAILED = "gate_failed"
    GATE_WAIVED = "gate_waived"
    OVERLAY_SET = "overlay_set"
    OVERLAY_LIFTED = "overlay_lifted"
    AUTO_PAUSED = "auto_paused"
    QUERIED = "queried"
    EXPORTED = "exported"
    CHECKPOINT_HELD = "checkpoint_held"
    KEY_ROTATED = "key_rotated"
    EXCEPTION_OPENED = "exception_opened"
    EXCEPTION_MOVED = "exception_moved"
    REPAIRED = "repaired"
    PERIOD_CLOSED = "period_closed"
    PERIOD_REOPENED = "period_reopened"
    TIED_OUT = "tied_out"
    TIE_OUT_VOIDED = "tie_out_voided"


class EntryTooLarge(ValueError):
    """An entry would exceed what a bundle can hold. A defect of ours: entries hold no payloads."""


def ledger_entry(
    kind: EntryKind,
    *,
    trace: str,
    seq: int,
    at: int,
    actor: str,
    lineage: str | None = None,
    members: Mapping[str, Any] | None = None,
) -> EntryRecord:
    """Build the stored entry. `at` in µs; `members` are further wire members, those that are None are left out."""
    content: dict[str, Any] = {
        "v": ENTRY_VERSION,
        "at": at,
        "trace": trace,
        "seq": seq,
        "kind": kind.value,
        "actor": actor,
    }
    if lineage is not None:
        content["lineageId"] = lineage
    content |= {name: value for name, value in (members or {}).items() if value is not None}
    body = canonical_json(content)
    if len(body) > MAX_ENTRY_BYTES:
        raise EntryTooLarge(f"a {kind} entry of {len(body)} bytes exceeds {MAX_ENTRY_BYTES}")
    return EntryRecord(
        trace=trace,
        seq=seq,
        kind=kind.value,
        at=at,
        lineage_id=lineage,
        body=body,
        leaf_hash=leaf_hash(body),
    )


def leaf_hash(body: bytes) -> bytes:
    """RFC 6962 section 2.1: SHA-256 over 00 and the entry's bytes."""
    return sha256(b"\x00" + body).digest()
