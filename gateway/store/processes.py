"""Running processes, and the rulebooks that were put in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, delete, literal_column, select, text, update

from gateway.domain.processes import ProcessRecord
from gateway.domain.records import ActivationRecord
from gateway.domain.simulations import SimulationState
from gateway.store import schema
from gateway.store.columns import TEXT
from gateway.store.index_conditions import OPEN_STATUS
from gateway.store.kept import Kept
from gateway.store.schema_activations import activations, heartbeats
from gateway.store.schema_leaders import leader_tasks
from gateway.store.schema_processes import processes
from gateway.store.schema_simulations import simulations
from gateway.store.statement import Command, Named
from gateway.store.unit import Unit

PROCESSES: Final = Kept(processes, ProcessRecord)
ACTIVATIONS: Final = Kept(activations, ActivationRecord)

_PROCESS: Final = PROCESSES.by("process_id")
_HOLDING_LEASES: Final = PROCESSES.query(
    PROCESSES.selecting()
    .where(
        processes.c.process_id.in_(
            select(schema.jobs.c.lease_owner).where(schema.jobs.c.lease_until > bindparam("now"))
        )
    )
    .order_by(processes.c.process_id)
)

_ENDED: Final = Command(
    update(processes)
    .where(
        processes.c.process_id == bindparam("ended"),
        (processes.c.boot_id == bindparam("boot")) | (bindparam("boot", type_=TEXT) == literal_column("''")),
        processes.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("now"), ended_proof=bindparam("proof"))
)
_process_id: Final = processes.c.process_id
_FORGET: Final = Command(
    delete(processes).where(
        processes.c.registered_at < bindparam("before"),
        _process_id.not_in(select(heartbeats.c.process_id)),
        _process_id.not_in(select(leader_tasks.c.process_id)),
        _process_id.not_in(
            select(simulations.c.process_id).where(simulations.c.state == SimulationState.RUNNING.value)
        ),
        _process_id.not_in(select(schema.jobs.c.lease_owner).where(schema.jobs.c.lease_owner.is_not(None))),
        _process_id.not_in(
            select(schema.steps.c.process_id)
            .join(schema.transactions, schema.transactions.c.transaction_id == schema.steps.c.transaction_id)
            .where(text(OPEN_STATUS))
        ),
    )
)
"""Where something hangs on the proof that a process ended, its row stays: what it sent and nobody knows the outcome of,
what it holds, what it leads. So does that of a process which lives: it has a heartbeat."""

ACTIVATION: Final = ACTIVATIONS.by("activation_number")
_LATEST: Final = ACTIVATIONS.query(ACTIVATIONS.selecting().order_by(activations.c.activation_number.desc()).limit(1))

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

    async def note_process_ended(self, process_id: str, proof: str, now: int, boot_id: str = "") -> bool:
        """Put on record that it ended, if that was not, and if it ran on that boot (empty: on any); whether it was."""
        params: Named = {"ended": process_id, "boot": boot_id, "now": now, "proof": proof}
        return await self._unit.run(_ENDED, params) > 0

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
