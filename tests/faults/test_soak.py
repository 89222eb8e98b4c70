"""The soak, short: every fault of it once; and what is called flat."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.setting import world_of
from tests.faults.soak import soak
from tests.faults.soak_faults import FAULTS
from tests.faults.soak_samples import Sample, not_flat, quantile, sparkline, trend

EVERY_S = 4.0
WARMING_UP = 0.10
"""In so short a life the database's page cache still fills: what may be left is what no cache explains."""
UNDER_WAY = 30
"""Open files more, where another load of the machine slows the last third down: each request under way has some. One
that is lost with every document makes eighty in that time."""
SAMPLE = Sample(0.0, 200_000_000, 50, 14, 16_000_000, 0, 0, 0.02, 0.4)


def _life(**per_second: float) -> list[Sample]:
    """Ten minutes, of which the first two warm up."""
    return [
        replace(
            SAMPLE,
            at=float(at),
            memory=round(150_000_000 + min(at, 120) * 400_000 + at * per_second.get("memory", 0.0)),
            descriptors=round(50 + at % 7 + at * per_second.get("descriptors", 0.0)),
        )
        for at in range(0, 600, 5)
    ]


def test_a_life_that_warms_up_and_stays_is_flat() -> None:
    assert not_flat(_life()) == []
    assert trend(_life(), lambda one: one.memory) == 0.0


def test_what_grows_slowly_is_not_flat() -> None:
    (memory,) = not_flat(_life(memory=40_000))
    assert memory.startswith("resident memory grow")
    (descriptors,) = not_flat(_life(descriptors=0.1))
    assert descriptors.startswith("open files grow")
    assert trend(_life(memory=40_000), lambda one: one.memory) == pytest.approx(40_000 * 3_600)


def test_answers_are_told_by_quantiles_and_courses_by_blocks() -> None:
    assert (quantile([], 0.5), quantile([3.0, 1.0, 2.0], 0.5), quantile(range(100), 0.99)) == (0.0, 2.0, 99)
    assert sparkline([0.0, 1.0, 2.0, 7.0], 4) == "▁▂▃█"
    assert sparkline([5.0] * 8, 4) == "▁▁▁▁"


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_steady_load_with_a_fault_every_few_seconds_in_one_process(tmp_path: Path) -> None:
    async with world_of(tmp_path, "soak") as world:
        seen = await soak(
            world,
            seconds=EVERY_S * len(FAULTS),
            every_s=EVERY_S,
            looks_s=1.0,
            per_second=6.0,
            memory_share=WARMING_UP,
            descriptors=UNDER_WAY,
        )
    print(seen.report())
    assert not seen.violations, seen.report()
    assert seen.faults.keys() == FAULTS.keys()
    assert seen.accepted > 100
    assert len(seen.processes["serve"]) > len(FAULTS)
