"""How far our clock is from others': shown, and told where it is far."""

from __future__ import annotations

import pytest
import structlog

from gateway.wiring.clocks import ClockOffsets

NOW = 1_700_000_000_000_000


class Clock:
    def now(self) -> int:
        return NOW

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody waits {seconds} s here")


class Database:
    def __init__(self, ahead_s: float) -> None:
        self.ahead_s = ahead_s

    async def database_now(self) -> int:
        return NOW + int(self.ahead_s * 1_000_000)


class Numbers:
    def __init__(self) -> None:
        self.shown: dict[str, float] = {}

    def offset(self, against: str, seconds: float) -> None:
        self.shown[against] = seconds


@pytest.mark.parametrize("ahead_s", [0.0, 0.25, -90.0])
async def test_the_database_is_compared_and_told_at_the_start(ahead_s: float) -> None:
    numbers = Numbers()
    with structlog.testing.capture_logs() as told:
        assert await ClockOffsets(Database(ahead_s), Clock(), numbers).at_start() == -ahead_s
    assert numbers.shown == {"database": -ahead_s}
    assert [(one["event"], one["seconds"]) for one in told] == [("clock_offset", -ahead_s)]


@pytest.mark.parametrize(("ahead_s", "warned"), [(0, False), (2, False), (3, True), (-3, True)])
def test_a_witness_is_compared_when_it_cosigns(ahead_s: int, warned: bool) -> None:
    numbers = Numbers()
    with structlog.testing.capture_logs() as told:
        ClockOffsets(Database(0), Clock(), numbers).cosigned("w.example", NOW // 1_000_000 + ahead_s)
    assert numbers.shown == {"w.example": -ahead_s}
    assert bool(told) is warned
