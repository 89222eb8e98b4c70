"""Requests to the API by client, version and operation: counted in memory, added to the record now and then.

Counts for operations, no evidence: what a process counted since it last added goes with it if it is killed. What was
accepted is in the ledger, each request by itself.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from gateway.domain.api_uses import ApiUseRecord, Outcome
from gateway.errors import GatewayError
from gateway.ledger.scope_uses import HOUR, MORE, MOST_KEPT, Now, keep_adding
from gateway.store.store import Store, StoreUnit

_CALLER_LEFT: Final = 499
"""What the door says where there was no answer."""


class ApiUse(NamedTuple):
    """Who asked for what. `api_version` and `operation_id` are those of the route, never what the caller wrote."""

    client: str
    source: str
    api_version: str
    operation_id: str


class ApiUses:
    """Counts requests. One per process."""

    def __init__(self, store: Store, clock: Now) -> None:
        self._store = store
        self._clock = clock
        self._counted: Counter[tuple[int, ApiUse, Outcome]] = Counter()

    def note(self, use: ApiUse, status: int) -> None:
        """It came to that status; 0 or 499: no whole answer went out."""
        key = (self._clock.now() // HOUR, use, outcome_of(status))
        if key not in self._counted and len(self._counted) >= MOST_KEPT:
            key = (key[0], use._replace(client=MORE, source=MORE), key[2])
        self._counted[key] += 1

    async def run(self) -> None:
        """Until cancelled."""
        await keep_adding(self.flush, "api_uses_wait")

    async def flush(self) -> None:
        """Add what was counted to the record. Raises GatewayError; then it is still counted."""
        counted, self._counted = self._counted, Counter()
        if not counted:
            return
        # In the order of the key, so that two processes that add at once do not wait for each other crosswise.
        records = [
            ApiUseRecord(hour * HOUR, *use, outcome, counted[hour, use, outcome])
            for hour, use, outcome in sorted(counted)
        ]

        async def unit(unit: StoreUnit) -> None:
            await unit.add_api_uses(records)

        try:
            await self._store.write(unit)
        except GatewayError:
            self._counted.update(counted)
            raise


def outcome_of(status: int) -> Outcome:
    """What a status says of its request."""
    if status in {0, _CALLER_LEFT}:
        return Outcome.BROKEN
    if status < 400:
        return Outcome.ANSWERED
    return Outcome.REFUSED if status < 500 else Outcome.FAILED
