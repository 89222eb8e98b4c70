"""Who serves simulations and dark observation in one process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.cutover.dark import DarkObserver
from gateway.cutover.simulation_ports import SimulationReads
from gateway.cutover.simulator import Simulator
from gateway.domain.drafts import DraftRecord


class DeskReads(SimulationReads, Protocol):
    """What was found, and of which draft."""

    async def draft(self, draft_id: str) -> DraftRecord | None: ...


@dataclass(frozen=True, slots=True)
class SimulationDesk:
    """`simulator` begins simulations, `observer` observations; `reads` tells what they found."""

    simulator: Simulator
    observer: DarkObserver
    reads: DeskReads
