"""The gateway as a real process, killed with -9 at every named point and at any instant; and whether the campaign sees
what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.campaign import campaign, report
from tests.faults.planted import PLANTED, WITHIN

KILLS = 204
SEED = 1
IN_ROTATION = 2
"""Planted faults of a day. `make faults` has them all; the simulation has five of its own each day."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


async def test_two_hundred_kills_at_every_named_point(tmp_path: Path) -> None:
    seen = await campaign(tmp_path, kills=KILLS, seed=SEED, beside=6)
    print(report(seen))
    assert not seen.failed, report(seen)
    assert seen.kills == KILLS
    assert not seen.missing
    assert seen.accepted > KILLS


def of_today() -> list[str]:
    names = list(PLANTED)
    first = datetime.now(UTC).timetuple().tm_yday * IN_ROTATION
    return [names[(first + offset) % len(names)] for offset in range(IN_ROTATION)]


@pytest.mark.parametrize("name", of_today())
async def test_a_planted_fault_of_the_day_is_caught(name: str, tmp_path: Path) -> None:
    # twice as often as the quietest fault needs on a machine of its own: a busy one asks later than the ERP posts
    seen = await campaign(tmp_path, kills=2 * WITHIN, seed=SEED, planted=name, until_failed=True, lives=6)
    assert seen.failed, report(seen)
