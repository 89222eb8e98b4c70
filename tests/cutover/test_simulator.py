"""Simulations of drafts: stored with their hash on the ledger, and never left running."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.cutover.simulation import Window
from gateway.cutover.simulator import AT_ONCE, Simulator
from gateway.domain.simulations import SimulationRecord, SimulationState
from gateway.errors import Problem, StoreUnavailable
from gateway.store.store import Store
from tests.cutover.drafted import save
from tests.line.rig import START, Rig, invoice, order

DAY = 86_400_000_000
WINDOW = Window(START - DAY, START + DAY)


@pytest.fixture
async def rig(store: Store) -> Rig:
    """An order and its invoice were posted two days ago."""
    rig = await Rig.on(store)
    await rig.send(order(), wait_s=5.0)
    await rig.send(invoice(), "invoices", wait_s=5.0)
    rig.clock.forward(2 * 86_400)
    return rig


def simulator(rig: Rig, reads: Any = None) -> Simulator:
    return Simulator(
        rig.store, reads or rig.store.reads, rig.parts.tools, lambda: rig.rules.current, lambda: rig.woken.append("sim")
    )


async def ended(rig: Rig, simulation_id: str) -> SimulationRecord:
    """The simulation once it is no longer running."""
    async with asyncio.timeout(60):
        while True:
            found = await rig.store.reads.simulation(simulation_id)
            assert found is not None
            if found.state is not SimulationState.RUNNING:
                return found
            await asyncio.sleep(0.01)


async def test_a_simulation_is_stored_and_on_the_ledger_with_one_hash(rig: Rig) -> None:
    draft = await save(rig)
    begun = await simulator(rig).begin("console", "drf_1", WINDOW)
    assert (begun.state, begun.expected) == (SimulationState.RUNNING, 2)
    found = await ended(rig, begun.simulation_id)
    assert found.state is SimulationState.DONE
    assert found.result is not None
    result = json.loads(found.result)
    assert result["found"]["movedDocuments"] == 2
    assert result["resultHash"] == found.result_hash
    assert result["candidate"]["tableVersion"] == draft.table_version
    assert result["resultDigest"] == found.digest
    assert json.loads(found.position or "") == result["position"]
    (entry,) = await rig.store.reads.entries(begun.simulation_id)
    body = json.loads(entry.body)
    assert (body["kind"], body["actor"], body["draftId"]) == ("simulated", "console", "drf_1")
    assert body["resultHash"] == found.result_hash
    for name in ("candidate", "base", "window", "position"):
        assert body[name] == result[name]
    subjects = [event.subject for event in await rig.store.outbox.pending(1_000)]
    assert "erp.control.simulated" in subjects
    assert rig.woken[-1] == "sim"
    listed = await rig.store.reads.simulations_of("drf_1")
    assert [(one.simulation_id, one.result) for one in listed] == [(found.simulation_id, None)]


async def test_the_same_again_has_the_same_hash(rig: Rig) -> None:
    await save(rig)
    one = await simulator(rig).begin("console", "drf_1", WINDOW)
    hashes = {(await ended(rig, one.simulation_id)).result_hash}
    other = await simulator(rig).begin("console", "drf_1", WINDOW)
    hashes.add((await ended(rig, other.simulation_id)).result_hash)
    assert other.simulation_id != one.simulation_id
    assert len(hashes) == 1


async def test_a_repeat_gets_the_one_that_runs(rig: Rig) -> None:
    await save(rig)
    running = simulator(rig, _Failing(rig.store.reads, None))
    one = await running.begin("console", "drf_1", WINDOW)
    assert (await simulator(rig).begin("another", "drf_1", WINDOW)).simulation_id == one.simulation_id
    await running.stop()


async def test_what_cannot_be_simulated_is_refused(rig: Rig) -> None:
    await save(rig)
    await save(rig, "drf_old", state="discarded")
    for draft_id, window, slug in (
        ("drf_old", WINDOW, "document-closed"),
        ("drf_none", WINDOW, "not-found"),
        ("drf_1", Window(START, START), "invalid-request"),
        ("drf_1", Window(START, rig.clock.now() + DAY), "invalid-request"),
    ):
        with pytest.raises(Problem) as refused:
            await simulator(rig).begin("console", draft_id, window)
        assert refused.value.slug == slug


async def test_no_more_run_at_once_than_are_allowed_and_those_of_dead_processes_are_failed(rig: Rig) -> None:
    await save(rig)
    done = await ended(rig, (await simulator(rig).begin("console", "drf_1", WINDOW)).simulation_id)
    for number in range(AT_ONCE):
        running = replace(
            done,
            simulation_id=f"sim_{number}",
            since=done.since + number + 1,
            state=SimulationState.RUNNING,
            result=None,
            finished_at=None,
        )
        await rig.store.write(lambda unit, one=running: unit.insert_simulation(one))
    with pytest.raises(Problem) as refused:
        await simulator(rig).begin("console", "drf_1", WINDOW)
    assert refused.value.slug == "rate-limited"
    rig.liveness.ended.add(done.process_id)
    begun = await simulator(rig).begin("console", "drf_1", WINDOW)
    lost = await ended(rig, "sim_0")
    assert (lost.state, lost.failure) == (SimulationState.FAILED, "its process ended before it did")
    assert (await ended(rig, begun.simulation_id)).state is SimulationState.DONE


class _Failing:
    """Reads of which one fails, or never answers."""

    def __init__(self, reads: Any, error: Exception | None) -> None:
        self._reads = reads
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reads, name)

    async def routed_entries(self, *_: Any) -> Any:
        if self._error is None:
            await asyncio.Event().wait()
        raise self._error or AssertionError


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (StoreUnavailable("away"), "the ledger could not be read to the end of the window"),
        (ZeroDivisionError(), "it broke; the log says where"),
    ],
)
async def test_a_simulation_that_cannot_be_ended_is_failed(rig: Rig, error: Exception, told: str) -> None:
    await save(rig)
    begun = await simulator(rig, _Failing(rig.store.reads, error)).begin("console", "drf_1", WINDOW)
    found = await ended(rig, begun.simulation_id)
    assert (found.state, found.failure, found.result) == (SimulationState.FAILED, told, None)
    assert await rig.store.reads.entries(begun.simulation_id) == []


async def test_stopping_fails_what_runs(rig: Rig) -> None:
    await save(rig)
    running = simulator(rig, _Failing(rig.store.reads, None))
    begun = await running.begin("console", "drf_1", WINDOW)
    await asyncio.sleep(0)
    await running.stop()
    found = await ended(rig, begun.simulation_id)
    assert (found.state, found.failure) == (SimulationState.FAILED, "the process that ran it was stopped")
