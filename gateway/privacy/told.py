"""What the ledger tells of holds and approvals, asked right before something is erased for good.

A row can be changed by whoever holds the database, an entry cannot unnoticed. So a hold counts that either of them
knows, and an approval that both know.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

import structlog

from gateway.domain.entries import EntryKind
from gateway.domain.privacy import Erasable, ErasureRecord, KeptBack
from gateway.store.store import Store, StoreUnit

_REMEDY: Final = (
    "needs a person: nothing of it is erased meanwhile. Keep a copy of the database, run `erp-gateway ledger audit`, "
    "and see docs/ledger.md, 'The state beside the ledger'"
)
_log = structlog.get_logger(__name__)


async def hold_told(unit: StoreUnit, one: Erasable) -> str | None:
    """A legal hold over the transaction's lineage, or over a customer that it tells of, which by the entries was set
    and never lifted."""
    standing = await unit.standing_holds()
    if not standing:
        return None
    customers = {one.customer_id, *await unit.customers_of_lineage(one.lineage_id)} - {None}
    for entry in standing:
        told: dict[str, Any] = json.loads(entry.body)
        if told.get("documentId") in customers or told.get("heldLineageId") == one.lineage_id:
            return entry.trace
    return None


async def is_approved(store: Store, record: ErasureRecord) -> bool:
    """Whether an entry tells that a second person approved the erasure, and of this customer. Logs where none does.

    Raises StoreUnavailable.
    """
    for entry in await store.reads.entries(record.erasure_id):
        told: dict[str, Any] = json.loads(entry.body)
        if (
            entry.kind == EntryKind.ERASED
            and told.get("documentId") == record.customer_id
            and told.get("person") != told.get("askedPerson")
        ):
            return True
    _log.error("erasure_not_told_by_ledger", erasure=record.erasure_id, remedy=_REMEDY)
    return False


def lost_of(done: object) -> set[str]:
    """The hold without a row that kept something back, if one did."""
    return {done.lost_hold} if isinstance(done, KeptBack) and done.lost_hold is not None else set()


def refuse_lost(holds: Collection[str], **during: str) -> None:
    """Log the holds that kept something back although no row says so."""
    if holds:
        _log.error("erasing_refused_for_lost_holds", holds=sorted(holds), remedy=_REMEDY, **during)
