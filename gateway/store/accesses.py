"""Who asked what of the ledger, and who used which scope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, cast, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.accesses import AccessRecord, ScopeUseRecord, ScopeUseSum
from gateway.store import schema_drafts
from gateway.store.columns import INT
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.reader import Reader
from gateway.store.schema_accesses import ledger_accesses, scope_uses
from gateway.store.statement import Command, Query
from gateway.store.unit import Unit

MOST_USES: Final = 10_000
"""Sums of one review; more are cut, and the answer says so."""

ACCESSES: Final = Kept(ledger_accesses, AccessRecord)
_USES: Final = Kept(scope_uses, ScopeUseRecord)
_access: Final = ledger_accesses.c
_use: Final = scope_uses.c

_MUTABLE: Final = ("state", "row_count", "answer_hash", "ended_at", "entry_count")
_REPLACE: Final = ACCESSES.replace(("query_id",), _MUTABLE)
_LISTED: Final = ACCESSES.query(ACCESSES.selecting())
_adding = insert(scope_uses).values({name: bindparam(name) for name in _USES.names})
_ADD: Final = Command(
    _adding.on_conflict_do_update(
        index_elements=["hour_at", "scope", "client", "person", "issuer", "teams"],
        set_={"uses": scope_uses.c.uses + _adding.excluded.uses},
    )
)
_persons: Final = schema_drafts.persons.c


def _name(column: str) -> str:
    return column


_NAME: Final = Query(select(_persons.name).where(_persons.person == bindparam("person")), _name)
_by: Final = (_use.scope, _use.client, _use.person, _use.issuer, _use.teams)
_SUMS: Final = (
    select(
        *_by,
        cast(func.sum(_use.uses), INT).label("uses"),
        func.min(_use.hour_at).label("first_hour_at"),
        func.max(_use.hour_at).label("last_hour_at"),
        func.min(_persons.name).label("name"),
    )
    .select_from(scope_uses.outerjoin(schema_drafts.persons, _persons.person == _use.person))
    .group_by(*_by)
    .order_by(*_by)
    .limit(MOST_USES)
)
_SUM: Final = Query(_SUMS, ScopeUseSum)


class AccessWrites:
    """Accesses of a unit."""

    __slots__ = ()
    _unit: Unit

    async def insert_access(self, record: AccessRecord) -> None:
        await self._unit.put(ACCESSES.insert, ACCESSES.params(record))

    async def end_access(self, record: AccessRecord) -> None:
        await replace_one(self._unit, _REPLACE, replacing(record, ("query_id",), _MUTABLE))

    async def add_scope_uses(self, records: Sequence[ScopeUseRecord]) -> None:
        await self._unit.run_many(_ADD, [_USES.params(one) for one in records])


class AccessReads:
    """The same, asked."""

    _reader: Reader

    async def accesses(
        self, since: int, until: int, limit: int, after: tuple[int, str] | None
    ) -> Sequence[AccessRecord]:
        """Those asked at [since, until), the newest first, behind the one that was asked at `after` and has that id.
        Ids of questions and of packs begin with other letters, so their order is not that of the time."""
        core = ACCESSES.selecting().where(_access.asked_at >= since, _access.asked_at < until)
        if after is not None:
            core = core.where(tuple_(_access.asked_at, _access.query_id) < after)
        core = core.order_by(_access.asked_at.desc(), _access.query_id.desc())
        return await self._reader.find(_LISTED, core.limit(limit))

    async def name_of(self, person: str) -> str | None:
        """The name behind a commitment; None where it was erased."""
        return await self._reader.one(_NAME, {"person": person})

    async def scope_use_sums(self, since: int, until: int) -> Sequence[ScopeUseSum]:
        """Of the hours that begin at [since, until)."""
        core = _SUMS.where(_use.hour_at >= since, _use.hour_at < until)
        return await self._reader.find(_SUM, core)
