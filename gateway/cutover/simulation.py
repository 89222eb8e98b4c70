"""One simulation: a window of recorded traffic through what is in force and a candidate, and the hash of its evidence.

The hash says what was simulated: SHA-256 of the RFC 8785 form of candidate, base and governance versions, window,
ledger position and the digest of the result. The same versions over the same entries give the same hash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

import rfc8785

from gateway.cutover.traffic import PAGE, RecordedTraffic
from gateway.domain.facts import wire_members
from gateway.domain.traffic import LedgerPosition
from gateway.domain.wire import instant
from routing_rules import Replay, Rulebook, Simulation

EVIDENCE_FORMAT: Final = "simulation-evidence/v1"
DAY: Final = 86_400_000_000
"""Microseconds."""
LONGEST_WINDOW: Final = 800 * DAY
"""Two years and a margin: a fiscal year and the one before it."""

Progress = Callable[[int], Awaitable[None]]
"""Told how many entries are read."""


class WindowInvalid(ValueError):
    """The window is empty, too long, or not over yet."""


@dataclass(frozen=True, slots=True)
class Window:
    """[since, until) in µs since 1970 UTC."""

    since: int
    until: int

    def check(self, now: int) -> None:
        """Raises WindowInvalid. A window that reaches into the future would not hold tomorrow what it holds today."""
        if self.until <= self.since:
            raise WindowInvalid("the window is empty: its end must lie after its start")
        if self.until - self.since > LONGEST_WINDOW:
            raise WindowInvalid(f"the window is longer than {LONGEST_WINDOW // DAY} days")
        if self.until > now:
            raise WindowInvalid(f"the window ends after now ({instant(now)}): take an end that is past")


@dataclass(frozen=True, slots=True)
class Versions:
    """What was compared: the candidate, and what was in force."""

    table_version: str
    governance_version: str
    base_activation_number: int
    base_table_version: str
    base_governance_version: str

    @classmethod
    def of(cls, candidate: Rulebook, base: Rulebook, base_activation_number: int) -> Versions:
        """Of two rulebooks."""
        return cls(
            candidate.version,
            candidate.governance_version,
            base_activation_number,
            base.version,
            base.governance_version,
        )


@dataclass(frozen=True)
class SimulationRun:
    """A simulation that is done, with all that its hash binds it to."""

    versions: Versions
    window: Window
    position: LedgerPosition
    simulation: Simulation

    def evidence(self) -> dict[str, Any]:
        """What the hash is of, as JSON values under lowerCamelCase names."""
        versions = self.versions
        return {
            "format": EVIDENCE_FORMAT,
            "candidate": {
                "tableVersion": versions.table_version,
                "governanceVersion": versions.governance_version,
            },
            "base": {
                "activationNumber": versions.base_activation_number,
                "tableVersion": versions.base_table_version,
                "governanceVersion": versions.base_governance_version,
            },
            "window": {"since": instant(self.window.since), "until": instant(self.window.until)},
            "position": self.position.as_json(),
            "resultDigest": self.simulation.digest,
        }

    @cached_property
    def result_hash(self) -> str:
        """SHA-256 of the RFC 8785 form of `evidence`."""
        return sha256(rfc8785.dumps(self.evidence())).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The evidence, its hash, and what was found, all in wire words."""
        return {**self.evidence(), "resultHash": self.result_hash, "found": wire_members(self.simulation.as_json())}


async def run_simulation(
    base: Rulebook,
    candidate: Rulebook,
    versions: Versions,
    window: Window,
    traffic: RecordedTraffic,
    *,
    page: int = PAGE,
    progress: Progress | None = None,
) -> SimulationRun:
    """Replay the window. `page`: entries between two looks at what else is to be done: others run meanwhile.

    Raises StoreUnavailable when the ledger cannot be read.
    """
    replay = Replay(base, candidate)
    async for documents in traffic.pages(page):
        for one in documents:
            replay.take(one)
        if progress is not None:
            await progress(traffic.position.entries)
        await asyncio.sleep(0)
    return SimulationRun(versions, window, traffic.position, replay.result())
