"""Acts: overlays and periods, as units write them and as the rules in force take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, bindparam, case, func, literal, or_, select, text

from gateway.domain.act_records import OverlayRecord, PeriodRecord
from gateway.domain.acts import ActiveOverlay, Acts, PeriodStanding
from gateway.domain.outcomes import MISCONFIGURED, SliceOutcomes
from gateway.store import schema as main
from gateway.store import schema_acts as schema
from gateway.store.index_conditions import OPEN_STATUS
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.reader import Moment, Reader
from gateway.store.statement import Query
from gateway.store.unit import Unit

OVERLAYS: Final = Kept(schema.overlays, OverlayRecord)
PERIODS: Final = Kept(schema.periods, PeriodRecord)

_overlay: Final = schema.overlays.c
_transaction: Final = main.transactions.c
_misconfigured: Final = and_(_transaction.status == "dispatched", _transaction.problem.like(f"%{MISCONFIGURED}%"))
_period: Final = schema.periods.c

_OVERLAY: Final = OVERLAYS.by("overlay_id")
_OVERLAY_LOCKED: Final = OVERLAYS.by("overlay_id", lock=True)
_OVERLAY_KEY: Final = ("overlay_id",)
_OVERLAY_MUTABLE: Final = (
    "lift_asked_at",
    "lift_asked_by",
    "lift_asked_person",
    "lift_payload_id",
    "lifted_at",
    "lifted_by",
    "lifted_person",
    "entry_count",
)
_REPLACE_OVERLAY: Final = OVERLAYS.replace(_OVERLAY_KEY, _OVERLAY_MUTABLE)
_NEWEST_OVERLAYS: Final = OVERLAYS.query(OVERLAYS.selecting())
_NOT_LIFTED: Final = OVERLAYS.query(OVERLAYS.selecting().where(text(schema.NOT_LIFTED)).order_by(_overlay.overlay_id))

_PERIOD_LOCKED: Final = PERIODS.by("company_code", "period", lock=True)
_PERIOD_KEY: Final = ("company_code", "period")
_PERIOD_MUTABLE: Final = tuple(name for name in PERIODS.names if name not in (*_PERIOD_KEY, "trace"))
_REPLACE_PERIOD: Final = PERIODS.replace(_PERIOD_KEY, _PERIOD_MUTABLE)
_NEWEST_PERIODS: Final = PERIODS.query(PERIODS.selecting())


def _active(
    overlay_id: str, overlay: str, domain: str, business_unit: str, geography: str, expected_until: int | None
) -> ActiveOverlay:
    return ActiveOverlay(
        overlay_id=overlay_id,
        overlay=overlay,
        domain=domain,
        business_unit=business_unit,
        geography=geography,
        expected_until=expected_until,
    )


def _standing(
    company_code: str, period: str, starts: str, ends: str, state: str, tie_out_id: str | None
) -> PeriodStanding:
    return PeriodStanding(
        company_code=company_code,
        period=period,
        starts=starts,
        ends=ends,
        closed=state == "closed",
        tied_out=tie_out_id is not None,
    )


_ACTIVE: Final = Query(
    select(
        _overlay.overlay_id,
        _overlay.overlay,
        _overlay.domain,
        _overlay.business_unit,
        _overlay.geography,
        _overlay.expected_until,
    )
    .where(text(schema.NOT_LIFTED))
    .order_by(_overlay.overlay_id),
    _active,
)
_BITING: Final = Query(
    select(_period.company_code, _period.period, _period.starts, _period.ends, _period.state, _period.tie_out_id)
    .where(or_(_period.state == "closed", _period.tie_out_id.is_not(None)))
    .order_by(_period.company_code, _period.period),
    _standing,
)


_OPEN_IN_PERIOD: Final = Query(
    select(func.count().label("open"))
    .select_from(main.transactions)
    .where(
        text(OPEN_STATUS),
        # a leg may lie in the book of another company code than its document
        or_(
            _transaction.company_code == bindparam("company_code"),
            _transaction.legs.like(literal('%"companyCode":"').concat(bindparam("company_code")).concat('"%')),
        ),
        _transaction.posting_date >= bindparam("starts"),
        _transaction.posting_date < bindparam("ends"),
    ),
    int,
)

# What the gateway keeps itself is not sent. Whatever else has a system was dispatched in the commit that gave it one.
_OUTCOMES: Final = Query(
    select(
        _transaction.domain,
        _transaction.business_unit,
        _transaction.geography,
        func.count().label("sent"),
        func.sum(case((or_(_transaction.status == "rejected", _misconfigured), 1), else_=0)).label("failed"),
        func.sum(case((or_(_transaction.status == "unknown", _transaction.status == "in_doubt"), 1), else_=0)).label(
            "unknown"
        ),
    )
    .where(
        _transaction.accepted_at >= bindparam("since"),
        or_(
            and_(_transaction.system_id.is_not(None), _transaction.system_id != "gateway"),
            _transaction.legs.is_not(None),
        ),
    )
    .group_by(_transaction.domain, _transaction.business_unit, _transaction.geography)
    .order_by(_transaction.domain, _transaction.business_unit, _transaction.geography),
    SliceOutcomes,
)


async def acts_of(moment: Moment) -> Acts:
    """Overlays that are set, and periods that are closed or tied out."""
    return Acts(overlays=tuple(await moment.all(_ACTIVE)), periods=tuple(await moment.all(_BITING)))


class ActWrites:
    """Overlays and periods of a unit. Whatever changes what bites also raises the acts number."""

    __slots__ = ()
    _unit: Unit

    async def insert_overlay(self, record: OverlayRecord) -> None:
        await self._unit.put(OVERLAYS.insert, OVERLAYS.params(record))

    async def overlay(self, overlay_id: str) -> OverlayRecord | None:
        return await self._unit.one(_OVERLAY_LOCKED, {"overlay_id": overlay_id})

    async def update_overlay(self, record: OverlayRecord) -> None:
        await replace_one(self._unit, _REPLACE_OVERLAY, replacing(record, _OVERLAY_KEY, _OVERLAY_MUTABLE))

    async def overlays_not_lifted(self) -> Sequence[OverlayRecord]:
        return await self._unit.all(_NOT_LIFTED)

    async def open_in_period(self, company_code: str, starts: str, ends: str) -> int:
        params = {"company_code": company_code, "starts": starts, "ends": ends}
        return await self._unit.one(_OPEN_IN_PERIOD, params) or 0

    async def insert_period(self, record: PeriodRecord) -> None:
        await self._unit.put(PERIODS.insert, PERIODS.params(record))

    async def period(self, company_code: str, period: str) -> PeriodRecord | None:
        return await self._unit.one(_PERIOD_LOCKED, {"company_code": company_code, "period": period})

    async def update_period(self, record: PeriodRecord) -> None:
        await replace_one(self._unit, _REPLACE_PERIOD, replacing(record, _PERIOD_KEY, _PERIOD_MUTABLE))


class ActReads:
    """The same, asked."""

    _reader: Reader

    async def overlay(self, overlay_id: str) -> OverlayRecord | None:
        return await self._reader.one(_OVERLAY, {"overlay_id": overlay_id})

    async def overlays(self, *, lifted: bool, limit: int, after: str | None) -> Sequence[OverlayRecord]:
        """The newest first, older than `after` (an overlay's id); the lifted ones too, or without them."""
        core = OVERLAYS.selecting().order_by(_overlay.overlay_id.desc()).limit(limit)
        if not lifted:
            core = core.where(text(schema.NOT_LIFTED))
        if after is not None:
            core = core.where(_overlay.overlay_id < after)
        return await self._reader.find(_NEWEST_OVERLAYS, core)

    async def outcomes_by_slice(self, since: int) -> Sequence[SliceOutcomes]:
        return await self._reader.all(_OUTCOMES, {"since": since})

    async def periods(
        self, company_code: str | None, limit: int, after: tuple[str, str] | None
    ) -> Sequence[PeriodRecord]:
        """By company code and period, the newest period first; those behind `after`."""
        core = PERIODS.selecting().order_by(_period.company_code, _period.period.desc()).limit(limit)
        if company_code is not None:
            core = core.where(_period.company_code == company_code)
        if after is not None:
            core = core.where(
                or_(
                    _period.company_code > after[0],
                    (_period.company_code == after[0]) & (_period.period < after[1]),
                )
            )
        return await self._reader.find(_NEWEST_PERIODS, core)
