"""Nothing accepted is lost, nothing is posted twice: in thousands of worlds, each of which can be lived again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import structlog

from tests.simulation.campaign import campaign, live, replay
from tests.simulation.defects import misfits
from tests.simulation.mutations import MUTATIONS, SECOND_LINES

WORLDS = 2_000
PARTS = 4
IN_ROTATION = 5
"""Planted faults a run; which ones, the day of the year says."""


@pytest.fixture(autouse=True)
def _quiet():
    """What goes wrong in a world is meant to; its log is not for people."""
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.configure(wrapper_class=before)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_world_violates_anything(part: int) -> None:
    each = WORLDS // PARTS
    seen = campaign(range(part * each, (part + 1) * each))
    assert seen.failed == {}
    # worlds in which nothing happens would prove nothing
    assert min(seen.kills, seen.freezes, seen.closings, seen.sweeps, seen.wipes) > each / 2
    assert {"posted", "rejected", "in_doubt", "compensated"} <= seen.statuses.keys()
    assert {"late", "lost_answer", "lost_call", "garbled_after", "reject", "other", "two", "undone"} <= seen.ways.keys()


@pytest.mark.parametrize("seed", [3, 11, 118, 120])
def test_the_same_seed_gives_the_same_ledger_byte_for_byte(seed: int) -> None:
    assert replay(seed) == replay(seed)


def test_other_seeds_give_other_worlds() -> None:
    assert replay(3) != replay(4)


def _todays() -> list[str]:
    names = sorted(MUTATIONS)
    first = datetime.now(UTC).timetuple().tm_yday * IN_ROTATION
    return [names[(first + offset) % len(names)] for offset in range(IN_ROTATION)]


@pytest.mark.parametrize("name", sorted({**MUTATIONS, **SECOND_LINES}))
def test_every_fault_can_be_planted(name: str) -> None:
    """Those that are not in today's rotation too: a name of the gateway that is gone would show on another day."""
    with {**MUTATIONS, **SECOND_LINES}[name]():
        pass


@pytest.mark.parametrize("name", _todays())
def test_a_planted_fault_is_caught(name: str) -> None:
    with MUTATIONS[name](), misfits() as unfit:
        seen = campaign(range(200), first_only=True)
    assert seen.failed, f"200 worlds did not notice: {name}"
    assert not unfit, "it is no fault, but a program that does not fit together"


def test_a_failing_world_says_what_and_can_be_lived_again() -> None:
    with MUTATIONS["an unknown is sent again like a busy one"]():
        seen = campaign(range(200), first_only=True)
        (seed, violations), *_ = seen.failed.items()
        assert live(seed)[1] == violations
