"""Gate `control_totals`: the last closed period of every company code ties out in both systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from gateway.cutover.act_ports import ActStore, ActUnit
from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.gates.gate_ports import GateReads
from gateway.cutover.gates.moves import Move, moves_of
from gateway.cutover.periods import tie_out
from gateway.cutover.tie_out import compare
from gateway.domain.acts import Acts, PeriodStanding
from gateway.errors import Problem
from gateway.transactions.parts import ErpSystem, Tools
from routing_rules import Governance, Period, PeriodUnknown, Stage, calendar_of

_TIED: Final = frozenset({Stage.LIVE, Stage.DRAIN, Stage.READ_ONLY, Stage.RETIRED})


class ControlTotals:
    """Guards moves on to `live` and beyond. What agrees is recorded (`tied_out`) when a draft's change is judged, and
    then holds until a later posting into the period voids it; a look at the board records nothing."""

    name = "control_totals"

    def __init__(
        self,
        reads: GateReads,
        store: ActStore,
        tools: Tools,
        systems: Mapping[str, ErpSystem],
        acts: Callable[[], Acts],
    ) -> None:
        self._reads = reads
        self._store = store
        self._tools = tools
        self._systems = systems
        self._acts = acts

    def guards(self, candidate: Candidate) -> bool:
        """Some move goes on to `live` or beyond."""
        return bool(_guarded(candidate))

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """One result for each company code that a move concerns."""
        systems: dict[str, set[str]] = {}
        for move in _guarded(candidate):
            both = {one for one in (move.after.legacy_system, move.after.cloud_system) if one is not None}
            for code in move.company_codes(candidate.rulebook):
                systems.setdefault(code, set()).update(both)
        if not systems:
            why = "the rulebook names no company code that the change concerns, so no period can be tied out"
            return [GateResult(gate=self.name, passed=False, why=why)]
        return [await self._of_code(candidate, code, sorted(of_code)) for code, of_code in sorted(systems.items())]

    async def _of_code(self, candidate: Candidate, code: str, system_ids: Sequence[str]) -> GateResult:
        closed = [one for one in self._acts().periods if one.company_code == code and one.closed]
        if not closed:
            why = f"no period of company code {code} was closed; close one, then it can be tied out"
            return GateResult(gate=self.name, passed=False, why=why, subject=code)
        last = max(closed, key=lambda one: one.ends)
        period = _period(candidate.base.governance, last)
        if period is None:
            why = f"the calendar of company code {code} has no period {last.period}"
            return GateResult(gate=self.name, passed=False, why=why, subject=code)
        if last.tied_out:
            why = f"period {last.period} is tied out, and nothing was posted into it since"
            return GateResult(gate=self.name, passed=True, why=why, evidence={"period": last.period}, subject=code)
        found = await compare(self._reads, self._systems, system_ids, code, period)
        evidence = {"period": last.period, "comparisons": [one.as_json() for one in found]}
        apart = [f"{one.system_id} {one.domain}".strip() for one in found if not one.agrees]
        why = (
            f"period {last.period} does not tie: {', '.join(apart)} differ(s) between ledger and ERP"
            if apart
            else f"period {last.period} ties in {', '.join(system_ids)}"
        )
        if not apart and candidate.draft_id is not None:
            refused = await self._record(code, period, candidate.draft_id)
            if refused is not None:
                return GateResult(gate=self.name, passed=False, why=refused, evidence=evidence, subject=code)
        return GateResult(gate=self.name, passed=not apart, why=why, evidence=evidence, subject=code)

    async def _record(self, code: str, period: Period, draft_id: str) -> str | None:
        """Record the tie-out; why it cannot be, if it cannot."""
        event_id = self._tools.ids.new("evt")

        async def unit_of_work(unit: ActUnit) -> None:
            state = await unit.rules_state_alone()
            await tie_out(
                unit,
                self._tools,
                state,
                company_code=code,
                period=period,
                tie_out_id=draft_id,
                actor="gateway",
                event_id=event_id,
            )

        try:
            await self._store.write(unit_of_work)
        except Problem as problem:
            return problem.detail
        return None


def _guarded(candidate: Candidate) -> list[Move]:
    return [move for move in moves_of(candidate) if move.goes_on and move.after.stage in _TIED]


def _period(governance: Governance, standing: PeriodStanding) -> Period | None:
    calendar = calendar_of(governance, standing.company_code)
    if calendar is None:
        return None
    try:
        return calendar.period_named(standing.period)
    except PeriodUnknown:
        return None
