"""The ledger's `routed` entries by time, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, func, select, text, tuple_

from gateway.domain.entries import EntryKind
from gateway.domain.traffic import RoutedEntry, TrafficCursor
from gateway.store import schema
from gateway.store.index_conditions import ROUTED_KIND
from gateway.store.reader import Reader
from gateway.store.statement import Query

_entries: Final = schema.ledger_entries.c

_routed = select(*(_entries[name] for name in RoutedEntry._fields)).where(text(ROUTED_KIND))

_PAGE: Final = Query(
    _routed.where(
        tuple_(_entries.at, _entries.trace, _entries.seq)
        > tuple_(bindparam("at"), bindparam("trace"), bindparam("seq")),
        _entries.at < bindparam("until"),
    )
    .order_by(_entries.at, _entries.trace, _entries.seq)
    .limit(bindparam("most")),
    RoutedEntry,
)


def _number(count: int) -> int:
    return count


def _seq_of(trace: str, seq: int) -> tuple[str, int]:
    return trace, seq


def _body_of(trace: str, body: bytes) -> tuple[str, bytes]:
    return trace, body


def _name_of(trace: str, external_id: str) -> tuple[str, str]:
    return trace, external_id


_COUNT: Final = Query(
    select(func.count())
    .select_from(schema.ledger_entries)
    .where(text(ROUTED_KIND), _entries.at >= bindparam("since"), _entries.at < bindparam("until")),
    _number,
)
_FIRST: Final = select(_entries.trace, func.min(_entries.seq)).where(_entries.kind == EntryKind.ROUTED.value)
_SEQ: Final = Query(_FIRST.group_by(_entries.trace), _seq_of)
_POSTED: Final = select(_entries.trace, _entries.body).where(_entries.kind == EntryKind.POSTED.value)
_BODY: Final = Query(_POSTED, _body_of)
_transactions: Final = schema.transactions.c
_NAMED: Final = select(_transactions.transaction_id, _transactions.external_id)
_NAME: Final = Query(_NAMED, _name_of)


class TrafficReader:
    """Implements `gateway.cutover.traffic_ports.TrafficReads`."""

    _reader: Reader

    async def routed_entries(self, after: TrafficCursor, until: int, most: int) -> Sequence[RoutedEntry]:
        return await self._reader.all(
            _PAGE, {"at": after.at, "trace": after.trace, "seq": after.seq, "until": until, "most": most}
        )

    async def count_routed(self, since: int, until: int) -> int:
        return await self._reader.one(_COUNT, {"since": since, "until": until}) or 0

    async def first_routed(self, traces: Sequence[str]) -> dict[str, int]:
        found = _FIRST.where(_entries.trace.in_(list(traces))).group_by(_entries.trace)
        return dict(await self._reader.find(_SEQ, found))

    async def posted_bodies(self, traces: Sequence[str]) -> dict[str, bytes]:
        return dict(await self._reader.find(_BODY, _POSTED.where(_entries.trace.in_(list(traces)))))

    async def external_ids(self, traces: Sequence[str]) -> dict[str, str]:
        known = _NAMED.where(_transactions.transaction_id.in_(list(traces)), _transactions.external_id.is_not(None))
        return dict(await self._reader.find(_NAME, known))
