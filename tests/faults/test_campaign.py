"""The gateway as a real process, killed with -9 at every named point and at any instant; and whether the campaign sees
what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.campaign import campaign, report
from tests.faults.planted import PLANTED

KILLS = 204
SEED = 1
IN_ROTATION = ("one empty inquiry is proof", "what was cut is sent again at once")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


async def test_two_hundred_kills_at_every_named_point(tmp_path: Path) -> None:
    seen = await campaign(tmp_path, kills=KILLS, seed=SEED, beside=6)
    print(report(seen))
    assert not seen.failed, report(seen)
    assert seen.kills == KILLS
    assert not seen.missing
    assert seen.accepted > KILLS


@pytest.mark.parametrize("name", IN_ROTATION)
async def test_a_planted_fault_is_caught(name: str, tmp_path: Path) -> None:
    assert name in PLANTED
    seen = await campaign(tmp_path, kills=120, seed=SEED, planted=name, until_failed=True, lives=6)
    assert seen.failed, report(seen)
