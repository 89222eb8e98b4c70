"""What the store keeps of those who read the ledger, and of those who use scopes.

Persons are held as the HMAC of their claim (`identity.person_commitment`), as the ledger holds them; their names lie in
an erasable table beside. Times are whole microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AccessKind = Literal["queried", "exported"]
AccessState = Literal["answered", "begun", "ended", "broken"]


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """Somebody asked the ledger something.

    `state`: of a query `answered`; of an export `begun`, then `ended` or `broken` (the caller left, or the gateway
    failed). `resource`: what was asked, without its filter, which is the payload `payload_id`. `teams`: of the person,
    as a JSON list. `log_size`: how many entries the log had. `answer_hash`: SHA-256 of the answer's bytes, in
    hexadecimal; of an export those before its last line. `entry_count`: of its trace.
    """

    query_id: str
    kind: AccessKind
    state: AccessState
    resource: str
    asked_at: int
    client: str
    person: str
    issuer: str
    teams: str
    payload_id: str
    log_size: int
    row_count: int
    answer_hash: str | None = None
    ended_at: int | None = None
    entry_count: int = 1


@dataclass(frozen=True, slots=True)
class ScopeUseRecord:
    """How often in the hour from `hour_at` on a scope opened an operation to somebody."""

    hour_at: int
    scope: str
    client: str
    person: str
    issuer: str
    teams: str
    uses: int


@dataclass(frozen=True, slots=True)
class ScopeUseSum:
    """The same over a period. `name`: the person's, None if it was erased."""

    scope: str
    client: str
    person: str
    issuer: str
    teams: str
    uses: int
    first_hour_at: int
    last_hour_at: int
    name: str | None
