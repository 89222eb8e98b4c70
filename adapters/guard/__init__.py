"""Protection of an ERP from us, and of us from an ERP: breaker, concurrency limit and call budget around a port.

The guard stands outside of the driver and speaks the same port, so a driver knows nothing of it. What it turns away is
`NotSent`: certainly nothing happened, and the line tries again later.
"""

from adapters.guard.breaker import Breaker, BreakerLimits
from adapters.guard.budget import CallBudget, CountingTransport
from adapters.guard.concurrency import ConcurrencyLimit, ConcurrencyLimits
from adapters.guard.port import GuardedPort, GuardState

__all__ = [
    "Breaker",
    "BreakerLimits",
    "CallBudget",
    "ConcurrencyLimit",
    "ConcurrencyLimits",
    "CountingTransport",
    "GuardState",
    "GuardedPort",
]
