"""What answers questions about slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.api.slice_parts import SliceParts
from gateway.cutover.adopt import Adopting, AdoptingParts
from gateway.cutover.board import Board
from gateway.cutover.gates.registry import GateRegistry
from gateway.cutover.rules_holder import RulesHolder
from gateway.cutover.slice_gates import SliceGates
from gateway.store.store import Store
from gateway.transactions.parts import ErpSystem, Tools


def slice_parts(
    store: Store,
    tools: Tools,
    holder: RulesHolder,
    systems: Mapping[str, ErpSystem],
    gates: GateRegistry,
    events_left: Callable[[], None],
) -> SliceParts:
    """`gates`: all that this gateway has. `events_left`: has events published."""
    return SliceParts(
        Board(store.reads, lambda: holder.current.rulebook, lambda: holder.current.acts, tools.clock),
        SliceGates(gates, lambda: holder.current, tools.clock),
        Adopting(
            AdoptingParts(
                store=store,
                reads=store.reads,
                tools=tools,
                systems=systems,
                rules=lambda: holder.current,
                events_left=events_left,
            )
        ),
    )
