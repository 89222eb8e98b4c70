"""Another version's budgets and times hold in a running process, without a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.guard import GuardedPort
from adapters.guard.budget import BURST_S
from gateway.cutover.activation import put_in_force
from gateway.transactions.parts import ErpSystem
from gateway.wiring.rules import RulesFiles
from gateway.wiring.runtime import Runtime
from tests.integration.test_wiring import change, data, running

__all__ = ["data"]

BEFORE = "budget: {concurrent: 8, calls_per_minute: 30000}\n    longest_execution_s: 150\n    inquiry_delay_s: 1\n"


def guard(system: ErpSystem) -> GuardedPort:
    assert isinstance(system.port, GuardedPort)
    return system.port


async def bring(runtime: Runtime, data: Path, budget: str, longest_s: int, delay_s: int) -> None:
    """Another version of all systems in force, and one look of the activator, as every process takes them."""
    path = data / "rulebook" / "rulebook.yaml"
    after = f"budget: {budget}\n    longest_execution_s: {longest_s}\n    inquiry_delay_s: {delay_s}\n"
    change(path, BEFORE, after)
    rulebook = RulesFiles.read(path.parent).needed()
    change(path, after, BEFORE)
    parts = runtime.line._parts
    await put_in_force(runtime.store, parts.tools, rulebook, "test")
    await runtime.activator.look()
    assert runtime.rules.current.rulebook.version == rulebook.version


@pytest.mark.parametrize(("places", "calls"), [(3, 600), (24, 60_000)])
async def test_budget_and_times_are_those_of_the_version_that_came_into_force(data: Path, places: int, calls: int):
    async with running(data) as runtime:
        before = runtime.systems["legacy-main"]
        await bring(runtime, data, f"{{concurrent: {places}, calls_per_minute: {calls}}}", 400, 7)
        assert runtime.line.systems is runtime.systems
        for system in runtime.systems.values():
            port = guard(system)
            assert (system.places(), port.places_of_all, port.state.limit, port.room(1.0)) == (places,) * 4
            assert port.state.budget_level == pytest.approx(calls / 60 * BURST_S)
            assert (system.policy.longest_execution_s, system.policy.inquiry_delay_s) == (400, 7)
        after = runtime.systems["legacy-main"]
        assert after.port is before.port
        assert (after.policy.preparation_s, after.policy.call_limit_s) == (180.0, 120.0)
        shown = runtime.app_parts.metrics._registry.get_sample_value(
            "erp_gateway_erp_places", {"system_id": "legacy-main"}
        )
        assert shown == places
        await bring(runtime, data, "{concurrent: 8, calls_per_minute: 30000}", 150, 1)
        assert {one.places() for one in runtime.systems.values()} == {8}


async def test_the_connections_of_a_system_are_never_fewer_than_its_places(data: Path):
    async with running(data) as runtime:
        await bring(runtime, data, "{concurrent: 24, calls_per_minute: 30000}", 150, 1)
        transport = guard(runtime.systems["legacy-main"])._resized.__self__  # type: ignore[attr-defined]
        assert (transport._pool, transport._slots._value) == (24, 24)


async def test_settings_go_on_to_override_what_a_version_says(data: Path):
    change(
        data / "gateway.toml",
        'id = "cloud-main"\n',
        'id = "cloud-main"\nlongest_execution_s = 9\ninquiry_delay_s = 0\n',
    )
    async with running(data) as runtime:
        await bring(runtime, data, "{concurrent: 3, calls_per_minute: 600}", 400, 7)
        policies = {name: one.policy for name, one in runtime.systems.items()}
        assert (policies["cloud-main"].longest_execution_s, policies["cloud-main"].inquiry_delay_s) == (9, 0)
        assert (policies["legacy-main"].longest_execution_s, policies["legacy-main"].inquiry_delay_s) == (400, 7)
        assert runtime.systems["cloud-main"].places() == 3
