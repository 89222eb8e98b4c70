"""The gates that judge what is in slices, made of the parts of one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from gateway.cutover.act_ports import ActStore
from gateway.cutover.gates.calendar import CalendarGate
from gateway.cutover.gates.control_totals import ControlTotals
from gateway.cutover.gates.cross_references import CrossReferences
from gateway.cutover.gates.gate import Gate
from gateway.cutover.gates.gate_ports import GateReads
from gateway.cutover.gates.masters import MastersAtRest, MastersEqual
from gateway.cutover.gates.no_lineage_stranded import NoLineageStranded
from gateway.cutover.gates.nothing_unknown import NothingUnknown
from gateway.cutover.gates.number_ranges import NumberRanges
from gateway.cutover.masters_compared import MasterReads
from gateway.domain.acts import Acts
from gateway.transactions.parts import ErpSystem, Tools


class SliceGateReads(GateReads, MasterReads, Protocol):
    """All that these gates ask of the record."""


def slice_gates(
    reads: SliceGateReads,
    store: ActStore,
    tools: Tools,
    systems: Mapping[str, ErpSystem],
    acts: Callable[[], Acts],
) -> tuple[Gate, ...]:
    """Ready for a `GateRegistry`. `acts`: what lies over the rules now."""
    return (
        NoLineageStranded(reads, tools.clock),
        NothingUnknown(reads),
        ControlTotals(reads, store, tools, systems, acts),
        CalendarGate(),
        CrossReferences(reads, tools.clock),
        NumberRanges(reads),
        MastersAtRest(reads),
        MastersEqual(reads, systems),
    )
