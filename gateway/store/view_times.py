"""How long it took, as SQL over a cohort: from order to cash, and from a failure to the posting that made it good."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, FromClause, Select, Subquery, and_, case, exists, func, not_, select

from gateway.domain.entries import EntryKind
from gateway.store import schema
from gateway.store.entry_bytes import AFTER_NOT_SENT, holds
from gateway.store.log_schema import log_entries
from gateway.store.schema_queries import indexed_entries
from gateway.store.view_cohorts import KEYS, REFUSED, ordered

_entry: Final = schema.ledger_entries.c
_place: Final = log_entries.c
_indexed: Final = indexed_entries.c
_FAILURES: Final = tuple(
    kind.value for kind in (EntryKind.UNKNOWN, EntryKind.IN_DOUBT, EntryKind.REJECTED, EntryKind.COMPENSATING)
)


def cycle_times(found: CTE) -> Select[Any]:
    """Of `paid_orders`: from the order's `accepted` to the payment's `posted`."""
    posted = _recorded_at(found.c.transaction_id, EntryKind.POSTED, found)
    accepted = _recorded_at(found.c.order_transaction_id, EntryKind.ACCEPTED, found)
    took = select(*(found.c[name] for name in KEYS), (posted - accepted).label("took")).subquery("took")
    return _percentiles(took)


def recovery_times(found: CTE) -> Select[Any]:
    """Of what failed first: from the entry that says so to `posted`, of itself or of what was sent in its place."""
    dispatched, posted = EntryKind.DISPATCHED.value, EntryKind.POSTED.value
    steps = (
        select(
            _entry.trace,
            _entry.kind,
            _entry.at,
            # When what was not sent was to be sent: that it was not has no entry of its own.
            func.lag(_entry.at).over(partition_by=_entry.trace, order_by=_entry.seq).label("before_at"),
            case((_entry.kind == dispatched, holds(_entry.body, AFTER_NOT_SENT))).label("is_repeat"),
        )
        .select_from(found.join(schema.ledger_entries, _entry.trace == found.c.transaction_id))
        .where(_entry.kind.in_((*_FAILURES, dispatched, posted)))
        .subquery("steps")
    )
    failed_at = func.min(
        case(
            (steps.c.kind.in_(_FAILURES), steps.c.at),
            (and_(steps.c.kind == dispatched, steps.c.is_repeat), steps.c.before_at),
        )
    )
    failed = (
        select(
            steps.c.trace,
            failed_at.label("failed_at"),
            func.max(case((steps.c.kind == posted, steps.c.at))).label("posted_at"),
        )
        .group_by(steps.c.trace)
        .having(failed_at.is_not(None))
        .subquery("failed")
    )
    own = case((found.c.status == "posted", failed.c.posted_at))
    took = (
        select(
            *(found.c[name] for name in KEYS),
            (func.coalesce(own, _posted_instead(found)) - failed.c.failed_at).label("took"),
        )
        .select_from(failed.join(found, found.c.transaction_id == failed.c.trace))
        .where(not_(_mends_a_refusal(found)))
        .subquery("took")
    )
    return _percentiles(took)


def _posted_instead(found: CTE) -> Any:
    """When what was sent in the place of a refused creation was posted: there is one of it at most."""
    instead = schema.transactions.alias("instead")
    return (
        select(func.max(_recorded_at(instead.c.transaction_id, EntryKind.POSTED, instead)))
        .where(
            found.c.operation == "create",
            instead.c.document_id == found.c.document_id,
            instead.c.transaction_id > found.c.transaction_id,
            instead.c.operation == "create",
            # An expression: the partial index of open transactions is no way to what is posted.
            instead.c.status.concat("") == "posted",
        )
        .correlate(found)
        .scalar_subquery()
    )


def _recorded_at(trace: ColumnElement[str], kind: EntryKind, outer: FromClause) -> ColumnElement[int]:
    """When the newest entry of a kind says that it was made; of archived entries the index still knows."""
    stored = select(func.max(_entry.at)).where(_entry.trace == trace, _entry.kind == kind.value)
    indexed = (
        select(func.max(_indexed.at))
        .select_from(log_entries.join(indexed_entries, _indexed.log_index == _place.log_index))
        .where(_place.trace == trace, _indexed.kind == kind.value)
    )
    return func.coalesce(stored.correlate(outer).scalar_subquery(), indexed.correlate(outer).scalar_subquery())


def _mends_a_refusal(found: CTE) -> Any:
    """It belongs to the recovery of what it replaces."""
    replaced = schema.transactions.alias("replaced")
    return exists(
        select(replaced.c.transaction_id)
        .where(replaced.c.transaction_id == found.c.replaces, replaced.c.status.concat("").in_(REFUSED))
        .correlate(found)
    )


def _percentiles(took: Subquery) -> Select[Any]:
    """By nearest rank: the least value that so many of a hundred do not exceed."""
    keys = [took.c[name] for name in KEYS]
    unmeasured = took.c.took.is_(None)
    ranked = select(
        *keys,
        took.c.took,
        func.row_number()
        .over(partition_by=[*keys, case((unmeasured, 1), else_=0)], order_by=took.c.took)
        .label("place"),
        func.count(took.c.took).over(partition_by=keys).label("measured"),
    ).subquery("ranked")
    alike = [ranked.c[name] for name in KEYS]

    def ranking(rank: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.max(case((ranked.c.place == rank, ranked.c.took)))

    return (
        select(
            *alike,
            func.count().label("counted"),
            func.count(ranked.c.took).label("measured"),
            ranking((ranked.c.measured + 1) // 2).label("median"),
            ranking((ranked.c.measured * 95 + 99) // 100).label("p95"),
            func.max(ranked.c.took).label("longest"),
        )
        .group_by(*alike)
        .order_by(*ordered(alike))
    )
