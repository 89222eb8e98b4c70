"""What the line is given: tools without state, the rulebook in force, the systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from opentelemetry.trace import NoOpTracer, Tracer

from adapters.port import ErpPort, Operation
from gateway.domain.activations import RulesState
from gateway.domain.acts import NO_ACTS, Acts
from gateway.domain.lanes import Lane
from gateway.domain.records import TransactionRecord
from gateway.transactions.ports import Clock, Ids, Liveness, Randomness
from routing_rules import Rulebook

SECOND: Final = 1_000_000
"""Microseconds."""


class Metrics(Protocol):
    """What the line counts."""

    def decision(self, domain: str, system_id: str, stage: str) -> None: ...
    def erp_call(self, system_id: str, operation: str, outcome: str, seconds: float) -> None: ...


class NoMetrics:
    """Counts nothing; for tests and tools."""

    def decision(self, domain: str, system_id: str, stage: str) -> None:
        """Nothing."""

    def erp_call(self, system_id: str, operation: str, outcome: str, seconds: float) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPolicy:
    """How the outcome protocol treats one system; all in seconds.

    `call_limit_s`: the longest that a driver can take from its first byte that posts. `preparation_s`: the longest that
    it can take before, to sign in and to read what it changes. `longest_execution_s`: no execution ends later than this
    after its sender ended. `inquiry_delay_s`: how long a posting may take to be found.
    """

    call_limit_s: float = 60.0
    preparation_s: float = 0.0
    longest_execution_s: float = 150.0
    inquiry_delay_s: float = 1.0


@dataclass(frozen=True, slots=True)
class LaneLimit:
    """How much of a process a lane may take: jobs at each system at once, and the share of the system's own room that
    it and all less urgent lanes may fill."""

    concurrent: int
    share: float


LANES: Final[Mapping[Lane, LaneLimit]] = {
    Lane.INTERACTIVE: LaneLimit(32, 1.0),
    Lane.STANDARD: LaneLimit(16, 0.75),
    Lane.BULK: LaneLimit(8, 0.5),
}


def unlimited(_share: float) -> int:
    """The room of a system that nobody guards."""
    return 1_000_000


def unlimited_places() -> int:
    """This process's places there."""
    return 1_000_000


@dataclass(frozen=True, slots=True)
class ErpSystem:
    """One ERP installation as the line uses it. `room`: operations of all processes that may be there at once now, of
    those who may fill that share of it; 0 while it is left alone. `places`: those of this process."""

    port: ErpPort
    policy: SystemPolicy
    room: Callable[[float], int] = unlimited
    places: Callable[[], int] = unlimited_places

    def reference_unique(self, domain: str, operation: str) -> bool:
        """Whether the ERP itself refuses a second document with the same reference."""
        capability = self.port.capabilities().get((domain, Operation(operation)))
        return capability is not None and capability.reference_unique


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """What a process decides by: the rulebook with its activation number, and the acts that lie over it with theirs.

    A value: a unit uses one from its beginning to its end, and checks in its own commit that it is in force.
    """

    rulebook: Rulebook
    activation_number: int
    acts: Acts = NO_ACTS
    acts_number: int = 0

    @property
    def state(self) -> RulesState:
        """The numbers that the database must show for this to be in force."""
        return RulesState(self.activation_number, self.acts_number)


@dataclass(frozen=True, slots=True)
class Tools:
    """Time, ids, randomness and names; `commitment_key` keys the ledger's HMACs."""

    clock: Clock
    ids: Ids
    randomness: Randomness
    liveness: Liveness
    process_id: str
    gateway_name: str
    commitment_key: bytes


@dataclass(frozen=True, slots=True)
class LineLimits:
    """Limits of the line, in seconds where not said otherwise.

    `lease_margin_s`: how long a process may stall between taking a lease and its first byte, beside the preparation.
    `waiting_recheck_s`: how often a waiting transaction is looked at even if nobody wakes it.
    `give_up_s`: an unknown of this age is not sent again; a person looks.
    `first_retry_s`, `longest_retry_s`: bounds of the backoff where nothing happened; `longest_asked_s`: of what an ERP
    may ask to wait.
    `lanes`: the places that each lane has in this process.
    `inquired_first_until`: µs; when the record was last restored from a back-up. The ERPs may hold what was accepted
    before and what the record says was never sent, so nothing of it is sent, or ends, before an inquiry found nothing.
    """

    lease_margin_s: float = 30.0
    waiting_recheck_s: float = 60.0
    give_up_s: float = 86_400.0
    first_retry_s: float = 0.5
    longest_retry_s: float = 60.0
    longest_asked_s: float = 3_600.0
    lanes: Mapping[Lane, LaneLimit] = field(default_factory=lambda: LANES)
    inquired_first_until: int = 0


@dataclass(frozen=True, slots=True)
class LineParts:
    """Everything that the steps of the line share. `rules`: as they are held when a step begins."""

    tools: Tools
    rules: RulesInForce
    systems: Mapping[str, ErpSystem]
    limits: LineLimits = field(default_factory=LineLimits)
    metrics: Metrics = field(default_factory=NoMetrics)
    tracer: Tracer = field(default_factory=NoOpTracer)

    def inquires_first(self, record: TransactionRecord) -> bool:
        """Whether an ERP may hold what this record says was never sent, because it was restored since."""
        return record.accepted_at <= self.limits.inquired_first_until
