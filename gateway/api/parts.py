"""What the HTTP application is made of. All of it is handed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import Protocol

from opentelemetry.trace import Tracer

from adapters.port import Capabilities
from gateway.api.addresses import Network
from gateway.api.limits import Limits
from gateway.api.rates import RateLimits
from gateway.auth import Authenticator
from gateway.telemetry import Metrics
from gateway.transactions.commands import Submissions
from gateway.transactions.queries import Reads
from routing_rules import Rulebook

ReadinessCheck = Callable[[], Awaitable[bool]]
"""Whether one part can do its work now; an exception or no answer in time counts as no."""


class Now(Protocol):
    """Time in microseconds since 1970 UTC; `gateway.transactions.ports.Clock` is one."""

    def now(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AppParts:
    """`rulebook` answers the one in force, `capabilities` what each system can do, by its id.

    `rates`: how many requests a caller may make, on `monotonic_ns`, a clock that never goes back. `proxies`: networks
    whose X-Forwarded-For is believed.
    `readiness`: checks by the name of the part, without which no request can be served; `watched`: parts that are
    shown beside them, and whose failure leaves the gateway ready. `tracer`: None where no spans are exported.
    `metrics_public`: whether /metrics answers without a token, for scrapers on a closed network; otherwise it wants
    the scope operations:act. `on_startup`, `on_shutdown`: awaited in this order by the server's lifespan.
    """

    submissions: Submissions
    reads: Reads
    authenticator: Authenticator
    rulebook: Callable[[], Rulebook]
    clock: Now
    metrics: Metrics
    capabilities: Callable[[], Mapping[str, Capabilities]]
    readiness: Mapping[str, ReadinessCheck] = field(default_factory=dict)
    watched: Mapping[str, ReadinessCheck] = field(default_factory=dict)
    tracer: Tracer | None = None
    limits: Limits = field(default_factory=Limits)
    rates: RateLimits = field(default_factory=RateLimits)
    proxies: tuple[Network, ...] = ()
    monotonic_ns: Callable[[], int] = monotonic_ns
    metrics_public: bool = False
    on_startup: tuple[Callable[[], Awaitable[None]], ...] = ()
    on_shutdown: tuple[Callable[[], Awaitable[None]], ...] = ()
