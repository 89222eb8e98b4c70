"""Open lineages by slice, side, age and reason; who has open lineages on both sides; when lineages came and closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, case, func, literal, select, union_all

from gateway.domain.open_lineages import (
    AGES,
    DAY,
    DayCount,
    InBoth,
    OpenFilter,
    OpenGroup,
    OpenLineage,
    RootGroup,
)
from gateway.domain.queries import Visible
from gateway.store import schema
from gateway.store.exact_sums import amount_from, millionths_of, summed, whole_of
from gateway.store.open_parts import OpenParts, open_parts, roots_of
from gateway.store.reader import Reader
from gateway.store.statement import Query

_EVERYTHING: Final = OpenFilter()
_PLACE: Final = ("domain", "business_unit", "geography", "company_code", "side", "system_id")
_transaction: Final = schema.transactions.c


class OpenLineageReads:
    """The questions of boards and gates. Each is one statement."""

    _reader: Reader

    async def open_groups(self, where: OpenFilter, visible: Visible, now: int) -> Sequence[OpenGroup]:
        """All open lineages, by what they have in common."""
        return await self._reader.find(_GROUP, _grouped(open_parts(where, visible), now))

    async def open_lineages(
        self, where: OpenFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[OpenLineage]:
        """The open lineages after that one, oldest first: `limit` of them at most, each with all its reasons."""
        return await self._reader.find(_LINEAGE, _paged(open_parts(where, visible), limit, after))

    async def root_groups(self, where: OpenFilter, visible: Visible) -> Sequence[RootGroup]:
        """All roots, open or not, by what they have in common."""
        return await self._reader.find(_ROOTS, _roots(where, visible))

    async def open_in_both(self, where: OpenFilter, visible: Visible) -> Sequence[InBoth]:
        """Customers with open lineages in legacy and in the cloud, by side and currency."""
        return await self._reader.find(_IN_BOTH, _in_both(open_parts(where, visible)))

    async def days(self, where: OpenFilter, visible: Visible, since: int) -> Sequence[DayCount]:
        """When lineages came and when they closed, by day; what happened before `since` (µs) is put on one day
        before it."""
        return await self._reader.find(_DAYS, _by_day(open_parts(where, visible), since))


def _group(*columns: Any) -> OpenGroup:
    return OpenGroup(*_with_amount(columns))


def _lineage(*columns: Any) -> OpenLineage:
    return OpenLineage(*_with_amount(columns))


def _root_group(*columns: Any) -> RootGroup:
    return RootGroup(*_with_amount(columns))


def _both(*columns: Any) -> InBoth:
    return InBoth(*_with_amount(columns))


def _with_amount(columns: Sequence[Any]) -> Sequence[Any]:
    """The last two columns, whole units and millionths, made one."""
    return [*columns[:-2], amount_from(columns[-2], columns[-1])]


def _age(created_at: ColumnElement[int], now: int) -> ColumnElement[int]:
    older_first = sorted(AGES, reverse=True)
    return case(*((created_at <= now - days * DAY, literal(days)) for days in older_first if days), else_=literal(0))


def _grouped(found: OpenParts, now: int) -> Select[Any]:
    roots, parts = found
    place = [roots.c[name] for name in _PLACE]
    age = _age(roots.c.created_at, now).label("age")
    of_lineage = (
        select(
            *place,
            age,
            parts.c.reason,
            parts.c.currency_code,
            # one row of each lineage counts it
            case(
                (
                    func.row_number().over(
                        partition_by=roots.c.lineage_id, order_by=(parts.c.reason, parts.c.currency_code)
                    )
                    == 1,
                    1,
                ),
                else_=0,
            ).label("first"),
            func.count().label("parts"),
            func.sum(parts.c.whole).label("whole"),
            func.sum(parts.c.millionths).label("millionths"),
        )
        .select_from(parts.outerjoin(roots, roots.c.lineage_id == parts.c.lineage_id))
        .group_by(roots.c.lineage_id, *place, age, parts.c.reason, parts.c.currency_code)
        .subquery("of_lineage")
    )
    alike = [of_lineage.c[name] for name in (*_PLACE, "age", "reason", "currency_code")]
    return (
        select(
            *alike,
            summed(of_lineage.c.first).label("lineages"),
            summed(of_lineage.c.parts).label("parts"),
            summed(of_lineage.c.whole).label("whole"),
            summed(of_lineage.c.millionths).label("millionths"),
        )
        .group_by(*alike)
        .order_by(*alike)
    )


def _paged(found: OpenParts, limit: int, after: str | None) -> Select[Any]:
    roots, parts = found
    page = select(parts.c.lineage_id).distinct().order_by(parts.c.lineage_id).limit(limit)
    if after is not None:
        page = page.where(parts.c.lineage_id > after)
    shown = page.subquery("page")
    alike = [
        roots.c.lineage_id,
        roots.c.domain,
        roots.c.business_unit,
        roots.c.geography,
        roots.c.company_code,
        roots.c.customer_id,
        roots.c.side,
        roots.c.system_id,
        roots.c.created_at,
        parts.c.reason,
        parts.c.currency_code,
    ]
    return (
        select(
            *alike,
            func.count().label("parts"),
            summed(parts.c.whole).label("whole"),
            summed(parts.c.millionths).label("millionths"),
        )
        .select_from(
            shown.outerjoin(parts, parts.c.lineage_id == shown.c.lineage_id).outerjoin(
                roots, roots.c.lineage_id == shown.c.lineage_id
            )
        )
        .group_by(*alike)
        .order_by(roots.c.lineage_id, parts.c.reason, parts.c.currency_code)
    )


def _roots(where: OpenFilter, visible: Visible) -> Select[Any]:
    roots = roots_of(where, visible)
    alike = [roots.c[name] for name in (*_PLACE, "currency_code")]
    return (
        select(
            *alike,
            func.count().label("roots"),
            summed(whole_of(roots.c.amount)).label("whole"),
            summed(millionths_of(roots.c.amount)).label("millionths"),
        )
        .group_by(*alike)
        .order_by(*alike)
    )


def _in_both(found: OpenParts) -> Select[Any]:
    roots, parts = found
    of_customer = (
        select(
            roots.c.side,
            parts.c.currency_code,
            func.count(parts.c.lineage_id.distinct()).label("lineages"),
            func.sum(parts.c.whole).label("whole"),
            func.sum(parts.c.millionths).label("millionths"),
            func.min(roots.c.side).over(partition_by=roots.c.customer_id).label("first_side"),
            func.max(roots.c.side).over(partition_by=roots.c.customer_id).label("last_side"),
        )
        .select_from(parts.outerjoin(roots, roots.c.lineage_id == parts.c.lineage_id))
        .where(roots.c.customer_id.is_not(None), roots.c.side.is_not(None))
        .group_by(roots.c.customer_id, roots.c.side, parts.c.currency_code)
        .subquery("of_customer")
    )
    alike = [of_customer.c.side, of_customer.c.currency_code]
    return (
        select(
            *alike,
            func.count().label("customers"),
            summed(of_customer.c.lineages).label("lineages"),
            summed(of_customer.c.whole).label("whole"),
            summed(of_customer.c.millionths).label("millionths"),
        )
        .where(of_customer.c.first_side != of_customer.c.last_side)
        .group_by(*alike)
        .order_by(*alike)
    )


def _by_day(found: OpenParts, since: int) -> Select[Any]:
    roots, parts = found
    first = since // DAY
    # Joining roots with what is open would be slow on one of the databases; sorting both together is not.
    flagged = union_all(
        select(roots.c.lineage_id, roots.c.created_at, literal(0).label("is_open")),
        select(parts.c.lineage_id, literal(0).label("created_at"), literal(1).label("is_open")),
    ).subquery("flagged")
    closed_lineages = (
        select(flagged.c.lineage_id, func.max(flagged.c.created_at).label("created_at"))
        .group_by(flagged.c.lineage_id)
        .having(func.max(flagged.c.is_open) == 0)
        .subquery("closed_lineages")
    )
    moved = (
        select(func.max(_transaction.updated_at))
        .where(_transaction.lineage_id == closed_lineages.c.lineage_id)
        .correlate(closed_lineages)
        .scalar_subquery()
    )
    came = select(_day(roots.c.created_at, first), literal(1).label("came"), literal(0).label("closed"))
    closed = select(
        _day(func.coalesce(moved, closed_lineages.c.created_at), first),
        literal(0).label("came"),
        literal(1).label("closed"),
    )
    both = came.union_all(closed).subquery("both")
    return (
        select(both.c.day, summed(both.c.came).label("came"), summed(both.c.closed).label("closed"))
        .group_by(both.c.day)
        .order_by(both.c.day)
    )


def _day(at: ColumnElement[int], first: int) -> ColumnElement[int]:
    day = at // DAY
    return case((day < first, literal(first - 1)), else_=day).label("day")


_NOBODY: Final = open_parts(_EVERYTHING, Visible())
_GROUP: Final = Query(_grouped(_NOBODY, 0), _group)
_LINEAGE: Final = Query(_paged(_NOBODY, 1, None), _lineage)
_ROOTS: Final = Query(_roots(_EVERYTHING, Visible()), _root_group)
_IN_BOTH: Final = Query(_in_both(_NOBODY), _both)
_DAYS: Final = Query(_by_day(_NOBODY, 0), DayCount)
