"""What changes of the rules are done with: the gates that this gateway has, drafts, and the way into force."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from gateway.cutover.activate_draft import Activating, evaluate_candidate
from gateway.cutover.activator import Evaluate
from gateway.cutover.analysis import Analyses
from gateway.cutover.draft_ports import DraftParts
from gateway.cutover.gates.approvals import ApprovalsGate
from gateway.cutover.gates.comparison import ComparisonGate
from gateway.cutover.gates.gate import Gate
from gateway.cutover.gates.peak_load import PeakLoadGate
from gateway.cutover.gates.proof import ProofCleanGate, ProofKept, ResidencyGate
from gateway.cutover.gates.registry import GateRegistry
from gateway.cutover.gates.simulation import SimulationGate
from gateway.cutover.gates.version_loaded import VersionLoaded
from gateway.cutover.rules_holder import RulesHolder
from gateway.store.store import Store
from gateway.transactions.parts import ErpSystem, RulesInForce, Tools
from routing_rules import Capabilities


def all_gates(store: Store, holder: RulesHolder, systems: Mapping[str, ErpSystem]) -> list[Gate]:
    """Every gate that `required_checks` of a rulebook may name here."""
    reads = store.reads
    proofs = ProofKept(partial(_what_drivers_can_do, systems))
    return [
        ApprovalsGate(reads, reads, lambda: holder.current),
        ProofCleanGate(proofs),
        ResidencyGate(proofs),
        VersionLoaded(reads),
        SimulationGate(reads),
        PeakLoadGate(reads),
        ComparisonGate(reads, lambda: {name: system.port.capabilities() for name, system in systems.items()}),
    ]


def draft_parts(
    store: Store, tools: Tools, holder: RulesHolder, gates: list[Gate], systems: Mapping[str, ErpSystem]
) -> DraftParts:
    """What drafts are made, judged and kept with."""
    return DraftParts(
        store=store,
        reads=store.reads,
        tools=tools,
        rules=partial(_in_force, holder),
        gates=GateRegistry(gates, tools.clock.now),
        simulations=store.reads,
        capabilities=partial(_what_drivers_can_do, systems),
    )


async def _in_force(holder: RulesHolder) -> RulesInForce:
    await holder.refresh()
    return holder.current


def activating(
    parts: DraftParts, store: Store, wake: Callable[[], None], events_left: Callable[[], None]
) -> Activating:
    """What the API asks. `wake`: has the activator look at once; `events_left`: has events published."""
    return Activating(
        parts=parts,
        analyses=Analyses(parts.capabilities),
        activation_store=store,
        wake=wake,
        events_left=events_left,
    )


def evaluation(parts: DraftParts) -> Evaluate:
    """What the activator asks at the effective instant."""
    return partial(evaluate_candidate, parts)


def _what_drivers_can_do(systems: Mapping[str, ErpSystem]) -> Capabilities:
    """By the settings of the systems that this process is connected to; a system without settings can do nothing."""
    return {
        name: frozenset(
            (domain, operation.value)
            for (domain, operation), one in system.port.capabilities().items()
            if one.supported
        )
        for name, system in systems.items()
    }
