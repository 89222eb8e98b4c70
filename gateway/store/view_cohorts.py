"""The transactions that a view looks at, as SQL: those accepted in its period, with the keys of its rows.

They are found by their time of acceptance alone, and everything else is looked up from them, so that a view costs what
was accepted in its period.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Select, and_, case, func, literal, null, or_, select

from gateway.domain.months import Month
from gateway.domain.operational_views import Grouping, ViewFilter, months_of
from gateway.domain.queries import Visible
from gateway.store import schema
from gateway.store.columns import TEXT
from gateway.store.filters import seen

KEYS: Final = ("month", "domain", "business_unit", "geography", "side")
"""Columns of a cohort, in the order of ViewKey."""

REFUSED: Final = ("compensated", "rejected")
"""Ends that a caller did not wish for."""

_transaction: Final = schema.transactions.c
_DAY: Final = 86_400_000_000
"""µs."""
_FIRST: Final = 100_000
"""Of a day, whose ids are looked at."""
_SLICE: Final = ("domain", "business_unit", "geography")


def accepted_between(where: ViewFilter, limit: int) -> Select[Any]:
    """How many were accepted in the period, up to the limit; read off the index."""
    found = (
        select(_transaction.accepted_at)
        .where(_transaction.accepted_at >= where.accepted_from, _transaction.accepted_at < where.accepted_until)
        .limit(limit)
        .subquery()
    )
    return select(func.count().label("count")).select_from(found)


def accepted_later(where: ViewFilter, month: Month) -> Select[Any]:
    """A transaction that was accepted in the first day of the period, and bears an id of before that month."""
    # Cut off with LIMIT: nearly none has such an id, so they must be sought among those of the day, not in the table.
    first = (
        select(_transaction.transaction_id)
        .where(
            _transaction.accepted_at >= where.accepted_from,
            _transaction.accepted_at < min(where.accepted_until, where.accepted_from + _DAY),
        )
        .order_by(_transaction.accepted_at)
        .limit(_FIRST)
        .subquery()
    )
    return select(first.c.transaction_id).where(first.c.transaction_id < month.first_trace).limit(1)


def not_of(found: CTE, months: Sequence[Month]) -> CTE:
    """A cohort without the transactions of these months."""
    trace = found.c.transaction_id
    left = [or_(trace < one.first_trace, trace >= one.following.first_trace) for one in months]
    return select(found).where(*left).cte("judged")


def cohort(where: ViewFilter, visible: Visible, by: Sequence[Grouping], *conditions: Any) -> CTE:
    """The transactions with their keys; `conditions`: further ones on `transactions`."""
    core = seen(_keyed(where, by), schema.transactions, visible)
    return core.where(*_of(where), *conditions).cte("cohort")


def paid_orders(where: ViewFilter, visible: Visible, by: Sequence[Grouping]) -> CTE:
    """Posted payments that were accepted in the period and stand, each with every order whose invoices it pays:
    `transaction_id` of the payment, `order_transaction_id`, and the keys of the order."""
    paid, bought = schema.transactions.alias("paid"), schema.transactions.alias("bought")
    document, of_order = schema.documents.alias("payment"), schema.documents.alias("of_order")
    pays, bills = schema.relations.alias("pays"), schema.relations.alias("bills")
    keys = _keys(by, bought.c, paid.c.accepted_at, where)
    core = (
        select(paid.c.transaction_id, bought.c.transaction_id.label("order_transaction_id"), *keys)
        .distinct()
        .select_from(
            paid.join(document, document.c.document_id == paid.c.document_id)
            .join(pays, pays.c.document_id == paid.c.document_id)
            .join(bills, bills.c.document_id == pays.c.target_document_id)
            .join(of_order, of_order.c.document_id == bills.c.target_document_id)
            .join(bought, bought.c.transaction_id == of_order.c.transaction_id)
        )
        .where(
            paid.c.accepted_at >= where.accepted_from,
            paid.c.accepted_at < where.accepted_until,
            paid.c.domain == "payments",
            paid.c.operation == "create",
            # An expression: the partial index of open transactions is no way to what is posted.
            paid.c.status.concat("") == "posted",
            document.c.state == "active",
            pays.c.kind == "follows",
            bills.c.kind == "follows",
            of_order.c.domain.concat("") == "orders",
        )
    )
    for table in (paid, bought):
        core = core.where(*_nodes(table.c, visible.business_units, visible.geographies))
    core = core.where(*_nodes(bought.c, where.business_units, where.geographies))
    if where.side is not None:
        core = core.where(bought.c.side == where.side)
    if where.domain is not None:
        core = core.where(bought.c.domain == where.domain)
    return core.cte("cohort")


def posted_invoices(where: ViewFilter, visible: Visible, by: Sequence[Grouping]) -> CTE:
    """Posted creations of invoices, without credit notes."""
    return cohort(
        where,
        visible,
        by,
        _transaction.domain == "invoices",
        _transaction.document_type == "invoice",
        _transaction.operation == "create",
        _transaction.status.concat("") == "posted",
    )


def counted(found: CTE, limit: int) -> Select[Any]:
    """How many it has, up to the limit."""
    return select(func.count().label("count")).select_from(select(found.c[KEYS[0]]).limit(limit).subquery())


def ordered(columns: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """What is not known last, on both databases."""
    return [column.asc().nulls_last() for column in columns]


def month_of(at: ColumnElement[int], since: int, until: int) -> ColumnElement[Any]:
    """The name of the month of an instant (µs) in [since, until)."""
    return case(*((at < end, literal(name, TEXT)) for name, end in months_of(since, until)), else_=null())


def _keyed(where: ViewFilter, by: Sequence[Grouping]) -> Select[Any]:
    names = ("transaction_id", "document_id", "operation", "status", "client", "source", "replaces", "entry_count")
    return select(*(_transaction[name] for name in names), *_keys(by, _transaction, _transaction.accepted_at, where))


def _keys(
    by: Sequence[Grouping], columns: Any, accepted_at: ColumnElement[int], where: ViewFilter
) -> list[ColumnElement[Any]]:
    """What is not asked for is NULL in every row."""
    nothing = literal(None, TEXT)
    month: ColumnElement[Any] = nothing
    if Grouping.MONTH in by:
        month = month_of(accepted_at, where.accepted_from, where.accepted_until)
    keys: list[ColumnElement[Any]] = [month.label("month")]
    keys += [(columns[name] if Grouping.SLICE in by else nothing).label(name) for name in _SLICE]
    keys.append((columns.side if Grouping.SIDE in by else nothing).label("side"))
    return keys


def _of(where: ViewFilter) -> list[Any]:
    conditions = [
        _transaction.accepted_at >= where.accepted_from,
        _transaction.accepted_at < where.accepted_until,
        *_nodes(_transaction, where.business_units, where.geographies),
    ]
    if where.domain is not None:
        conditions.append(_transaction.domain == where.domain)
    if where.side is not None:
        # What is split has no side of its own; it went to that of each leg. (`Leg.as_wire` writes them so.)
        in_part = and_(_transaction.side.is_(None), _transaction.legs.contains(f'"side":"{where.side}"'))
        conditions.append(or_(_transaction.side == where.side, in_part))
    return conditions


def _nodes(columns: Any, units: frozenset[str] | None, places: frozenset[str] | None) -> list[Any]:
    pairs = ((columns.business_unit, units), (columns.geography, places))
    return [column.in_(sorted(nodes)) for column, nodes in pairs if nodes is not None]
