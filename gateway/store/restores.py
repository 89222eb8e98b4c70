"""When the record was restored from a back-up."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from gateway.store.reader import Reader
from gateway.store.schema_restores import restores
from gateway.store.statement import Command, Query
from gateway.store.unit import Unit


def _instant(restored_at: int) -> int:
    return restored_at


_ADD: Final = Command(insert(restores).values(restored_at=bindparam("restored_at")).on_conflict_do_nothing())
_LAST: Final = Query(select(func.coalesce(func.max(restores.c.restored_at), 0)), _instant)


class RestoreWrites:
    """Restores of a unit."""

    __slots__ = ()
    _unit: Unit

    async def note_restore(self, restored_at: int) -> None:
        """`restored_at`: µs. What was accepted until then is inquired before it is sent, from the next start on."""
        await self._unit.run(_ADD, {"restored_at": restored_at})


class RestoreReads:
    """The same, asked."""

    _reader: Reader

    async def restored_at(self) -> int:
        """The last restore (µs), 0 where there was none."""
        (last,) = await self._reader.all(_LAST)
        return last
