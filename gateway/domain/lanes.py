"""Lanes: who waits for what, so that a billing run does not stand before a person at a screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST_URGENT: Final = 0
DEFAULT_PRIORITY: Final = 3
LEAST_URGENT: Final = 7
"""Priorities are the urgencies of RFC 9218 section 4.1: 0 first, 3 where nobody says, 7 in the background."""


class Lane(StrEnum):
    """What a transaction waits in. Each lane has places of its own in every process.

    `interactive`: somebody waits at a screen. `standard`: handed over, to be done soon. `bulk`: a run of many.
    """

    INTERACTIVE = "interactive"
    STANDARD = "standard"
    BULK = "bulk"


MOST_URGENT_FIRST: Final = (Lane.INTERACTIVE, Lane.STANDARD, Lane.BULK)


@dataclass(frozen=True, slots=True)
class Queueing:
    """How a request wants to be queued.

    `priority` orders the jobs of a lane at one system. `alone`: the acceptance is a commit of its own, and a worker
    routes and sends; otherwise both are one commit, and whoever accepted sends.
    """

    lane: Lane = Lane.INTERACTIVE
    priority: int = DEFAULT_PRIORITY
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """Places for jobs of one lane at one system (empty: jobs of which nobody can tell yet where they go).

    `most`: how many this process takes now. `caps`: what all processes together may hold there, in the order of the
    lanes: the first of all lanes, the next of all but the most urgent, and so on to this lane; empty where that is not
    limited. One job of a lane may always be there.
    """

    lane: Lane
    system_id: str
    most: int
    caps: tuple[int, ...] = ()

    def left(self, leased: Mapping[tuple[Lane, str], int]) -> int:
        """How many may be taken, where so many are leased by lane and system."""
        held = [leased.get((lane, self.system_id), 0) for lane in MOST_URGENT_FIRST]
        under_caps = [cap - sum(held[at:]) for at, cap in enumerate(self.caps)]
        mine = leased.get((self.lane, self.system_id), 0)
        return min(self.most, max(1 - mine, min(under_caps, default=self.most)))


SYNCHRONOUS: Final = Queueing()
RESPOND_ASYNC: Final = Queueing(Lane.STANDARD, alone=True)
IN_BULK: Final = Queueing(Lane.BULK, alone=True)
