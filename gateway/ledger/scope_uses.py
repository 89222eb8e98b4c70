"""Who used which scope: counted in memory, added to the record now and then.

Counts for reviews, no evidence: what a process counted since its last flush goes with it if it is killed. What was done
with a scope that changes anything is in the ledger, each act by itself.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple, Protocol

import structlog

from gateway.domain.accesses import ScopeUseRecord
from gateway.domain.drafts import PersonRecord
from gateway.domain.identity import person_commitment
from gateway.errors import GatewayError
from gateway.store.store import Store, StoreUnit

FLUSH_S: Final = 10.0
MOST_KEPT: Final = 10_000
"""Different users of scopes that are counted between two flushes; further ones are counted as one, `(more)`."""
HOUR: Final = 3_600_000_000
"""µs."""
MORE: Final = "(more)"

_log = structlog.get_logger(__name__)


class User(NamedTuple):
    """Who uses a scope; `person`: the name, else the client's."""

    client: str
    person: str
    issuer: str
    teams: frozenset[str]


class Now(Protocol):
    """Time in µs since 1970 UTC."""

    def now(self) -> int: ...


class ScopeUses:
    """Counts uses. One per process."""

    def __init__(self, store: Store, clock: Now, commitment_key: bytes) -> None:
        self._store = store
        self._clock = clock
        self._key = commitment_key
        self._counted: Counter[tuple[int, str, User]] = Counter()

    def note(self, user: User, scopes: Iterable[str]) -> None:
        """These scopes opened an operation to that user."""
        hour = self._clock.now() // HOUR
        for scope in scopes:
            key = (hour, scope, user)
            if key not in self._counted and len(self._counted) >= MOST_KEPT:
                key = (hour, scope, User(MORE, MORE, user.issuer, frozenset()))
            self._counted[key] += 1

    async def run(self) -> None:
        """Until cancelled."""
        await keep_adding(self.flush, "scope_uses_wait")

    async def flush(self) -> None:
        """Add what was counted to the record. Raises GatewayError; then it is still counted."""
        counted, self._counted = self._counted, Counter()
        if not counted:
            return
        names = {user.person: person_commitment(self._key, user.person) for _, _, user in counted}
        records = [
            ScopeUseRecord(
                hour_at=hour * HOUR,
                scope=scope,
                client=user.client,
                person=names[user.person],
                issuer=user.issuer,
                teams=json.dumps(sorted(user.teams)),
                uses=uses,
            )
            for (hour, scope, user), uses in counted.items()
        ]
        # In the order of the key, so that two processes that add at once do not wait for each other crosswise.
        records.sort(key=lambda one: (one.hour_at, one.scope, one.client, one.person, one.issuer, one.teams))

        async def unit(unit: StoreUnit) -> None:
            for name, person in sorted(names.items()):
                await unit.ensure_person(PersonRecord(person, name))
            await unit.add_scope_uses(records)

        try:
            await self._store.write(unit)
        except GatewayError:
            self._counted.update(counted)
            raise


async def keep_adding(flush: Callable[[], Awaitable[None]], waits: str) -> None:
    """Every FLUSH_S until cancelled; `waits`: what the log says where the record takes nothing."""
    while True:
        await asyncio.sleep(FLUSH_S)
        try:
            await flush()
        except GatewayError as error:  # counted on, and added the next time
            _log.warning(waits, error=str(error))
