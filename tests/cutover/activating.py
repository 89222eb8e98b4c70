"""Processes that bring activations into force: rigs of the line, each with its holder and its activator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.cutover.activator import Activator
from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.gates.registry import GateVerdict
from gateway.cutover.schedule import schedule_activation
from gateway.domain.activations import OPEN_STATES, ActivationRequest
from gateway.domain.records import ActivationRecord
from routing_rules import Rulebook
from tests.line.rig import Rig, sample_rulebook

LOOKS = 200
NOTE = "Everything that no phase has reached yet"


@dataclass
class Gates:
    """What the gates say when they are asked, and what happens meanwhile."""

    results: list[GateResult] = field(default_factory=lambda: [GateResult(gate="proof_clean", passed=True, why="ok")])
    asked: list[Candidate] = field(default_factory=list)
    meanwhile: Any = None
    waiver_id: str | None = None

    async def __call__(self, candidate: Candidate) -> Sequence[GateVerdict]:
        self.asked.append(candidate)
        if self.meanwhile is not None:
            await self.meanwhile(len(self.asked))
        return [GateVerdict(result=one, waivable=True, waiver_id=self.waiver_id) for one in self.results]


@dataclass
class Process:
    """One process. `gates`: what its gates say."""

    rig: Rig
    gates: Gates
    activator: Activator

    @classmethod
    async def on(cls, store: Any, **rig: Any) -> Process:
        """The first on a store: the sample is in force as number 1."""
        return cls.of(await Rig.on(store, **rig))

    @classmethod
    def of(cls, rig: Rig, **more: Any) -> Process:
        gates = Gates()
        tools = rig.parts.tools
        return cls(rig, gates, Activator(rig.store, rig.store.reads, tools, rig.rules, gates, **more))

    async def another(self, process_id: str = "prc_2") -> Process:
        return Process.of(await self.rig.another_process(process_id))

    async def schedule(self, rulebook: Rulebook, **how: Any) -> ActivationRequest:
        """Ask for it now, over what is in force here, unless told otherwise."""
        how = {
            "draft_id": "drf_1",
            "base_activation_number": self.rig.rules.current.activation_number,
            "effective_at": None,
            "requested_by": "console",
        } | how
        return await schedule_activation(self.rig.store, self.rig.parts.tools, rulebook, **how)

    async def request(self, activation_id: str) -> ActivationRequest:
        found: ActivationRequest | None = await self.rig.store.reads.activation_request(activation_id)
        assert found is not None
        return found

    async def entries(self, trace: str) -> list[dict[str, Any]]:
        return [json.loads(one.body) for one in await self.rig.entries(trace)]

    async def in_force(self) -> ActivationRecord:
        state = await self.rig.store.reads.rules_state()
        record: ActivationRecord | None = await self.rig.store.reads.activation(state.activation_number)
        assert record is not None
        return record


async def look_until_settled(processes: Sequence[Process], activation_id: str) -> ActivationRequest:
    """Let the processes look in turn until the request is settled."""
    for _ in range(LOOKS):
        for one in processes:
            await one.activator.look()
        found = await processes[0].request(activation_id)
        if found.state not in OPEN_STATES:
            return found
    raise AssertionError(f"{activation_id} is not settled after {LOOKS} looks")


def variant(note: str) -> Rulebook:
    """The sample with another note at the row that decides the orders of Northern: another version, nothing moves."""
    return sample_rulebook({"orders.csv": (NOTE, f"{NOTE} ({note})")})
