"""The views of operations. Each is one statement over the transactions of a period and their ledger entries.

Months whose entries were taken out of the database: `cycle-time` has its times from the index then; `recovery-time` and
`complete-traces` need the entries themselves and leave the transactions of such a month out; the others read no entry.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import CTE, Select

from gateway.domain.months import Month
from gateway.domain.operational_views import (
    MOST_ACCEPTED,
    MOST_ROWS,
    MOST_VIEWED,
    AccuracyCounts,
    Durations,
    Grouping,
    TraceCounts,
    UseCounts,
    View,
    ViewFilter,
    ViewKey,
    ViewRow,
    ViewTooWide,
    months_of,
)
from gateway.domain.queries import Visible
from gateway.store.reader import Reader
from gateway.store.statement import Query
from gateway.store.view_cohorts import (
    KEYS,
    accepted_between,
    accepted_later,
    cohort,
    counted,
    not_of,
    paid_orders,
    posted_invoices,
)
from gateway.store.view_counts import api_use, complete_traces, invoice_accuracy
from gateway.store.view_times import cycle_times, recovery_times


class _Shape(NamedTuple):
    """`cohort`: what is counted before anything is read. `rows`: the statement. `row`: makes one of its columns."""

    cohort: Callable[[ViewFilter, Visible, Sequence[Grouping]], CTE]
    rows: Callable[[CTE], Select[Any]]
    row: Callable[..., ViewRow]


class OperationalViewReads:
    """The views."""

    _reader: Reader

    async def view(
        self, view: View, where: ViewFilter, visible: Visible, by: Sequence[Grouping], gone: Collection[Month] = ()
    ) -> Sequence[ViewRow]:
        """Its rows in the order of their keys; `gone`: months whose entries are not in the database. Raises ViewTooWide
        before anything costly is done, and where there are more than MOST_ROWS rows."""
        shape = _SHAPES[view]
        accepted = await self._reader.find(_COUNT, accepted_between(where, MOST_ACCEPTED + 1))
        if accepted[0] > MOST_ACCEPTED:
            raise ViewTooWide(f"more than {MOST_ACCEPTED:,} transactions were accepted in the period")
        found = shape.cohort(where, visible, by)
        viewed = await self._reader.find(_COUNT, counted(found, MOST_VIEWED + 1))
        if viewed[0] > MOST_VIEWED:
            raise ViewTooWide(f"the filter leaves more than {MOST_VIEWED:,} transactions")
        judged = not_of(found, sorted(gone)) if gone and view in _BY_ENTRIES else found
        rows = await self._reader.find(_QUERIES[view], shape.rows(judged).limit(MOST_ROWS + 1))
        if len(rows) > MOST_ROWS:
            raise ViewTooWide(f"the view has more than {MOST_ROWS:,} rows")
        return rows

    async def months_viewed(self, where: ViewFilter, gone: Collection[Month]) -> list[Month]:
        """Which of these months the transactions of the period may be of, the first first. An id is drawn before its
        acceptance, so that the period may begin with transactions of the month before."""
        months = [Month.parse(name) for name, _ in months_of(where.accepted_from, where.accepted_until)]
        if any(one < months[0] for one in gone):
            earlier = await self._reader.find(_TRACE, accepted_later(where, months[0]))
            months = [*filter(None, map(Month.of_trace, earlier)), *months]
        return sorted(set(months) & set(gone))


def _count(number: int) -> int:
    return number


def _trace(transaction_id: str) -> str:
    return transaction_id


def _durations(*columns: Any) -> Durations:
    return Durations(_key(columns), *columns[len(KEYS) :])


def _traces(*columns: Any) -> TraceCounts:
    return TraceCounts(_key(columns), *columns[len(KEYS) :])


def _accuracy(*columns: Any) -> AccuracyCounts:
    return AccuracyCounts(_key(columns), *columns[len(KEYS) :])


def _use(*columns: Any) -> UseCounts:
    return UseCounts(_key(columns), *columns[len(KEYS) :])


def _key(columns: Sequence[Any]) -> ViewKey:
    return ViewKey(*columns[: len(KEYS)])


_SHAPES: Final[Mapping[View, _Shape]] = {
    View.CYCLE_TIME: _Shape(paid_orders, cycle_times, _durations),
    View.RECOVERY_TIME: _Shape(cohort, recovery_times, _durations),
    View.COMPLETE_TRACES: _Shape(cohort, complete_traces, _traces),
    View.INVOICE_ACCURACY: _Shape(posted_invoices, invoice_accuracy, _accuracy),
    View.API_USE: _Shape(cohort, api_use, _use),
}
_BY_ENTRIES: Final = frozenset({View.RECOVERY_TIME, View.COMPLETE_TRACES})
"""What these say of a transaction, only the bytes of its entries tell."""
_SOMETIME: Final = ViewFilter(accepted_from=0, accepted_until=1)
_COUNT: Final = Query(accepted_between(_SOMETIME, 1), _count)
_TRACE: Final = Query(accepted_later(_SOMETIME, Month.at(0)), _trace)
_QUERIES: Final[Mapping[View, Query[ViewRow]]] = {
    view: Query(shape.rows(shape.cohort(_SOMETIME, Visible(), tuple(Grouping))), shape.row)
    for view, shape in _SHAPES.items()
}
