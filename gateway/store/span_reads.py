"""Which transactions were under way at a place of the log.

Those that have ended since are sought by the class of their length: one that was under way at a place began before it
by no more than its class allows, so few others are looked at, however many have ended since.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import CompoundSelect, Select, bindparam, select, text, union_all

from gateway.domain.queries import Visible
from gateway.store import schema
from gateway.store.entry_index import SpanRecord
from gateway.store.filters import seen
from gateway.store.reader import Reader
from gateway.store.schema_queries import HAS_ENDED, LENGTH_CLASS, LENGTHS, NOT_ENDED, indexed_transactions
from gateway.store.statement import Query

_span: Final = indexed_transactions.c
_spans: Final = select(_span.trace, _span.first_index, _span.ended_index)


def _under_way(spans: Select[Any]) -> CompoundSelect[Any]:
    """The first of each class, and of those without an end until now."""
    before = _span.first_index < bindparam("size")
    parts = [spans.where(text(NOT_ENDED), _span.first_index > bindparam("after"), before)]
    parts += [
        spans.where(
            text(f"{LENGTH_CLASS} = {number}"),
            text(HAS_ENDED),
            _span.first_index > bindparam(f"after_{number}"),
            before,
            _span.ended_index >= bindparam("size"),
        )
        for number in range(len(LENGTHS) + 1)
    ]
    firsts = [part.order_by(_span.first_index).limit(bindparam("most")).subquery() for part in parts]
    return union_all(*(select(one.c.trace, one.c.first_index, one.c.ended_index) for one in firsts))


_UNDER_WAY: Final = Query(_under_way(_spans), SpanRecord)


class SpanReads:
    """Questions about transactions by when they were under way."""

    _reader: Reader

    async def under_way(self, size: int, visible: Visible, after: int, limit: int) -> list[SpanRecord]:
        """Transactions that were accepted among the first `size` entries of the log and had not ended among these, in
        the order of their beginning, those behind the place `after`."""
        named = {"size": size, "after": after, "most": limit, f"after_{len(LENGTHS)}": after}
        named |= {f"after_{number}": max(after, size - length) for number, length in enumerate(LENGTHS)}
        core = _UNDER_WAY.core
        if visible.business_units is not None or visible.geographies is not None:
            joined = _spans.join(schema.transactions, schema.transactions.c.transaction_id == _span.trace)
            core = _under_way(seen(joined, schema.transactions, visible))
        found = await self._reader.find(_UNDER_WAY, core, named)
        return sorted(found, key=lambda one: one.first_index)[:limit]
