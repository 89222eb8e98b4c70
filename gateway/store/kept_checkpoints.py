"""Kept checkpoints in the order of their sizes, each with the newest entry that it covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, func, select

from gateway.store import schema
from gateway.store.entries import of_entry
from gateway.store.log_schema import log_checkpoints, log_entries
from gateway.store.reader import Reader
from gateway.store.statement import Query


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """`newest`: the bytes of the entry at the place `size` - 1; None where it is not stored. `kept_at`: µs; None of
    those that were kept before that was noted."""

    size: int
    note: bytes
    kept_at: int | None
    newest: bytes | None


@dataclass(frozen=True, slots=True)
class KeptCount:
    """How many there are, and the size of the newest; None: there is none."""

    count: int
    newest: int | None


_checkpoint: Final = log_checkpoints.c
_place: Final = log_entries.c
_kept = (
    select(_checkpoint.size, _checkpoint.note, _checkpoint.kept_at)
    .where(_checkpoint.origin == bindparam("origin"), _checkpoint.size > bindparam("after"))
    .order_by(_checkpoint.size)
    .limit(bindparam("most"))
    .subquery("kept")
)
_KEPT: Final = Query(
    select(
        _kept.c.size,
        _kept.c.note,
        _kept.c.kept_at,
        of_entry(schema.ledger_entries.c.body, _place.trace, _place.seq).label("newest"),
    )
    .select_from(_kept.outerjoin(log_entries, _place.log_index == _kept.c.size - 1))
    .order_by(_kept.c.size),
    KeptCheckpoint,
)
_COUNT: Final = Query(
    select(func.count().label("count"), func.max(_checkpoint.size).label("newest"))
    .select_from(log_checkpoints)
    .where(_checkpoint.origin == bindparam("origin")),
    KeptCount,
)


class KeptCheckpointReads:
    """Questions of the audit about checkpoints."""

    _reader: Reader

    async def kept_checkpoints(self, origin: str, after: int, most: int) -> Sequence[KeptCheckpoint]:
        """The next `most` of more than `after` entries."""
        return await self._reader.all(_KEPT, {"origin": origin, "after": after, "most": most})

    async def kept_count(self, origin: str) -> KeptCount:
        """How many there are."""
        return (await self._reader.all(_COUNT, {"origin": origin}))[0]
