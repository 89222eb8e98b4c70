"""What simulates drafts and observes them beside live traffic."""

from __future__ import annotations

from collections.abc import Callable

from gateway.cutover.dark import DarkObserver
from gateway.cutover.rules_holder import RulesHolder
from gateway.cutover.simulation_desk import SimulationDesk
from gateway.cutover.simulator import Simulator
from gateway.store.store import Store
from gateway.transactions.parts import Tools


def simulation_desk(store: Store, tools: Tools, holder: RulesHolder, events_left: Callable[[], None]) -> SimulationDesk:
    """`events_left`: has events published."""
    reads = store.reads
    return SimulationDesk(
        Simulator(store, reads, tools, lambda: holder.current, events_left),
        DarkObserver(store, reads, tools, events_left),
        reads,
    )
