"""Tasks that one process does for all: the lease on a task, and the lead that a process has of it.

A lease keeps the peace, by the database's clock; an epoch fences: what a process writes for a task counts only while
the epoch under which it leads is the newest (`gateway.store.led`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RELAY: Final = "relay"
SEQUENCER: Final = "sequencer"
ACTIVATIONS: Final = "activations"
AUTO_PAUSE: Final = "auto_pause"
DARK: Final = "dark"
SWEEP: Final = "sweep"
RETENTION: Final = "retention"


@dataclass(frozen=True, slots=True)
class TaskLease:
    """Who leads a task. `epoch` counts its leaders; `lease_until` (µs, database): 0 after a clean end."""

    task: str
    process_id: str
    epoch: int
    lease_until: int


@dataclass(frozen=True, slots=True)
class StandingLease:
    """The same as it was read. `left`: µs until the lease is over, by the database's clock; below 1: it is over."""

    task: str
    process_id: str
    epoch: int
    left: int


class Lead:
    """This process's lead of one task. `epoch`: None while it has none."""

    def __init__(self, task: str) -> None:
        self.task = task
        self.epoch: int | None = None

    def lose(self, epoch: int) -> None:
        """That epoch is over; one that was taken since stands."""
        if self.epoch == epoch:
            self.epoch = None
