"""Periods: closed and reopened by acts, tied out, and never moved. Source: docs/rules.md, 'Periods'."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Literal

from gateway.cutover.act_ports import ActUnit
from gateway.cutover.acts import Actor, ActParts, Reason, present, raise_acts
from gateway.cutover.control_entries import ControlTrace
from gateway.domain.act_records import PeriodRecord
from gateway.domain.activations import RulesState
from gateway.domain.caller import Caller
from gateway.domain.entries import EntryKind
from gateway.errors import Problem
from gateway.transactions.parts import Tools
from routing_rules import Governance, Period, PeriodUnknown, calendar_of

PeriodAct = Literal["close", "reopen"]
_KINDS = {"close": EntryKind.PERIOD_CLOSED, "reopen": EntryKind.PERIOD_REOPENED}
_STATES = {"close": "closed", "reopen": "open"}


async def act_on_period(
    parts: ActParts, caller: Caller, act: PeriodAct, company_code: str, period_id: str, reason_text: str
) -> PeriodRecord:
    """Close or reopen a period of a company code. What is so already stays as it is, and nothing is recorded.

    Raises Problem: not-found (no such company code or period; or it was never closed, and is to be reopened),
    policy-check-failed (the company code has no calendar; the period has not begun and is to be closed), out-of-scope
    (the token covers a part of the company only).
    """
    tools = parts.tools
    if caller.data_scope.business_units is not None or caller.data_scope.geographies is not None:
        raise Problem(
            "out-of-scope",
            "a period is closed for a whole company code, and your token covers a part of the business",
            remedy="use a token with an unrestricted data scope",
        )
    period = period_named(parts.rules().rulebook.governance, company_code, period_id)
    begins = datetime.combine(period.start, time(), UTC).timestamp()
    if act == "close" and begins * 1_000_000 > tools.clock.now():
        raise Problem(
            "policy-check-failed",
            f"period {period.id} of company code {company_code} begins on {period.start}: it lies in the future",
            remedy="close it when it has begun; every document of it would be refused",
        )
    who, reason = Actor.of(tools, caller), Reason.drawn(tools, reason_text)
    trace_id, event_id = tools.ids.new("prd"), tools.ids.new("evt")

    async def unit_of_work(unit: ActUnit) -> PeriodRecord:
        state = await unit.rules_state_alone()
        standing = await unit.period(company_code, period.id)
        if standing is None and act == "reopen":
            raise Problem("not-found", f"period {period.id} of company code {company_code} was never closed")
        if standing is not None and standing.state == _STATES[act]:
            return standing
        now = tools.clock.now()
        trace = ControlTrace(tools, standing.trace if standing else trace_id, entry_count=_count(standing))
        record = replace(
            standing or _never_acted_on(company_code, period, trace_id, who, now),
            starts=period.start.isoformat(),
            ends=period.end.isoformat(),
            state=_STATES[act],
            acted_at=now,
            acted_by=who.client,
            person=who.person,
            payload_id=reason.payload_id,
            entry_count=trace.entry_count + 1,
        )
        await (unit.insert_period(record) if standing is None else unit.update_period(record))
        await reason.keep(unit)
        await who.remember(unit)
        members = {**period_members(record), "person": who.person, "reasonHash": reason.commitment}
        members["actsNumber"] = await raise_acts(unit, state)
        await trace.record(unit, _KINDS[act], who.client, present(members), event_id=event_id)
        return record

    record = await parts.store.write(unit_of_work)
    parts.events_left()
    return record


async def tie_out(
    unit: ActUnit,
    tools: Tools,
    state: RulesState,
    *,
    company_code: str,
    period: Period,
    tie_out_id: str,
    actor: str,
    event_id: str,
) -> PeriodRecord:
    """Record in the caller's unit that the period's control totals agree, as `tie_out_id` shows.

    `state`: as `rules_state_alone` gave it at the unit's begin. Whatever is posted into the period afterwards voids it.

    Raises Problem `policy-check-failed` while transactions of the period have not ended: what one of them posts later
    would not be counted.
    """
    starts, ends = period.start.isoformat(), period.end.isoformat()
    still_open = await unit.open_in_period(company_code, starts, ends)
    if still_open:
        raise Problem(
            "policy-check-failed",
            f"{still_open} transaction(s) of period {period.id} of company code {company_code} have not ended",
            remedy="let them end, or cancel them, then tie the period out",
        )
    standing, now = await unit.period(company_code, period.id), tools.clock.now()
    trace_id = standing.trace if standing is not None else f"prd_{tie_out_id.partition('_')[2] or tie_out_id}"
    trace = ControlTrace(tools, trace_id, entry_count=_count(standing))
    fresh = PeriodRecord(
        company_code=company_code,
        period=period.id,
        trace=trace_id,
        starts=starts,
        ends=ends,
        state="open",
        acted_at=now,
        acted_by=actor,
        person=None,
        payload_id=None,
    )
    record = replace(
        standing or fresh,
        tied_out_at=now,
        tie_out_id=tie_out_id,
        tie_out_voided_at=None,
        entry_count=trace.entry_count + 1,
    )
    await (unit.insert_period(record) if standing is None else unit.update_period(record))
    members = {**period_members(record), "tieOutId": tie_out_id, "actsNumber": await raise_acts(unit, state)}
    await trace.record(unit, EntryKind.TIED_OUT, actor, members, event_id=event_id)
    return record


def period_named(governance: Governance, company_code: str, period_id: str) -> Period:
    """The period as the company code's calendar has it. Raises Problem `not-found`, `policy-check-failed`."""
    if company_code not in governance.company_codes:
        raise Problem("not-found", f"the rulebook in force has no company code {company_code}")
    calendar = calendar_of(governance, company_code)
    if calendar is None:
        raise Problem(
            "policy-check-failed",
            f"company code {company_code} has no calendar in the rulebook in force, so it has no periods",
            remedy="give it a calendar in rulebook.yaml",
        )
    try:
        return calendar.period_named(period_id)
    except PeriodUnknown as unknown:
        raise Problem("not-found", str(unknown)) from unknown


def period_members(record: PeriodRecord) -> dict[str, object]:
    """Wire members of a period's entries."""
    return {
        "companyCode": record.company_code,
        "period": record.period,
        "startsOn": record.starts,
        "endsBefore": record.ends,
    }


def _count(standing: PeriodRecord | None) -> int:
    return 0 if standing is None else standing.entry_count


def _never_acted_on(company_code: str, period: Period, trace: str, who: Actor, now: int) -> PeriodRecord:
    return PeriodRecord(
        company_code=company_code,
        period=period.id,
        trace=trace,
        starts=period.start.isoformat(),
        ends=period.end.isoformat(),
        state="open",
        acted_at=now,
        acted_by=who.client,
        person=who.person,
        payload_id=None,
    )
