"""The board: where each slice stands, what is open in it on either side, and what going on or back would meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gateway.cutover.board_ports import BoardReads
from gateway.cutover.slices import SliceMaps, SliceName
from gateway.domain.acts import ActiveOverlay, Acts
from gateway.domain.open_lineages import (
    AGES,
    DAY,
    FOLLOW_UPS,
    InBoth,
    OpenFilter,
    OpenGroup,
    OpenLineage,
    Reason,
    RootGroup,
    total_of,
)
from gateway.domain.queries import Visible
from gateway.transactions.ports import Clock
from routing_rules import MASTER_DOMAINS, Outcome, Rulebook, SliceState

SIDES: Final = ("legacy", "cloud")
BURN_DOWN_DAYS: Final = 30
"""Days that a burn-down goes back."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many lineages, and how much money by currency."""

    count: int
    amounts: dict[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceLine:
    """A slice as the board shows it. `roots`, `open`: by side; lineages without a pin are under `unrouted`."""

    name: SliceName
    states: tuple[SliceState, ...]
    overlays: tuple[ActiveOverlay, ...]
    roots: dict[str, Tally]
    open: dict[str, Tally]

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages inside of it, in their order; a conflict is one."""
        found = {one.state.stage.value if isinstance(one.state, Outcome) else one.state for one in self.states}
        return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class AgeTally:
    """Open lineages of an age. `until_days`: excluded; None: no end."""

    from_days: int
    until_days: int | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class BurnDownDay:
    """A day (since 1970 UTC): lineages that came and closed on it, and those open at its end."""

    day: int
    came: int
    closed: int
    open: int


@dataclass(frozen=True, slots=True)
class ExpectedFollowUps:
    """Documents that are open for this reason, their open amounts, and what is to come for them."""

    reason: str
    documents: int
    amounts: dict[str, Decimal]
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceDetail:
    """`ages`, `days`: of what is open in legacy (the drain). `impact`, `follow_ups`: what was born in the cloud and
    is open there: it stays there if the slice goes back, with all that follows from it."""

    line: SliceLine
    ages: tuple[AgeTally, ...]
    days: tuple[BurnDownDay, ...]
    by_company_code: dict[str, dict[str, Tally]]
    in_both: dict[str, Tally]
    customers_in_both: int
    impact: Tally
    follow_ups: tuple[ExpectedFollowUps, ...]


class Board:
    """Answers from the record and the rules in force. `acts`: what lies over them now."""

    def __init__(
        self, reads: BoardReads, rulebook: Callable[[], Rulebook], acts: Callable[[], Acts], clock: Clock
    ) -> None:
        self._reads = reads
        self._rulebook = rulebook
        self._acts = acts
        self._clock = clock
        self._maps = SliceMaps(rulebook)

    def slice(self, text: str) -> SliceName:
        """The slice of an id. Raises Problem `unknown-node`, or DomainNotServed."""
        return SliceName.read(text, self._rulebook())

    def states(self, name: SliceName) -> tuple[SliceState, ...]:
        """What its parts are given."""
        return self._maps.current().states(name.domain, name.business_unit, name.geography)

    async def page(
        self, visible: Visible, *, domain: str | None, stage: str | None, limit: int, after: str | None
    ) -> Sequence[SliceLine]:
        """Slices that the table names or that have documents, by name, after that id. A slice holds all below its
        nodes, so a wide one counts what a narrow one inside of it counts too."""
        where = OpenFilter(domain=domain)
        opened = await self._reads.open_groups(where, visible, self._clock.now())
        roots = await self._reads.root_groups(where, visible)
        page: list[SliceLine] = []
        for name in self._names(domain, roots, visible):
            if after is not None and name.id <= after:
                continue
            if len(page) == limit:
                break
            line = self._line(name, opened, roots)
            if stage is None or stage in line.stages:
                page.append(line)
        return page

    def _names(self, domain: str | None, roots: Iterable[RootGroup], visible: Visible) -> list[SliceName]:
        rulebook, slices = self._rulebook(), self._maps.current()
        found = {
            SliceName(one, unit, place)
            for one in rulebook.tables
            for unit, place in slices.named(one)
            if domain in {None, one}
        }
        found |= {
            SliceName(one.domain, one.business_unit, one.geography)
            for one in roots
            if one.domain in rulebook.tables
            and one.business_unit in rulebook.business_units
            and one.geography in rulebook.geographies
        }
        seen = (one for one in found if _may_see(one, rulebook, visible))
        return sorted(seen, key=lambda one: one.id)

    def _line(self, name: SliceName, opened: Iterable[OpenGroup], roots: Iterable[RootGroup]) -> SliceLine:
        rulebook = self._rulebook()
        units = rulebook.business_units.below(name.business_unit)
        places = rulebook.geographies.below(name.geography)
        open_here = [
            one
            for one in opened
            if one.domain == name.domain and one.business_unit in units and one.geography in places
        ]
        roots_here = [
            one for one in roots if one.domain == name.domain and one.business_unit in units and one.geography in places
        ]
        return SliceLine(
            name=name,
            states=self.states(name),
            overlays=name.overlays(self._acts(), rulebook),
            roots=_by_side(roots_here),
            open=_by_side(open_here),
        )

    async def detail(self, name: SliceName, visible: Visible) -> SliceDetail:
        """One slice with its drain, its customers in both, and what going back would leave in the cloud."""
        now = self._clock.now()
        where = name.filter(self._rulebook())
        opened = await self._reads.open_groups(where, visible, now)
        roots = await self._reads.root_groups(where, visible)
        in_both = await self._reads.open_in_both(where, visible)
        cloud = [one for one in opened if one.side == "cloud"]
        legacy = [one for one in opened if one.side == "legacy"]
        codes = sorted({one.company_code or "" for one in opened})
        return SliceDetail(
            line=self._line(name, opened, roots),
            ages=_ages(legacy),
            days=await self._days(name, visible, now),
            by_company_code={
                code: _by_side([one for one in opened if (one.company_code or "") == code]) for code in codes
            },
            in_both=_by_side(in_both),
            customers_in_both=max((one.customers for one in in_both), default=0),
            impact=_tally(cloud),
            follow_ups=_follow_ups(cloud),
        )

    async def open_lineages(
        self, name: SliceName, visible: Visible, *, side: str | None, limit: int, after: str | None
    ) -> Sequence[OpenLineage]:
        """The open lineages of a slice, oldest first; one that is open for several reasons has several rows."""
        where = name.filter(self._rulebook(), side=side)
        return await self._reads.open_lineages(where, visible, limit, after)

    async def _days(self, name: SliceName, visible: Visible, now: int) -> tuple[BurnDownDay, ...]:
        if name.domain in MASTER_DOMAINS:
            return ()
        today = now // DAY
        first = today - BURN_DOWN_DAYS + 1
        where = name.filter(self._rulebook(), side="legacy")
        counts = {one.day: one for one in await self._reads.days(where, visible, first * DAY)}
        before = counts.get(first - 1)
        standing = before.came - before.closed if before is not None else 0
        found: list[BurnDownDay] = []
        for day in range(first, today + 1):
            came, closed = (counts[day].came, counts[day].closed) if day in counts else (0, 0)
            standing += came - closed
            found.append(BurnDownDay(day, came, closed, standing))
        return tuple(found)


def _may_see(name: SliceName, rulebook: Rulebook, visible: Visible) -> bool:
    """Whether any of it is visible; what is counted of it is sifted again."""
    units, places = visible.business_units, visible.geographies
    return (units is None or not units.isdisjoint(rulebook.business_units.below(name.business_unit))) and (
        places is None or not places.isdisjoint(rulebook.geographies.below(name.geography))
    )


def _count(one: OpenGroup | RootGroup | InBoth) -> int:
    return one.roots if isinstance(one, RootGroup) else one.lineages


def _tally(groups: Sequence[OpenGroup] | Sequence[RootGroup] | Sequence[InBoth]) -> Tally:
    return Tally(sum(_count(one) for one in groups), total_of(groups))


def _by_side(groups: Sequence[OpenGroup] | Sequence[RootGroup] | Sequence[InBoth]) -> dict[str, Tally]:
    sides = {side: [one for one in groups if one.side == side] for side in (*SIDES, None)}
    return {side or "unrouted": _tally(found) for side, found in sides.items() if found or side is not None}  # type: ignore[arg-type]


def _ages(groups: Sequence[OpenGroup]) -> tuple[AgeTally, ...]:
    ends = (*AGES[1:], None)
    return tuple(
        AgeTally(start, end, _tally([one for one in groups if one.age == start]))
        for start, end in zip(AGES, ends, strict=True)
    )


def _follow_ups(groups: Sequence[OpenGroup]) -> tuple[ExpectedFollowUps, ...]:
    found = {reason: [one for one in groups if one.reason == reason.value] for reason in Reason}
    return tuple(
        ExpectedFollowUps(reason.value, sum(one.parts for one in of_it), total_of(of_it), FOLLOW_UPS[reason])
        for reason, of_it in found.items()
        if of_it
    )
