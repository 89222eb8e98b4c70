"""How the documents of a slice fare: what the monitor of error rates judges by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MISCONFIGURED: Final = "does not take the gateway's settings (address, credentials or mapping)"
"""What is said of a system that a wrong setting keeps the gateway from; the store finds such transactions by it."""


@dataclass(frozen=True, slots=True)
class SliceOutcomes:
    """Counts over the transactions of a domain, business unit and geography that were accepted in a window and sent to
    an ERP.

    `sent`: all of them. `failed`: rejected by the ERP, or kept from it by a wrong setting. `unknown`: nobody knows yet
    whether they were posted, because an answer was lost or garbled.
    """

    domain: str
    business_unit: str
    geography: str
    sent: int
    failed: int
    unknown: int
