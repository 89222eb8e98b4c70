"""What activating needs of the store, beside what the line needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from gateway.domain.activations import ActivationRequest, Heartbeat, RulesState
from gateway.domain.acts import Acts
from gateway.domain.drafts import FilesRecord
from gateway.domain.records import ActivationRecord
from gateway.transactions.ports import WriteUnit

T = TypeVar("T")


class ActivationUnit(WriteUnit, Protocol):
    """One write transaction that may put rules in force. The activation lock is taken before any row."""

    async def rules_state_alone(self) -> RulesState:
        """What is in force; until the end of the unit no accept, no routing and no other activation commits."""
        ...

    async def set_rules_state(self, state: RulesState) -> None:
        """Put numbers in force. Takes the activation lock alone."""
        ...

    async def database_now(self) -> int:
        """µs since 1970 UTC by the database's clock, at this moment."""
        ...

    async def insert_activation_request(self, record: ActivationRequest) -> None: ...
    async def activation_request(self, activation_id: str) -> ActivationRequest | None:
        """The row, locked until the end of the unit."""
        ...

    async def update_activation_request(self, record: ActivationRequest) -> None:
        """Replace state, entry_count, claim, settled_at, activation_number and failure."""
        ...

    async def insert_rulebook_files(self, record: FilesRecord) -> None: ...
    async def put_heartbeat(self, record: Heartbeat) -> None:
        """Insert or replace the process's own."""
        ...

    async def live_heartbeats(self, since: int) -> Sequence[Heartbeat]: ...
    async def delete_heartbeat(self, process_id: str) -> None: ...
    async def delete_heartbeats_before(self, before: int) -> int: ...


class ActivationStore(Protocol):
    """Writes, in the terms of `gateway.transactions.ports.Store`."""

    async def write(self, fn: Callable[[ActivationUnit], Awaitable[T]]) -> T: ...


class RulesReads(Protocol):
    """What is asked to know what is in force."""

    async def rules_in_force(self) -> tuple[RulesState, Acts]:
        """The numbers, and the acts that lie over the rules at that moment."""
        ...

    async def rules_state(self) -> RulesState: ...
    async def activation(self, activation_number: int) -> ActivationRecord | None: ...


class ActivationReads(RulesReads, Protocol):
    """What is asked to bring a version into force."""

    async def database_now(self) -> int: ...
    async def activation_request(self, activation_id: str) -> ActivationRequest | None: ...
    async def activation_requests(self, limit: int) -> Sequence[ActivationRequest]:
        """The newest first."""
        ...

    async def open_activation_requests(self) -> Sequence[ActivationRequest]: ...
    async def live_heartbeats(self, since: int) -> Sequence[Heartbeat]: ...
