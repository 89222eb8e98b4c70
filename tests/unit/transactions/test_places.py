"""Places: whatever comes and goes, a lane keeps to its own at a system, and a system takes nothing from another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adapters.port import ErpPort
from gateway.domain.lanes import MOST_URGENT_FIRST, Lane, Opening
from gateway.domain.records import JobRecord
from gateway.transactions.parts import LANES, ErpSystem, LaneLimit, SystemPolicy
from gateway.transactions.places import ANYWHERE, Places

LIMITS = {Lane.INTERACTIVE: LaneLimit(6, 1.0), Lane.STANDARD: LaneLimit(4, 0.75), Lane.BULK: LaneLimit(3, 0.5)}
SYSTEMS = ("legacy-main", "cloud-main")


@dataclass
class Room:
    """The room of a guarded system: all, or a share of it."""

    places: int = 8

    def __call__(self, share: float) -> int:
        return max(1, int(self.places * share)) if self.places else 0


@dataclass
class Rooms:
    of: dict[str, Room] = field(default_factory=lambda: {one: Room() for one in SYSTEMS})

    def systems(self) -> dict[str, ErpSystem]:
        return {one: ErpSystem(cast("ErpPort", None), SystemPolicy(), self.of[one]) for one in SYSTEMS}


def a_job(lane: Lane, system_id: str, number: int = 0) -> JobRecord:
    return JobRecord(f"txn_{number}", lane.value, 0, 1, None, 0, system_id=system_id)


class Traffic(RuleBasedStateMachine):
    """Jobs come, are claimed for the openings as a store would, and end, while systems have more room or less."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms = Rooms()
        self.places = Places(LIMITS)
        self.waiting: Counter[tuple[Lane, str]] = Counter()
        self.under_way: list[JobRecord] = []

    @rule(lane=st.sampled_from(Lane), system=st.sampled_from([ANYWHERE, *SYSTEMS]), count=st.integers(1, 30))
    def come(self, lane: Lane, system: str, count: int) -> None:
        self.waiting[lane, system] += count

    @rule(system=st.sampled_from(SYSTEMS), places=st.integers(0, 12))
    def breathe(self, system: str, places: int) -> None:
        self.rooms.of[system].places = places

    @rule(everywhere=st.booleans())
    def look(self, everywhere: bool) -> None:
        openings = self.places.openings(self.rooms.systems(), everywhere=everywhere)
        before = self._taken()
        leased = self._taken()
        claimed: list[JobRecord] = []
        for one in openings:
            found = self._claim(one, leased)
            leased[one.lane, one.system_id] += len(found)
            claimed += found
        self.places.take(openings, claimed)
        self.under_way += claimed
        for (lane, system), count in self._taken().items():
            if count > before[lane, system] and system:
                self._keeps_its_share(lane, system)
        if everywhere:
            self._nothing_is_left_that_has_a_place()

    @rule(data=st.data())
    def end(self, data: Any) -> None:
        if not self.under_way:
            return
        job = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        lane, system = Lane(job.lane), job.system_id
        told = self.places.give_back(job)
        open_there = {(one.lane, one.system_id) for one in self._openings()}
        if self.waiting[lane, system] and (lane, system) in open_there and self.full_at_last_look(lane, system):
            assert told

    def full_at_last_look(self, lane: Lane, system: str) -> bool:
        return self._taken()[lane, system] + 1 >= LIMITS[lane].concurrent

    @invariant()
    def no_lane_has_more_than_its_own(self) -> None:
        for (lane, _), count in self._taken().items():
            assert count <= LIMITS[lane].concurrent

    def _openings(self) -> list[Opening]:
        return list(self.places.openings(self.rooms.systems(), everywhere=True))

    def _claim(self, opening: Opening, leased: Counter[tuple[Lane, str]]) -> list[JobRecord]:
        count = max(0, min(opening.left(leased), self.waiting[opening.lane, opening.system_id]))
        self.waiting[opening.lane, opening.system_id] -= count
        return [a_job(opening.lane, opening.system_id, number) for number in range(count)]

    def _taken(self) -> Counter[tuple[Lane, str]]:
        return Counter((Lane(job.lane), job.system_id) for job in self.under_way)

    def _keeps_its_share(self, lane: Lane, system: str) -> None:
        """What was just taken leaves the rest to who is more urgent, but for one of each lane."""
        taken, room = self._taken(), self.rooms.of[system]
        assert room.places > 0
        for one in (Lane.STANDARD, Lane.BULK):
            together = sum(taken[other, system] for other in MOST_URGENT_FIRST[MOST_URGENT_FIRST.index(one) :])
            if one is lane and lane is not Lane.INTERACTIVE:
                # one of a less urgent lane may be there in any case
                spare = 1 if lane is Lane.STANDARD and taken[Lane.BULK, system] == 1 else 0
                assert together <= room(LIMITS[one].share) + spare or taken[lane, system] == 1

    def _nothing_is_left_that_has_a_place(self) -> None:
        """After a look everywhere whoever waits waits for a place of its own lane and system."""
        for one in self._openings():
            assert self.waiting[one.lane, one.system_id] == 0 or one.left(self._taken()) <= 0


