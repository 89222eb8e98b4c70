"""The rows of erasures and legal holds, as they are read and replaced."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, text

from gateway.domain.privacy import ErasureRecord, HoldRecord
from gateway.store.kept import Kept
from gateway.store.schema_privacy import UNFINISHED, erasures, legal_holds

ERASURES: Final = Kept(erasures, ErasureRecord)
HOLDS: Final = Kept(legal_holds, HoldRecord)
_erasure: Final = erasures.c

ERASURE: Final = ERASURES.by("erasure_id")
ERASURE_LOCKED: Final = ERASURES.by("erasure_id", lock=True)
ERASURE_MUTABLE: Final = (
    "state",
    "approved_at",
    "approved_by",
    "approved_person",
    "finished_at",
    "erased",
    "entry_count",
)
REPLACE_ERASURE: Final = ERASURES.replace(["erasure_id"], ERASURE_MUTABLE)
UNFINISHED_ERASURES: Final = ERASURES.query(
    ERASURES.selecting()
    .where(text(UNFINISHED), _erasure.erasure_id > bindparam("after"))
    .order_by(_erasure.erasure_id)
    .limit(bindparam("most"))
)
OPEN_ERASURES_OF: Final = ERASURES.query(
    ERASURES.selecting()
    .where(
        _erasure.customer_id == bindparam("customer"),
        _erasure.asked_by == bindparam("asked_by"),
        _erasure.asked_person == bindparam("asked_person"),
        _erasure.finished_at.is_(None),
    )
    .order_by(_erasure.erasure_id)
)
"""What one person asked for of one customer, by one client, and what is not finished."""

HOLD: Final = HOLDS.by("hold_id")
HOLD_LOCKED: Final = HOLDS.by("hold_id", lock=True)
HOLD_MUTABLE: Final = (
    "lift_asked_at",
    "lift_asked_by",
    "lift_asked_person",
    "lift_payload_id",
    "lifted_at",
    "lifted_by",
    "lifted_person",
    "entry_count",
)
REPLACE_HOLD: Final = HOLDS.replace(["hold_id"], HOLD_MUTABLE)
NEWEST_HOLDS: Final = HOLDS.query(HOLDS.selecting())
