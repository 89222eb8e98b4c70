"""NATS killed and wiped, PostgreSQL stopped, workers frozen, connections cut, a full disk: `make faults`, short."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.cut_rounds import cut_rounds
from tests.faults.disk_rounds import disk_rounds
from tests.faults.frozen_rounds import frozen_rounds
from tests.faults.nats_rounds import nats_rounds
from tests.faults.postgres_rounds import postgres_rounds, restartable_server
from tests.faults.setting import world_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


async def test_nats_is_killed_and_wiped_and_every_event_arrives_in_order(tmp_path: Path) -> None:
    async with world_of(tmp_path, "nats") as world:
        seen = await nats_rounds(world, kills=5, wipes=2)
    assert not seen.violations, seen.report()
    assert (seen.kills, seen.wipes) == (5, 2)
    assert seen.events > 0


async def test_connections_are_cut_half_way_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    async with world_of(tmp_path, "cut") as world:
        seen = await cut_rounds(world, cuts=40)
    assert not seen.violations, seen.report()
    assert min(len(seen.of_callers), len(seen.to_erps)) == 2
    assert seen.accepted > 0


async def test_a_full_disk_costs_answers_and_nothing_else(tmp_path: Path) -> None:
    async with world_of(tmp_path, "full") as world:
        seen = await disk_rounds(world, rounds=3)
    assert not seen.violations, seen.report()
    assert seen.rounds == 3
    assert seen.refused > 0


@pytest.mark.postgres
async def test_postgresql_is_stopped_at_once_and_what_was_accepted_is_there(tmp_path: Path) -> None:
    with restartable_server() as server:
        async with world_of(tmp_path, "postgres", server.url(server.create_database())) as world:
            seen = await postgres_rounds(world, server, stops=3)
    assert not seen.violations, seen.report()
    assert seen.stops == 3
    assert seen.accepted > 0


@pytest.mark.postgres
async def test_workers_are_frozen_past_their_leases_and_nothing_is_posted_twice(
    tmp_path: Path, postgres_url: str
) -> None:
    async with world_of(tmp_path, "frozen", postgres_url) as world:
        seen = await frozen_rounds(world, rounds=6)
    assert not seen.violations, seen.report()
    assert seen.rounds == 6
    assert seen.taken_over > 0