TestTraffic = Traffic.TestCase
TestTraffic.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


@given(st.integers(0, 40), st.sampled_from(Lane))
def test_what_one_system_holds_changes_nothing_at_the_other(held: int, lane: Lane) -> None:
    rooms, places = Rooms(), Places(LANES)
    rooms.of["cloud-main"].places = 40
    free = [one for one in places.openings(rooms.systems(), everywhere=True) if one.system_id != "cloud-main"]
    cloud = [Opening(lane, "cloud-main", held)]
    places.take(cloud, [a_job(lane, "cloud-main", number) for number in range(held)])
    assert [one for one in places.openings(rooms.systems(), everywhere=True) if one.system_id != "cloud-main"] == free


def test_a_system_that_is_left_alone_is_claimed_nothing_for() -> None:
    rooms, places = Rooms(), Places(LANES)
    rooms.of["cloud-main"].places = 0
    assert {one.system_id for one in places.openings(rooms.systems(), everywhere=True)} == {"", "legacy-main"}


def test_only_where_something_was_left_is_looked_again() -> None:
    rooms, places = Rooms(), Places(LIMITS)
    openings = places.openings(rooms.systems(), everywhere=True)
    jobs = [a_job(Lane.INTERACTIVE, "legacy-main", number) for number in range(6)]
    places.take(openings, jobs)
    assert places.openings(rooms.systems(), everywhere=False) == []
    assert places.give_back(jobs[0])
    (one,) = places.openings(rooms.systems(), everywhere=False)
    assert (one.lane, one.system_id, one.most) == (Lane.INTERACTIVE, "legacy-main", 1)
    places.take([one], [])
    assert not places.give_back(jobs[1])


def test_what_is_not_urgent_takes_no_more_than_this_processs_share_leaves() -> None:
    system = ErpSystem(cast("ErpPort", None), SystemPolicy(), Room(), lambda: 3)
    places = Places(LANES)
    openings = places.openings({"legacy-main": system}, everywhere=True)
    assert [one.most for one in openings if one.system_id] == [3, 3, 3]
    places.take(openings, [a_job(Lane.BULK, "legacy-main", number) for number in range(2)])
    openings = places.openings({"legacy-main": system}, everywhere=True)
    # callers who wait need all of it; the others what is left, and each lane one at least
    assert [one.most for one in openings if one.system_id] == [3, 1, 1]
    places.take(openings, [a_job(Lane.INTERACTIVE, "legacy-main", number) for number in range(3)])
    openings = places.openings({"legacy-main": system}, everywhere=True)
    assert [(one.lane, one.most) for one in openings if one.system_id] == [(Lane.STANDARD, 1)]
