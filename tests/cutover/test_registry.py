"""What cannot be evaluated does not hold; what may be waived is said by the rules in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.gates.registry import ALWAYS, GateRegistry, Waiver, asked_of, failing, waivable
from routing_rules import Rulebook, load_rulebook

SAMPLE = load_rulebook(Path("routing_rules/tables"))
NOW = 1_000


@dataclass
class Fake:
    name: str
    passes: bool | None = True
    guarded: bool = True

    def guards(self, candidate: Candidate) -> bool:
        return self.guarded

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        if self.passes is None:
            raise RuntimeError("broken")
        return [GateResult(gate=self.name, passed=self.passes, why="so it is")]


def candidate(base: Rulebook = SAMPLE) -> Candidate:
    return Candidate(
        draft_id="drf_1", rulebook=SAMPLE, base=base, base_activation_number=1, changes=[], effective_at=NOW
    )


def registry(*but: Fake) -> GateRegistry:
    named = {one.name: one for one in but}
    return GateRegistry([named.get(name, Fake(name)) for name in asked_of(SAMPLE)], lambda: NOW)


async def test_all_gates_of_the_rules_in_force_are_asked_in_one_order():
    verdicts = await registry().evaluate(candidate())
    assert [one.result.gate for one in verdicts] == list(asked_of(SAMPLE))
    assert verdicts[0].result.gate == "approvals"
    assert failing(verdicts) == []


async def test_a_gate_that_is_not_here_fails_and_says_so():
    verdicts = await GateRegistry([], lambda: NOW).evaluate(candidate())
    assert len(failing(verdicts)) == len(asked_of(SAMPLE))
    assert "does not have" in verdicts[0].result.why


async def test_a_broken_gate_fails():
    [verdict] = failing(await registry(Fake("simulation", passes=None)).evaluate(candidate()))
    assert verdict.result.gate == "simulation"


async def test_a_gate_that_guards_none_of_the_moves_says_nothing():
    verdicts = await registry(Fake("comparison", passes=False, guarded=False)).evaluate(candidate())
    assert "comparison" not in {one.result.gate for one in verdicts}


async def test_a_waiver_counts_until_it_ends_and_for_its_gate():
    gates = registry(Fake("calendar", passes=False))
    waiver = Waiver(waiver_id="wvr_1", gate="calendar", expires_at=NOW + 1)
    [verdict] = [one for one in await gates.evaluate(candidate(), [waiver]) if one.result.gate == "calendar"]
    assert (verdict.result.passed, verdict.holds, verdict.waiver_id) == (False, True, "wvr_1")
    ended = Waiver(waiver_id="wvr_1", gate="calendar", expires_at=NOW)
    assert failing(await gates.evaluate(candidate(), [ended]))
    other = Waiver(waiver_id="wvr_1", gate="simulation", expires_at=NOW + 1)
    assert failing(await gates.evaluate(candidate(), [other]))


async def test_what_is_never_waived_is_not_waived_whatever_the_file_says():
    lax = Rulebook(
        name="lax",
        tables={},
        business_units=SAMPLE.business_units,
        geographies=SAMPLE.geographies,
        systems={},
        governance=type(SAMPLE.governance)(required_checks=tuple({"id": name, "waivable": True} for name in ALWAYS)),
    )
    assert waivable(lax) == frozenset()
    waivers = [Waiver(waiver_id=f"wvr_{name}", gate=name, expires_at=NOW + 1) for name in ALWAYS]
    gates = GateRegistry([Fake(name, passes=False) for name in ALWAYS], lambda: NOW)
    assert len(failing(await gates.evaluate(candidate(lax), waivers))) == len(ALWAYS)


def test_what_the_file_leaves_out_is_asked_all_the_same():
    bare = Rulebook(
        name="bare", tables={}, business_units=SAMPLE.business_units, geographies=SAMPLE.geographies, systems={}
    )
    assert asked_of(bare) == ALWAYS
