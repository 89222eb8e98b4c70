"""Places for jobs: how many of each lane this process carries on at each system.

Every lane has places of its own at every system, so that neither a long run nor a system that is slow or away takes
those of another. What is less urgent leaves a part of the system's own room to the rest (trunk reservation: Erlang's
answer to calls of different worth on one trunk).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gateway.domain.lanes import MOST_URGENT_FIRST, Lane, Opening
from gateway.domain.records import JobRecord
from gateway.transactions.parts import ErpSystem, LaneLimit

ANYWHERE = ""
"""The system of jobs of which nobody can tell yet where they go."""

Group = tuple[Lane, str]


class Places:
    """What is under way in this process, and where more may be due."""

    def __init__(self, lanes: Mapping[Lane, LaneLimit]) -> None:
        self._lanes = lanes
        self._taken: Counter[Group] = Counter()
        self._more: set[Group] = set()

    @property
    def taken(self) -> int:
        """Jobs that this process carries on now."""
        return self._taken.total()

    def openings(
        self, systems: Mapping[str, ErpSystem], *, everywhere: bool, most: int | None = None
    ) -> Sequence[Opening]:
        """Where this process takes jobs now: everywhere, or only where the last look left some. `most`: at each."""
        found = []
        for system_id in (ANYWHERE, *systems):
            for lane in MOST_URGENT_FIRST:
                if not everywhere and (lane, system_id) not in self._more:
                    continue
                opening = self._opening(lane, system_id, systems.get(system_id))
                if most is not None and opening.most > most:
                    opening = replace(opening, most=most)
                if opening.most > 0:
                    found.append(opening)
        return found

    def take(self, openings: Iterable[Opening], jobs: Iterable[JobRecord]) -> None:
        """These jobs were claimed for these openings."""
        claimed = Counter(group_of(job) for job in jobs)
        for one in openings:
            group = (one.lane, one.system_id)
            self._taken[group] += claimed[group]
            # where other processes took what is allowed over all, the next job that ends here looks again
            if claimed[group] >= one.most or (one.caps and self._taken[group] > 0):
                self._more.add(group)
            else:
                self._more.discard(group)

    def give_back(self, job: JobRecord) -> bool:
        """A claimed job is no longer under way; whether another may be due for its place."""
        group = group_of(job)
        self._taken[group] -= 1
        return group in self._more

    def _opening(self, lane: Lane, system_id: str, system: ErpSystem | None) -> Opening:
        mine = self._taken[lane, system_id]
        free = self._lanes[lane].concurrent - mine
        if system is None:
            return Opening(lane, system_id, free)
        free = min(free, self._places_left(lane, system_id, system.places()))
        at = MOST_URGENT_FIRST.index(lane)
        caps = tuple(system.room(self._lanes[one].share) for one in MOST_URGENT_FIRST[: at + 1])
        if caps[at] <= 0:
            return Opening(lane, system_id, 0)
        if lane is Lane.INTERACTIVE:
            # what callers wait for waits at the system itself, behind the calls that others wait for
            return Opening(lane, system_id, min(free, caps[at] - mine))
        # as far as it can be told from here; the store counts what other processes hold
        one = Opening(lane, system_id, free, caps)
        return replace(one, most=one.left(self._taken))

    def _places_left(self, lane: Lane, system_id: str, places: int) -> int:
        """Of this process's share of the system's budget: callers who wait need all of it, the rest what is left."""
        mine = self._taken[lane, system_id]
        if lane is Lane.INTERACTIVE:
            return places - mine
        here = sum(self._taken[one, system_id] for one in MOST_URGENT_FIRST)
        return max(places - here, 1 - mine)


def group_of(job: JobRecord) -> Group:
    """Whose place a job takes."""
    return Lane(job.lane), job.system_id
