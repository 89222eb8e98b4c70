"""How a document stands, as its readers are told."""

from __future__ import annotations

from typing import Final, Literal

from gateway.domain.records import DocumentRecord
from gateway.domain.transaction import FAILED_ENDS, Status

ShownState = Literal["active", "cancelled", "reversed", "not_created"]
NOT_CREATED: Final = "not_created"


def shown_state(record: DocumentRecord, status: Status | None) -> ShownState:
    """`not_created` for a document whose creation ended without one; else what is recorded of it.

    `status`: of the transaction that created it, None for imported ones. It is told, not recorded: the same document
    can be submitted again, corrected, and stands then.
    """
    return NOT_CREATED if record.state == "active" and status in FAILED_ENDS else record.state
