"""Settling an outcome: status, pin, numbers, waiting children and events, all in the commit of the outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.errors import ErpError, Misconfigured, NotSent
from gateway.domain.entries import EntryKind
from gateway.domain.outcomes import MISCONFIGURED
from gateway.domain.records import StepRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.transactions.advance import posted_step, step_posted
from gateway.transactions.compensate import resume, step_refused, undone
from gateway.transactions.dispatch import Dispatch, step_members
from gateway.transactions.effects import release, take_effect
from gateway.transactions.exceptions import close_exception
from gateway.transactions.execute import IsUnknown, Outcome, WasNotSent, WasPosted, WasRejected
from gateway.transactions.finish import give_pin_back, rest
from gateway.transactions.home import posted_here
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.tie_outs import void_tie_out
from gateway.transactions.work import Work


async def settle(work: Work, step: StepRecord, outcome: Outcome) -> TransactionRecord | Dispatch:
    """Write down what came of a step. A Dispatch is the next step, to be sent now."""
    match outcome:
        case WasPosted():
            return await _posted(work, step, outcome)
        case WasRejected(error=error):
            problem = _erp_problem(work.record, step, error)
            if step.earlier_until is not None:
                return await keep_refusal(work, step, problem)
            return await step_refused(work, replace(step, closed_at=work.now), problem)
        case WasNotSent():
            return await _not_sent(work, step, outcome)
        case IsUnknown():
            return await become_unknown(work, step, outcome.error.code, outcome.closed_at)


def may_have_posted(step: StepRecord) -> bool:
    """Whether an earlier attempt of unknown outcome may yet be executed at the ERP, or was since the last inquiry."""
    until = step.earlier_until
    return until is not None and (until == 0 or step.inquired_at is None or step.inquired_at <= until)


async def keep_refusal(work: Work, step: StepRecord, problem: Mapping[str, Any]) -> TransactionRecord:
    """The ERP refused this attempt, but an earlier one may yet post, or has posted since it was inquired last: it stays
    unknown until an inquiry after its time finds nothing."""
    step = note_problem(work, step, problem)
    return await become_unknown(work, step, "refused-while-earlier-may-run", work.now)


def note_problem(work: Work, step: StepRecord, problem: Mapping[str, Any]) -> StepRecord:
    """Keep why an attempt came to nothing: with the transaction, or with an undo, because the transaction keeps why it
    is compensated."""
    text = json.dumps(problem, ensure_ascii=False)
    if step.direction == "undo":
        return replace(step, problem=text)
    work.journal.change(problem=text)
    return step


def kept_refusal(record: TransactionRecord, step: StepRecord) -> dict[str, Any] | None:
    """Why an unknown will end as refused, if no earlier attempt turns out to have posted."""
    kept = step.problem if step.direction == "undo" else record.problem
    problem: dict[str, Any] | None = json.loads(kept) if kept is not None else None
    return problem if problem is not None and problem.get("code") != "erp-unavailable" else None


async def post_here(work: Work, step: StepRecord) -> TransactionRecord:
    """Settle what the gateway keeps itself: dispatched and posted in one commit."""
    return await _all_posted(work, step, WasPosted(posted_here(work.record)))


async def _posted(work: Work, step: StepRecord, outcome: WasPosted) -> TransactionRecord | Dispatch:
    if work.record.legs is None and step.direction == "do":
        return await _all_posted(work, step, outcome)
    number = outcome.posted.number
    posted = posted_step(step, number.document_type, number.document_number, work.now)
    if work.record.legs is None:
        await work.keep_step(posted)
        return await undone(work, _posted_members(step, outcome))
    return await step_posted(work, posted, _posted_members(step, outcome))


async def _all_posted(work: Work, step: StepRecord, outcome: WasPosted) -> TransactionRecord:
    unit, journal = work.unit, work.journal
    number = outcome.posted.number
    now = work.now
    journal.move(
        Status.POSTED,
        _posted_members(step, outcome),
        erp_document_type=number.document_type,
        erp_document_number=number.document_number,
        problem=None,
        retry_after_s=None,
    )
    await take_effect(work, number)
    await void_tie_out(work, work.record.company_code, work.record.posting_date)
    await close_exception(work.unit, work.journal, Status.POSTED.value)
    await unit.update_step(posted_step(step, number.document_type, number.document_number, now))
    return await rest(work)


def _posted_members(step: StepRecord, outcome: WasPosted) -> dict[str, Any]:
    number = outcome.posted.number
    return {
        **step_members(step),
        "erp": {
            "reference": step.external_reference,
            "documentType": number.document_type,
            "documentNumber": number.document_number,
        },
        "confirmed": _confirmed(outcome) or None,
        "foundByInquiry": outcome.found_by_inquiry or None,
    }


def _confirmed(outcome: WasPosted) -> dict[str, Any]:
    """What the ERP confirmed; it stays in the entry for ever, whatever is erased."""
    said = outcome.posted.confirmed
    members = {
        "amount": format(said.amount, "f") if said.amount is not None else None,
        "currencyCode": said.currency_code,
        "companyCode": said.company_code,
        "postingDate": said.posting_date.isoformat() if said.posting_date else None,
        "fiscalYear": said.fiscal_year,
        "fiscalPeriod": said.fiscal_period,
    }
    return {name: value for name, value in members.items() if value is not None}


async def cancel(work: Work, members: Mapping[str, Any]) -> TransactionRecord:
    """End a transaction of which nothing was sent, or is there, as was asked. `members`: of its `cancelled` entry."""
    work.journal.move(Status.CANCELLED, members, problem=None, retry_after_s=None)
    await release(work)
    await give_pin_back(work)
    await close_exception(work.unit, work.journal, Status.CANCELLED.value)
    return await rest(work)


def _erp_problem(record: TransactionRecord, step: StepRecord, error: ErpError) -> dict[str, Any]:
    creates = record.operation == "create"
    what = "the document" if creates else record.operation
    if record.legs is not None:
        what = f"part {step.step} of {what}" if step.direction == "do" else f"to undo part {step.step}"
    elif step.direction == "undo":
        what = "to take it back"
    return {
        "code": "rejected-by-erp",
        "detail": f"{step.system_id} refused {what}: {error.message}",
        "erp": {
            "systemId": step.system_id,
            "messageCode": error.code,
            "field": error.field,
            "message": error.message,
        },
        "remedy": "correct the document and send it again with `replaces` set to this transaction's id"
        if creates
        else "the document stands as it stood; send another request with a new Idempotency-Key",
    }


def _why_not_sent(outcome: WasNotSent) -> str:
    return MISCONFIGURED if isinstance(outcome.error, Misconfigured) else "could not be reached"


async def _not_sent(work: Work, step: StepRecord, outcome: WasNotSent) -> TransactionRecord:
    """Nothing happened: the same step again later, under the same reference."""
    wait_s = _wait_s(work.parts, work.job.tries, outcome)
    now = work.now
    problem = {
        "code": "erp-unavailable",
        "detail": f"{step.system_id} {_why_not_sent(outcome)}; nothing was posted, it will be tried again",
        "erp": {"systemId": step.system_id, "messageCode": outcome.error.code},
    }
    step = note_problem(work, replace(step, state="not_sent", closed_at=now), problem)
    work.journal.change(retry_after_s=max(1, round(wait_s)), updated_at=max(now, work.record.updated_at))
    if step.earlier_until is not None:
        # nothing of this attempt, but one before it may have posted since it was inquired last: that comes first
        tries = work.job.tries + 1
        return await become_unknown(work, step, "not-sent-while-earlier-may-run", now, wait_s=wait_s, tries=tries)
    await work.keep_step(step)
    await work.put_back(due_at=now + int(wait_s * SECOND), tries=work.job.tries + 1)
    return await work.save()


async def become_unknown(
    work: Work,
    step: StepRecord,
    code: str,
    closed_at: int | None,
    *,
    wait_s: float = 0.0,
    tries: int = 0,
    told: Mapping[str, Any] | None = None,
) -> TransactionRecord:
    """Nobody knows whether it was posted: the transaction is `unknown`, and an inquiry is due, after `wait_s` at least.
    `told`: further members of its entry.

    While it is undone it stays `compensating`: it is known what is to become of it.
    """
    step = replace(step, state="unknown", closed_at=closed_at, inquiries=0, inquired_at=None)
    await work.keep_step(step)
    members = {**step_members(step), "code": code or None, **(told or {})}
    if step.direction == "undo":
        resume(work)
        work.journal.note(EntryKind.UNKNOWN, members)
    else:
        work.journal.move(Status.UNKNOWN, members)
    delay_s = max(wait_s, work.parts.systems[step.system_id].policy.inquiry_delay_s)
    await work.put_back(due_at=work.now + int(delay_s * SECOND), tries=tries)
    return await work.save()


def _wait_s(parts: LineParts, tries: int, outcome: WasNotSent) -> float:
    """Until the next attempt: as long as was asked for and a little more, so that those who were told the same do not
    come back together. An ERP that asks for next to nothing again and again gets the backoff."""
    if outcome.retry_after_s is None:
        return backoff_s(parts, tries)
    asked_s = min(max(0.0, outcome.retry_after_s), parts.limits.longest_asked_s) + backoff_s(parts, 0)
    if isinstance(outcome.error, NotSent) and outcome.error.turned_away:
        return asked_s
    return max(asked_s, backoff_s(parts, tries))


def backoff_s(parts: LineParts, tries: int) -> float:
    """Exponential, capped, with full jitter in its upper half, so that many do not come back at once."""
    limits = parts.limits
    ceiling = min(limits.longest_retry_s, limits.first_retry_s * 2.0 ** min(tries, 16))
    return ceiling * (0.5 + parts.tools.randomness.jitter() / 2)
