"""Where simulations and dark observation are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.domain.simulations import DarkWatchRecord, SimulationRecord


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
