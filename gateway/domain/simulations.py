"""What is kept of simulations and of dark observation; one frozen record per table row.

Times are µs since 1970 UTC. Field names are the column names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class SimulationState(StrEnum):
    """How far a simulation is. `failed`: it found nothing; ask for another one."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class DarkState(StrEnum):
    """Whether a candidate is still evaluated beside live traffic."""

    WATCHING = "watching"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SimulationRecord:
    """A simulation of a draft's candidate over the window [since, until).

    `table_version`, `governance_version`: of the candidate; `base_…`: of what was in force. `process_id`: who runs it.
    `expected`: entries of the window when it began; `entries`: how many are read. Once it is done: `position`: what was
    read, as JSON; `digest` names the result alone; `result_hash` binds it to versions, window and position; `result` is
    RFC 8785 text. `failure`: a sentence.
    """

    simulation_id: str
    draft_id: str
    table_version: str
    governance_version: str
    base_activation_number: int
    base_table_version: str
    base_governance_version: str
    since: int
    until: int
    state: SimulationState
    requested_at: int
    requested_by: str
    process_id: str
    expected: int
    entries: int = 0
    finished_at: int | None = None
    position: str | None = None
    digest: str | None = None
    result_hash: str | None = None
    result: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class DarkWatchRecord:
    """A draft's candidate that is evaluated beside live traffic.

    `rules`, `governance`: its RFC 8785 texts. `read_…`: behind which entry it reads on. `found`: counters and samples,
    as JSON.
    """

    draft_id: str
    table_version: str
    rules: str
    governance: str
    state: DarkState
    started_at: int
    started_by: str
    ended_at: int | None
    read_at: int
    read_trace: str
    read_seq: int
    found: str


class SimulationReads(Protocol):
    """What was simulated, and what is watched."""

    async def simulation(self, simulation_id: str) -> SimulationRecord | None: ...
    async def simulations_of(self, draft_id: str) -> Sequence[SimulationRecord]:
        """The newest first, a hundred at most, without their results."""
        ...

    async def newest_simulations(
        self, table_version: str, governance_version: str, base_activation_number: int
    ) -> Sequence[SimulationRecord]:
        """Those of this candidate on this base that are done, the newest first, ten at most."""
        ...

    async def dark_watch(self, draft_id: str) -> DarkWatchRecord | None: ...
    async def dark_watches(self) -> Sequence[DarkWatchRecord]:
        """Those that are still watching."""
        ...


class SimulationUnit(Protocol):
    """Writing them; part of the store's write unit."""

    async def insert_simulation(self, record: SimulationRecord) -> None: ...
    async def update_simulation(self, record: SimulationRecord) -> None: ...
    async def running_simulations(self) -> Sequence[SimulationRecord]: ...
    async def locked_dark_watch(self, draft_id: str) -> DarkWatchRecord | None:
        """The row, locked until the end of the unit where the database locks rows."""
        ...

    async def watching_number(self) -> int:
        """How many candidates are watched."""
        ...

    async def insert_dark_watch(self, record: DarkWatchRecord) -> None: ...
    async def update_dark_watch(self, record: DarkWatchRecord) -> None: ...
