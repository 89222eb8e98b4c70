"""Who used which operation of the API, in which version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam, case, literal, select
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.api_uses import ApiUseRecord, ApiUseSum, Outcome
from gateway.domain.operational_views import ViewTooWide
from gateway.store.columns import TEXT
from gateway.store.exact_sums import summed
from gateway.store.kept import Kept
from gateway.store.reader import Reader
from gateway.store.schema_uses import api_uses
from gateway.store.statement import Command, Query
from gateway.store.unit import Unit
from gateway.store.view_cohorts import month_of, ordered

MOST_SUMS: Final = 10_000
"""Sums of one answer."""

_USES: Final = Kept(api_uses, ApiUseRecord)
_use: Final = api_uses.c
_adding = insert(api_uses).values({name: bindparam(name) for name in _USES.names})
_ADD: Final = Command(
    _adding.on_conflict_do_update(
        index_elements=["hour_at", "client", "source", "api_version", "operation_id", "outcome"],
        set_={"uses": _use.uses + _adding.excluded.uses},
    )
)


def _sums(since: int, until: int, *, by_month: bool) -> Select[Any]:
    month: ColumnElement[Any] = month_of(_use.hour_at, since, until) if by_month else literal(None, TEXT)
    # In a subquery, so that what is grouped by is a column: bound values would differ between the two mentions.
    found = (
        select(month.label("month"), *(_use[name] for name in _USES.names[1:]))
        .where(_use.hour_at >= since, _use.hour_at < until)
        .subquery("found")
    )
    alike = [found.c[name] for name in ("month", "client", "source", "api_version", "operation_id")]
    sums = (summed(case((found.c.outcome == one, found.c.uses), else_=0)).label(one) for one in Outcome)
    return select(*alike, *sums).group_by(*alike).order_by(*ordered(alike))


_SUM: Final = Query(_sums(0, 1, by_month=True), ApiUseSum)


class ApiUseWrites:
    """Uses of a unit."""

    __slots__ = ()
    _unit: Unit

    async def add_api_uses(self, records: Sequence[ApiUseRecord]) -> None:
        """Added to what the hour has already."""
        await self._unit.run_many(_ADD, [_USES.params(one) for one in records])


class ApiUseReads:
    """The same, asked."""

    _reader: Reader

    async def api_use_sums(self, since: int, until: int, *, by_month: bool) -> Sequence[ApiUseSum]:
        """Of the hours that begin at [since, until). Raises ViewTooWide where there are more than MOST_SUMS."""
        sums = await self._reader.find(_SUM, _sums(since, until, by_month=by_month).limit(MOST_SUMS + 1))
        if len(sums) > MOST_SUMS:
            raise ViewTooWide(f"the period has more than {MOST_SUMS:,} sums of requests")
        return sums
