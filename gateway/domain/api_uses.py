"""Requests to the API as the record counts them: by client, version and operation, and by what came of them.

Clients are named as their tokens name them; no person and no address is kept. Times are whole microseconds since
1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a request came to, by the status of its answer (RFC 9110, section 15).

    `answered`: below 400. `refused`: 4xx. `failed`: 5xx. `broken`: no whole answer went out, for the caller left or the
    gateway broke it off.
    """

    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class ApiUseRecord:
    """How often in the hour from `hour_at` on a client asked for an operation. `api_version`: `v1`."""

    hour_at: int
    client: str
    source: str
    api_version: str
    operation_id: str
    outcome: Outcome
    uses: int


@dataclass(frozen=True, slots=True)
class ApiUseSum:
    """The same over a period. `month`: None where the sums are not apart by it."""

    month: str | None
    client: str
    source: str
    api_version: str
    operation_id: str
    answered: int
    refused: int
    failed: int
    broken: int
