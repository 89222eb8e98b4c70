"""Callers wait for a transaction to come to rest, told by this process or seen on record."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from gateway.domain.records import TransactionRecord
from gateway.domain.transaction import RESTING, Status
from gateway.errors import StoreUnavailable
from gateway.transactions.completions import Completions
from gateway.transactions.queries import Reads, Visible

REREAD_S: Final = 1.0
"""How often a waiting caller looks whether another process finished its transaction."""
ANSWERED_AT_ONCE: Final = RESTING | {Status.HELD}
"""What is held goes on when people say so: no caller waits for that."""

_log = structlog.get_logger(__name__)


async def wait_for_rest(
    completions: Completions, reads: Reads, record: TransactionRecord, wait_s: float
) -> TransactionRecord:
    """Until rest or the end of the wait, in seconds; how it stands then. Another process may finish it, so the record
    is read again at times."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while record.status not in ANSWERED_AT_ONCE:
        left = deadline - loop.time()
        if left <= 0:
            return record
        told = await completions.wait(record.transaction_id, min(left, REREAD_S))
        if told is not None:
            return told
        record = await _seen(reads, record)
    return record


async def _seen(reads: Reads, record: TransactionRecord) -> TransactionRecord:
    """As it stands now; as it was known where the database does not answer: it was accepted all the same."""
    try:
        return await reads.transaction(record.transaction_id, Visible()) or record
    except StoreUnavailable as error:
        _log.warning("not_read_again", transaction=record.transaction_id, error=str(error))
        return record
