"""Which version each live process has loaded, by the database's clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.cutover.activation_ports import ActivationUnit
from gateway.cutover.rules_holder import RulesHolder
from gateway.domain.activations import Heartbeat

SECOND: Final = 1_000_000
"""Microseconds."""
BEAT_S: Final = 5.0
"""How often a process says what it has loaded where nothing changes; a change is said at once."""
EXPIRED_S: Final = 20.0
"""A heartbeat of this age does not count: the process ended or hangs. Should it come back, its first accept finds that
it holds other rules and loads first."""
FORGOTTEN_S: Final = 3_600.0
"""A heartbeat of this age is deleted."""


async def beat(unit: ActivationUnit, process_id: str, holder: RulesHolder) -> Heartbeat:
    """Say what this process has loaded."""
    now = await unit.database_now()
    said = Heartbeat(
        process_id=process_id,
        activation_number=holder.current.activation_number,
        acts_number=holder.current.acts_number,
        loaded=holder.loaded,
        prepared=" ".join(sorted(holder.prepared)),
        at=now,
    )
    await unit.put_heartbeat(said)
    await unit.delete_heartbeats_before(now - int(FORGOTTEN_S * SECOND))
    return said


async def lacking(unit: ActivationUnit, version: str) -> tuple[Sequence[Heartbeat], Sequence[str]]:
    """The live processes, and the ids of those that do not have the version loaded."""
    live = await unit.live_heartbeats(oldest_that_counts(await unit.database_now()))
    return live, [one.process_id for one in live if not one.has(version)]


def oldest_that_counts(now: int) -> int:
    """µs by the database's clock."""
    return now - int(EXPIRED_S * SECOND)
