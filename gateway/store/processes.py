"""Running processes, and the rulebooks that were put in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select

from gateway.domain.records import ActivationRecord, ProcessRecord
from gateway.store import schema
from gateway.store.kept import Kept
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

    async def latest_activation(self) -> ActivationRecord | None:
        await self._unit.lock(ACTIVATION_LOCK, shared=True)
        return await self._unit.one(_LATEST)

    async def insert_activation(self, record: ActivationRecord) -> None:
        await self._unit.lock(ACTIVATION_LOCK, shared=False)
        await self._unit.put(ACTIVATIONS.insert, ACTIVATIONS.params(record))
