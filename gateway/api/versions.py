"""Which version of a document a transaction made: what its caller names in If-Match next."""

from __future__ import annotations

import json
from typing import Any

from gateway.domain.records import TransactionRecord
from gateway.domain.transaction import Status
from gateway.errors import StoreUnavailable
from gateway.transactions.queries import Reads

_CREATE = "create"


async def version_made(reads: Reads, record: TransactionRecord) -> int | None:
    """None for a transaction that made none, or not yet, and for the creation that was called off before it was sent.

    It is the transaction's own version, not that of the document now: whoever named the latter could undo the work of
    others unseen. An operation's acceptance recorded the version that it found, and nothing else was done meanwhile.
    """
    if record.status is not Status.POSTED:
        return None
    if record.operation == _CREATE:
        return 1
    try:
        entries = await reads.entries(record.transaction_id)
    except StoreUnavailable:
        return None  # it is done, and must not look as if it were not
    for entry in entries:
        found = json.loads(entry.body).get("documentVersion")
        if isinstance(found, int):
            return found + 1
    return None


def version_members(version: int | None) -> dict[str, Any]:
    """For the body; nothing where the version is not known."""
    return {} if version is None else {"documentVersion": version, "etag": f"v{version}"}
