"""What drafts need from outside: their own rows in the store, the simulation that was attached, the way into force."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from gateway.cutover.activation_ports import ActivationReads, ActivationUnit
from gateway.cutover.gates.registry import GateRegistry
from gateway.domain.drafts import (
    ApprovalRecord,
    DraftEditRecord,
    DraftRecord,
    FilesRecord,
    PersonRecord,
    RollbackRecord,
    WaiverRecord,
)
from gateway.domain.records import ActivationRecord, PayloadRecord
from gateway.domain.simulations import SimulationRecord
from gateway.transactions.parts import RulesInForce, Tools
from routing_rules import Capabilities

T = TypeVar("T")


class DraftUnit(ActivationUnit, Protocol):
    """One write transaction, with the rows of drafts."""

    async def draft(self, draft_id: str) -> DraftRecord | None:
        """The row, locked until the end of the unit where the database locks rows."""
        ...

    async def insert_draft(self, record: DraftRecord) -> None: ...
    async def update_draft(self, record: DraftRecord) -> None:
        """Replace all but draft_id and created_at."""
        ...

    async def draft_edits(self, draft_id: str) -> Sequence[DraftEditRecord]: ...
    async def insert_draft_edit(self, record: DraftEditRecord) -> None: ...
    async def approvals(self, draft_id: str) -> Sequence[ApprovalRecord]: ...
    async def insert_approval(self, record: ApprovalRecord) -> None: ...
    async def waivers(self, draft_id: str) -> Sequence[WaiverRecord]: ...
    async def insert_waiver(self, record: WaiverRecord) -> None: ...
    async def insert_rollback(self, record: RollbackRecord) -> None: ...
    async def rollback(self, activation_id: str) -> RollbackRecord | None: ...
    async def update_rollback(self, record: RollbackRecord) -> None:
        """Replace activation_number."""
        ...

    async def ensure_person(self, record: PersonRecord) -> None:
        """Insert it unless it is there."""
        ...


class DraftStore(Protocol):
    """As `gateway.transactions.ports.Store`, with units that know drafts."""

    async def write(self, fn: Callable[[DraftUnit], Awaitable[T]]) -> T: ...


class DraftReads(ActivationReads, Protocol):
    """Questions about drafts and about what was in force."""

    async def draft(self, draft_id: str) -> DraftRecord | None: ...
    async def draft_of_activation(self, activation_number: int) -> DraftRecord | None: ...
    async def drafts(self, state: str | None, limit: int, after: str | None) -> Sequence[DraftRecord]:
        """The newest first."""
        ...

    async def draft_edits(self, draft_id: str) -> Sequence[DraftEditRecord]: ...
    async def approvals(self, draft_id: str) -> Sequence[ApprovalRecord]: ...
    async def waivers(self, draft_id: str) -> Sequence[WaiverRecord]: ...
    async def rollbacks(self) -> Sequence[RollbackRecord]:
        """Those that came into force, in the order of their activations."""
        ...

    async def rulebook_files(self, activation_number: int) -> FilesRecord | None: ...
    async def person_name(self, person: str) -> str | None: ...
    async def payload(self, payload_id: str) -> PayloadRecord | None: ...
    async def activations(self, limit: int, below: int | None) -> Sequence[ActivationRecord]:
        """The newest first; `below`: only lower numbers."""
        ...


class SimulationsStored(Protocol):
    """Simulations that were stored, as `gateway.cutover.simulation_ports.SimulationReads` has them."""

    async def simulation(self, simulation_id: str) -> SimulationRecord | None: ...
    async def newest_simulations(
        self, table_version: str, governance_version: str, base_activation_number: int
    ) -> Sequence[SimulationRecord]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftParts:
    """What everything about drafts is done with. `rules`: what is in force now, loaded if it is
    not yet; raises RulesNotLoaded. `capabilities`: what each system can
    do, for the proof; None where they are not asked."""

    store: DraftStore
    reads: DraftReads
    tools: Tools
    rules: Callable[[], Awaitable[RulesInForce]]
    gates: GateRegistry
    simulations: SimulationsStored
    capabilities: Callable[[], Capabilities | None]
