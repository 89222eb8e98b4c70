"""What answers questions about slices."""

from __future__ import annotations

from gateway.api.slice_parts import SliceParts
from gateway.cutover.board import Board
from gateway.cutover.gates.registry import GateRegistry
from gateway.cutover.rules_holder import RulesHolder
from gateway.cutover.slice_gates import SliceGates
from gateway.store.store import Store
from gateway.transactions.parts import Tools


def slice_parts(store: Store, tools: Tools, holder: RulesHolder, gates: GateRegistry) -> SliceParts:
    """`gates`: all that this gateway has."""
    return SliceParts(
        Board(store.reads, lambda: holder.current.rulebook, lambda: holder.current.acts, tools.clock),
        SliceGates(gates, lambda: holder.current, tools.clock),
    )
