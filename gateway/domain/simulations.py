"""What is kept of simulations and of dark observation; one frozen record per table row.

Times are µs since 1970 UTC. Field names are the column names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SimulationState(StrEnum):
    """How far a simulation is. `failed`: it found nothing; ask for another one."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class DarkState(StrEnum):
    """Whether a candidate is still evaluated beside live traffic."""

    WATCHING = "watching"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SimulationRecord:
    """A simulation of a draft's candidate over the window [since, until).

    `table_version`, `governance_version`: of the candidate; `base_…`: of what was in force. `process_id`: who runs it.
    `expected`: entries of the window when it began; `entries`: how many are read. Once it is done: `position`: what was
    read, as JSON; `digest` names the result alone; `result_hash` binds it to versions, window and position; `result` is
    RFC 8785 text. `failure`: a sentence.
    """

    simulation_id: str
    draft_id: str
    table_version: str
    governance_version: str
    base_activation_number: int
    base_table_version: str
    base_governance_version: str
    since: int
    until: int
    state: SimulationState
    requested_at: int
    requested_by: str
    process_id: str
    expected: int
    entries: int = 0
    finished_at: int | None = None
    position: str | None = None
    digest: str | None = None
    result_hash: str | None = None
    result: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class DarkWatchRecord:
    """A draft's candidate that is evaluated beside live traffic.

    `rules`, `governance`: its RFC 8785 texts. `read_…`: behind which entry it reads on. `found`: counters and samples,
    as JSON.
    """

    draft_id: str
    table_version: str
    rules: str
    governance: str
    state: DarkState
    started_at: int
    started_by: str
    ended_at: int | None
    read_at: int
    read_trace: str
    read_seq: int
    found: str
