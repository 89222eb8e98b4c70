"""What acts need of the store, beside what the line needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from gateway.domain.act_records import OverlayRecord, PeriodRecord
from gateway.domain.activations import RulesState
from gateway.domain.drafts import PersonRecord
from gateway.domain.outcomes import SliceOutcomes
from gateway.domain.records import PayloadRecord
from gateway.transactions.ports import WriteUnit

T = TypeVar("T")


class ActUnit(WriteUnit, Protocol):
    """One write transaction that may act on the rules. The activation lock is taken before any row."""

    async def rules_state_alone(self) -> RulesState:
        """What is in force; until the end of the unit no accept and no routing commits."""
        ...

    async def set_rules_state(self, state: RulesState) -> None: ...
    async def ensure_person(self, record: PersonRecord) -> None:
        """Keep the name behind a commitment, unless it is there."""
        ...

    async def insert_overlay(self, record: OverlayRecord) -> None: ...
    async def overlay(self, overlay_id: str) -> OverlayRecord | None:
        """The row, locked until the end of the unit."""
        ...

    async def update_overlay(self, record: OverlayRecord) -> None:
        """Replace what a lift fills, and entry_count."""
        ...

    async def overlays_not_lifted(self) -> Sequence[OverlayRecord]: ...
    async def insert_period(self, record: PeriodRecord) -> None: ...
    async def open_in_period(self, company_code: str, starts: str, ends: str) -> int:
        """Transactions that have not ended, with a posting date from `starts` up to but not on `ends`."""
        ...


class ActStore(Protocol):
    """Writes, in the terms of `gateway.transactions.ports.Store`."""

    async def write(self, fn: Callable[[ActUnit], Awaitable[T]]) -> T: ...


class ActReads(Protocol):
    """Questions about acts, and about how documents fare."""

    async def overlay(self, overlay_id: str) -> OverlayRecord | None: ...
    async def overlays(self, *, lifted: bool, limit: int, after: str | None) -> Sequence[OverlayRecord]:
        """The newest first; `lifted`: those too that are lifted."""
        ...

    async def periods(
        self, company_code: str | None, limit: int, after: tuple[str, str] | None
    ) -> Sequence[PeriodRecord]:
        """By company code, the newest period first."""
        ...

    async def person_name(self, person: str) -> str | None: ...
    async def payload(self, payload_id: str) -> PayloadRecord | None: ...
    async def outcomes_by_slice(self, since: int) -> Sequence[SliceOutcomes]:
        """Of what was accepted since then (µs) and sent to an ERP."""
        ...
