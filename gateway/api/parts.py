"""What the HTTP application is made of. All of it is handed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import Protocol

from opentelemetry.trace import Tracer

from adapters.port import Capabilities
from gateway.api.addresses import Network
from gateway.api.leaving import Leaving
from gateway.api.ledger_parts import LedgerParts
from gateway.api.limits import Limits
from gateway.api.rates import RateLimits
from gateway.api.slice_parts import SliceParts
from gateway.auth import Authenticator
from gateway.cutover.activate_draft import Activating
from gateway.cutover.acts import ActParts
from gateway.cutover.simulation_desk import SimulationDesk
from gateway.domain.acts import ActiveOverlay
from gateway.exceptions.parts import ExceptionParts
from gateway.intake.parts import IntakeParts
from gateway.ledger.api_uses import ApiUses
from gateway.ledger.scope_uses import ScopeUses
from gateway.ledger.stored_receipts import EntryReceipt
from gateway.messaging.replay import Replays
from gateway.privacy.parts import PrivacyParts
from gateway.telemetry import Metrics
from gateway.transactions.commands import Submissions
from gateway.transactions.queries import Reads
from routing_rules import Rulebook

ReadinessCheck = Callable[[], Awaitable[bool]]
"""Whether one part can do its work now; an exception or no answer in time counts as no."""


class Now(Protocol):
    """Time in microseconds since 1970 UTC; `gateway.transactions.ports.Clock` is one."""

    def now(self) -> int: ...


class PublishedLog(Protocol):
    """The verifiable log's files; `gateway.ledger.log_files.LogFiles` is one."""

    async def read(self, path: str) -> bytes | None:
        """The file at a path below the log's prefix, None if there is none. Raises `gateway.ledger.errors.Malformed`
        for a path that no log's file has."""
        ...

    async def receipts(self, trace: str) -> Sequence[EntryReceipt]:
        """The receipts of a trace's signed entries, in order. Raises `gateway.ledger.errors.NoteUnsigned`."""
        ...


class NothingPublished:
    """The log of a gateway that has none."""

    async def read(self, path: str) -> bytes | None:
        """Nothing is there."""
        return None

    async def receipts(self, trace: str) -> Sequence[EntryReceipt]:
        """Nothing is proven."""
        return ()


async def _nothing_newer() -> None:
    """What is held is what is in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppParts:
    """`rulebook` answers the one in force, `capabilities` what each system can do, by its id.

    `rates`: how many requests a caller may make, on `monotonic_ns`, a clock that never goes back. `proxies`: networks
    whose X-Forwarded-For is believed.
    `readiness`: checks by the name of the part, without which no request can be served; `watched`: parts that are
    shown beside them, and whose failure leaves the gateway ready. `tracer`: None where no spans are exported.
    `metrics_public`: whether /metrics answers without a token, for scrapers on a closed network; otherwise it wants
    the scope operations:act. `overlays`: those that are set now. `refresh`: loads what is in force, for those who ask
    what that is; whoever decides does so by itself. `bulk_clients`: those whose `respond-async` means the lane `bulk`.
    `leaving`: begun when the process is about to end. `on_startup`, `on_shutdown`: awaited in this order by the
    server's lifespan.
    """

    submissions: Submissions
    reads: Reads
    authenticator: Authenticator
    rulebook: Callable[[], Rulebook]
    clock: Now
    metrics: Metrics
    capabilities: Callable[[], Mapping[str, Capabilities]]
    published_log: PublishedLog = field(default_factory=NothingPublished)
    ledger: LedgerParts | None = None
    scope_uses: ScopeUses | None = None
    api_uses: ApiUses | None = None
    drafts: Activating | None = None
    simulations: SimulationDesk | None = None
    acts: ActParts | None = None
    slices: SliceParts | None = None
    exceptions: ExceptionParts | None = None
    privacy: PrivacyParts | None = None
    intake: IntakeParts | None = None
    replays: Replays | None = None
    readiness: Mapping[str, ReadinessCheck] = field(default_factory=dict)
    watched: Mapping[str, ReadinessCheck] = field(default_factory=dict)
    tracer: Tracer | None = None
    limits: Limits = field(default_factory=Limits)
    rates: RateLimits = field(default_factory=RateLimits)
    proxies: tuple[Network, ...] = ()
    monotonic_ns: Callable[[], int] = monotonic_ns
    metrics_public: bool = False
    bulk_clients: frozenset[str] = frozenset()
    overlays: Callable[[], Sequence[ActiveOverlay]] = tuple
    refresh: Callable[[], Awaitable[None]] = _nothing_newer
    leaving: Leaving = field(default_factory=Leaving)
    on_startup: tuple[Callable[[], Awaitable[None]], ...] = ()
    on_shutdown: tuple[Callable[[], Awaitable[None]], ...] = ()
