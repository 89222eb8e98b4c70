"""Simulations and dark observation in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, func, literal_column, select

from gateway.domain.simulations import DarkState, DarkWatchRecord, SimulationRecord, SimulationState
from gateway.store import schema_simulations as schema
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.reader import Reader
from gateway.store.statement import Query
from gateway.store.unit import Unit

SIMULATIONS: Final = Kept(schema.simulations, SimulationRecord, {"state": SimulationState})
DARK_WATCHES: Final = Kept(schema.dark_watches, DarkWatchRecord, {"state": DarkState})

_MOST_LISTED: Final = 100
_MOST_COMPARED: Final = 10

_simulation: Final = schema.simulations.c
_watch: Final = schema.dark_watches.c

_SIMULATION: Final = SIMULATIONS.by("simulation_id")
_listed = select(
    *(literal_column("NULL").label("result") if name == "result" else _simulation[name] for name in SIMULATIONS.names)
)
_OF_DRAFT: Final = SIMULATIONS.query(
    _listed.where(_simulation.draft_id == bindparam("draft_id"))
    .order_by(_simulation.simulation_id.desc())
    .limit(_MOST_LISTED)
)
_NEWEST: Final = SIMULATIONS.query(
    SIMULATIONS.selecting()
    .where(
        _simulation.table_version == bindparam("table_version"),
        _simulation.governance_version == bindparam("governance_version"),
        _simulation.base_activation_number == bindparam("base_activation_number"),
        _simulation.state == SimulationState.DONE.value,
    )
    .order_by(_simulation.simulation_id.desc())
    .limit(_MOST_COMPARED)
)
_RUNNING: Final = SIMULATIONS.query(
    SIMULATIONS.selecting()
    .where(_simulation.state == SimulationState.RUNNING.value)
    .order_by(_simulation.simulation_id)
)
_SIMULATION_KEY: Final = ("simulation_id",)
_SIMULATION_MUTABLE: Final = (
    "state",
    "entries",
    "finished_at",
    "position",
    "digest",
    "result_hash",
    "result",
    "failure",
)
_REPLACE_SIMULATION: Final = SIMULATIONS.replace(_SIMULATION_KEY, _SIMULATION_MUTABLE)

_WATCH: Final = DARK_WATCHES.by("draft_id")
_WATCH_ALONE: Final = DARK_WATCHES.by("draft_id", lock=True)
_WATCHING: Final = DARK_WATCHES.query(
    DARK_WATCHES.selecting().where(_watch.state == DarkState.WATCHING.value).order_by(_watch.draft_id)
)


def _number(count: int) -> int:
    return count


_WATCHING_NUMBER: Final = Query(
    select(func.count()).select_from(schema.dark_watches).where(_watch.state == DarkState.WATCHING.value), _number
)
_WATCH_KEY: Final = ("draft_id",)
_WATCH_MUTABLE: Final = tuple(name for name in DARK_WATCHES.names if name != "draft_id")
_REPLACE_WATCH: Final = DARK_WATCHES.replace(_WATCH_KEY, _WATCH_MUTABLE)


class SimulationWrites:
    """Simulations and watches of a unit. Implements `gateway.cutover.simulation_ports.SimulationUnit`."""

    __slots__ = ()
    _unit: Unit

    async def insert_simulation(self, record: SimulationRecord) -> None:
        await self._unit.put(SIMULATIONS.insert, SIMULATIONS.params(record))

    async def update_simulation(self, record: SimulationRecord) -> None:
        await replace_one(self._unit, _REPLACE_SIMULATION, replacing(record, _SIMULATION_KEY, _SIMULATION_MUTABLE))

    async def running_simulations(self) -> Sequence[SimulationRecord]:
        return await self._unit.all(_RUNNING)

    async def locked_dark_watch(self, draft_id: str) -> DarkWatchRecord | None:
        return await self._unit.one(_WATCH_ALONE, {"draft_id": draft_id})

    async def watching_number(self) -> int:
        return await self._unit.one(_WATCHING_NUMBER) or 0

    async def insert_dark_watch(self, record: DarkWatchRecord) -> None:
        await self._unit.put(DARK_WATCHES.insert, DARK_WATCHES.params(record))

    async def update_dark_watch(self, record: DarkWatchRecord) -> None:
        await replace_one(self._unit, _REPLACE_WATCH, replacing(record, _WATCH_KEY, _WATCH_MUTABLE))


class SimulationReader:
    """Implements `gateway.cutover.simulation_ports.SimulationReads`."""

    _reader: Reader

    async def simulation(self, simulation_id: str) -> SimulationRecord | None:
        return await self._reader.one(_SIMULATION, {"simulation_id": simulation_id})

    async def simulations_of(self, draft_id: str) -> Sequence[SimulationRecord]:
        return await self._reader.all(_OF_DRAFT, {"draft_id": draft_id})

    async def newest_simulations(
        self, table_version: str, governance_version: str, base_activation_number: int
    ) -> Sequence[SimulationRecord]:
        return await self._reader.all(
            _NEWEST,
            {
                "table_version": table_version,
                "governance_version": governance_version,
                "base_activation_number": base_activation_number,
            },
        )

    async def dark_watch(self, draft_id: str) -> DarkWatchRecord | None:
        return await self._reader.one(_WATCH, {"draft_id": draft_id})

    async def dark_watches(self) -> Sequence[DarkWatchRecord]:
        return await self._reader.all(_WATCHING)
