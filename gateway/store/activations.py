"""What is in force, what is asked to come into force, and which process has what loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.activations import ActivationRequest, ActivationState, Heartbeat, RulesState
from gateway.domain.acts import Acts
from gateway.store import schema_activations as schema
from gateway.store.acts import acts_of
from gateway.store.database_time import DATABASE_NOW
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.processes import ACTIVATION_LOCK
from gateway.store.reader import Reader
from gateway.store.statement import Command, Query
from gateway.store.unit import Unit

REQUESTS: Final = Kept(schema.activation_requests, ActivationRequest, {"state": ActivationState})
HEARTBEATS: Final = Kept(schema.heartbeats, Heartbeat)

_state: Final = schema.rules_state.c
_request: Final = schema.activation_requests.c

# One row, so that it needs no condition; the texts of what is in force lie in another table.
_STATE: Final = Query(select(_state.activation_number, _state.acts_number), RulesState)
_SET_STATE: Final = Command(
    update(schema.rules_state).values(
        {
            _state.activation_number: bindparam("new_activation_number"),
            _state.acts_number: bindparam("new_acts_number"),
        }
    )
)

_REQUEST: Final = REQUESTS.by("activation_id")
_REQUEST_ALONE: Final = REQUESTS.by("activation_id", lock=True)
_OPEN: Final = REQUESTS.query(
    REQUESTS.selecting().where(text(schema.OPEN_REQUEST)).order_by(_request.effective_at, _request.activation_id)
)
_NEWEST: Final = REQUESTS.query(REQUESTS.selecting().order_by(_request.activation_id.desc()).limit(bindparam("limit")))
_REQUEST_KEY: Final = ("activation_id",)
_REQUEST_MUTABLE: Final = (
    "state",
    "entry_count",
    "claimed_by",
    "claimed_until",
    "settled_at",
    "activation_number",
    "failure",
)
_REPLACE_REQUEST: Final = REQUESTS.replace(_REQUEST_KEY, _REQUEST_MUTABLE)

_beating: Final = insert(schema.heartbeats).values({name: bindparam(name) for name in HEARTBEATS.names})
_BEAT: Final = Command(
    _beating.on_conflict_do_update(
        index_elements=[schema.heartbeats.c.process_id],
        set_={name: _beating.excluded[name] for name in HEARTBEATS.names if name != "process_id"},
    )
)
_STOP: Final = Command(delete(schema.heartbeats).where(schema.heartbeats.c.process_id == bindparam("process_id")))
_FORGET: Final = Command(delete(schema.heartbeats).where(schema.heartbeats.c.at < bindparam("before")))
_LIVE: Final = HEARTBEATS.query(
    HEARTBEATS.selecting().where(schema.heartbeats.c.at >= bindparam("since")).order_by(schema.heartbeats.c.process_id)
)


class ActivationWrites:
    """The rules' state, activation requests and heartbeats of a unit."""

    __slots__ = ()
    _unit: Unit

    async def rules_state(self) -> RulesState:
        await self._unit.lock(ACTIVATION_LOCK, shared=True)
        return await self._current()

    async def rules_state_alone(self) -> RulesState:
        await self._unit.lock(ACTIVATION_LOCK, shared=False)
        return await self._current()

    async def _current(self) -> RulesState:
        # A statement of its own, after the lock: on PostgreSQL a statement sees what was committed when it began, so
        # one that waited for the lock and read in one go would read the row as it was before the activation.
        return await self._unit.one(_STATE) or RulesState(0, 0)

    async def set_rules_state(self, state: RulesState) -> None:
        await self._unit.lock(ACTIVATION_LOCK, shared=False)
        await replace_one(
            self._unit,
            _SET_STATE,
            {"new_activation_number": state.activation_number, "new_acts_number": state.acts_number},
        )

    async def database_now(self) -> int:
        return await self._unit.one(DATABASE_NOW) or 0

    async def insert_activation_request(self, record: ActivationRequest) -> None:
        await self._unit.put(REQUESTS.insert, REQUESTS.params(record))

    async def activation_request(self, activation_id: str) -> ActivationRequest | None:
        return await self._unit.one(_REQUEST_ALONE, {"activation_id": activation_id})

    async def update_activation_request(self, record: ActivationRequest) -> None:
        await replace_one(self._unit, _REPLACE_REQUEST, replacing(record, _REQUEST_KEY, _REQUEST_MUTABLE))

    async def put_heartbeat(self, record: Heartbeat) -> None:
        await self._unit.run(_BEAT, HEARTBEATS.params(record))

    async def live_heartbeats(self, since: int) -> Sequence[Heartbeat]:
        return await self._unit.all(_LIVE, {"since": since})

    async def delete_heartbeat(self, process_id: str) -> None:
        await self._unit.run(_STOP, {"process_id": process_id})

    async def delete_heartbeats_before(self, before: int) -> int:
        return await self._unit.run(_FORGET, {"before": before})


class ActivationReads:
    """The same, asked."""

    _reader: Reader

    async def rules_in_force(self) -> tuple[RulesState, Acts]:
        """The numbers, and the acts that lie over the rules at that moment."""
        async with self._reader.moment() as moment:
            found = await moment.all(_STATE)
            acts = await acts_of(moment)
        return (found[0] if found else RulesState(0, 0)), acts

    async def rules_state(self) -> RulesState:
        return await self._reader.one(_STATE) or RulesState(0, 0)

    async def database_now(self) -> int:
        return await self._reader.one(DATABASE_NOW) or 0

    async def activation_request(self, activation_id: str) -> ActivationRequest | None:
        return await self._reader.one(_REQUEST, {"activation_id": activation_id})

    async def activation_requests(self, limit: int) -> Sequence[ActivationRequest]:
        """The newest first."""
        return await self._reader.all(_NEWEST, {"limit": limit})

    async def open_activation_requests(self) -> Sequence[ActivationRequest]:
        """Those that may still come into force, in the order of their times."""
        return await self._reader.all(_OPEN)

    async def live_heartbeats(self, since: int) -> Sequence[Heartbeat]:
        """Of the processes that said since then (µs, database) what they have loaded."""
        return await self._reader.all(_LIVE, {"since": since})
