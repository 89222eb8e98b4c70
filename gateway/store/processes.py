"""Running processes, and the rulebooks that were put in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, delete, select, text

from gateway.domain.records import ActivationRecord, ProcessRecord
from gateway.domain.simulations import SimulationState
from gateway.store import schema
from gateway.store.kept import Kept
from gateway.store.schema_activations import heartbeats
from gateway.store.schema_leaders import leader_tasks
from gateway.store.schema_simulations import simulations
from gateway.store.statement import Command
from gateway.store.unit import Unit

PROCESSES: Final = Kept(schema.processes, ProcessRecord)
ACTIVATIONS: Final = Kept(schema.activations, ActivationRecord)

_PROCESS: Final = PROCESSES.by("process_id")
_HOLDING_LEASES: Final = PROCESSES.query(
    PROCESSES.selecting()
    .where(
        schema.processes.c.process_id.in_(
            select(schema.jobs.c.lease_owner).where(schema.jobs.c.lease_until > bindparam("now"))
        )
    )
    .order_by(schema.processes.c.process_id)
)

_process_id: Final = schema.processes.c.process_id
_FORGET: Final = Command(
    delete(schema.processes).where(
        schema.processes.c.registered_at < bindparam("before"),
        _process_id.not_in(select(heartbeats.c.process_id)),
        _process_id.not_in(select(leader_tasks.c.process_id)),
        _process_id.not_in(
            select(simulations.c.process_id).where(simulations.c.state == SimulationState.RUNNING.value)
        ),
        _process_id.not_in(select(schema.jobs.c.lease_owner).where(schema.jobs.c.lease_owner.is_not(None))),
        _process_id.not_in(
            select(schema.steps.c.process_id)
            .join(schema.transactions, schema.transactions.c.transaction_id == schema.steps.c.transaction_id)
            .where(text(schema.OPEN_STATUS))
        ),
    )
)
"""Where something hangs on the proof that a process ended, its row stays: what it sent and nobody knows the outcome of,
what it holds, what it leads. So does that of a process which lives: it has a heartbeat."""

ACTIVATION: Final = ACTIVATIONS.by("activation_number")
_LATEST: Final = ACTIVATIONS.query(
    ACTIVATIONS.selecting().order_by(schema.activations.c.activation_number.desc()).limit(1)
)

ACTIVATION_LOCK: Final = 0x45525041
"""The number of the activation lock among PostgreSQL's advisory locks ("ERPA"). Who asks for the rulebook in force
holds it shared until the commit; who puts another in force takes it alone. So no commit can straddle an activation.
"""


class ProcessWrites:
    """Processes and activations of a unit."""

    __slots__ = ()
    _unit: Unit

    async def insert_process(self, record: ProcessRecord) -> None:
        await self._unit.put(PROCESSES.insert, PROCESSES.params(record))

    async def process(self, process_id: str) -> ProcessRecord | None:
        return await self._unit.one(_PROCESS, {"process_id": process_id})

    async def processes_holding_leases(self, now: int) -> Sequence[ProcessRecord]:
        return await self._unit.all(_HOLDING_LEASES, {"now": now})

    async def forget_processes_before(self, before: int) -> int:
        """Delete those that were registered before then (µs) and on which nothing hangs any more; how many."""
        return await self._unit.run(_FORGET, {"before": before})

    async def latest_activation(self) -> ActivationRecord | None:
        await self._unit.lock(ACTIVATION_LOCK, shared=True)
        return await self._unit.one(_LATEST)

    async def insert_activation(self, record: ActivationRecord) -> None:
        await self._unit.lock(ACTIVATION_LOCK, shared=False)
        await self._unit.put(ACTIVATIONS.insert, ACTIVATIONS.params(record))
