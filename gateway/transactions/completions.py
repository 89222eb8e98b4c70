"""Who waits for a transaction to come to rest is told at once, within this process."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from gateway.domain.records import TransactionRecord
from gateway.domain.transaction import RESTING


class Completions:
    """Futures of callers that wait, by transaction."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Future[TransactionRecord]]] = defaultdict(set)

    def tell(self, record: TransactionRecord) -> None:
        """Hand a record at rest to all that wait for it; any other is ignored."""
        if record.status not in RESTING:
            return
        for future in self._waiting.pop(record.transaction_id, set()):
            if not future.done():
                future.set_result(record)

    async def wait(self, transaction_id: str, timeout_s: float) -> TransactionRecord | None:
        """The record at rest, None if it is not at rest within `timeout_s` seconds."""
        future: asyncio.Future[TransactionRecord] = asyncio.get_running_loop().create_future()
        self._waiting[transaction_id].add(future)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            return None
        finally:
            waiting = self._waiting.get(transaction_id)
            if waiting is not None:
                waiting.discard(future)
                if not waiting:
                    self._waiting.pop(transaction_id, None)
