"""Settling an outcome: status, pin, numbers, waiting children and events, all in the commit of the outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.errors import ErpError, Misconfigured
from gateway.domain.entries import EntryKind
from gateway.domain.identity import content_hash
from gateway.domain.outcomes import MISCONFIGURED
from gateway.domain.records import StepRecord, TransactionRecord
from gateway.domain.transaction import RESTING, Status
from gateway.errors import Problem
from gateway.transactions.effects import release, take_effect
from gateway.transactions.execute import IsUnknown, Outcome, WasNotSent, WasPosted, WasRejected
from gateway.transactions.home import posted_here
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.tie_outs import void_tie_out
from gateway.transactions.work import Work


async def settle(work: Work, step: StepRecord, outcome: Outcome) -> TransactionRecord:
    """Write down what came of a step."""
    match outcome:
        case WasPosted():
            return await _posted(work, step, outcome)
        case WasRejected(error=error):
            problem = _erp_problem(work.record, error)
            if may_still_run(step, work.now):
                return await keep_refusal(work, step, problem)
            await work.unit.update_step(replace(step, state="rejected", closed_at=work.now))
            return await reject(work, problem)
        case WasNotSent():
            return await _not_sent(work, step, outcome)
        case IsUnknown():
            return await become_unknown(work, step, outcome.error.code, outcome.closed_at)


def may_still_run(step: StepRecord, now: int) -> bool:
    """Whether an earlier attempt of unknown outcome may still be executed at the ERP."""
    until = step.earlier_until
    return until is not None and (until == 0 or now <= until)


async def keep_refusal(work: Work, step: StepRecord, problem: Mapping[str, Any]) -> TransactionRecord:
    """The ERP refused this attempt, but an earlier one may yet post: it stays unknown until that is known."""
    work.journal.change(problem=json.dumps(problem, ensure_ascii=False))
    return await become_unknown(work, step, "refused-while-earlier-may-run", work.now)


def kept_refusal(record: TransactionRecord) -> dict[str, Any] | None:
    """Why an unknown will end as refused, if no earlier attempt turns out to have posted."""
    problem: dict[str, Any] | None = json.loads(record.problem) if record.problem is not None else None
    return problem if problem is not None and problem.get("code") != "erp-unavailable" else None


async def post_here(work: Work, step: StepRecord) -> TransactionRecord:
    """Settle what the gateway keeps itself: dispatched and posted in one commit."""
    return await _posted(work, step, WasPosted(posted_here(work.record)))


async def _posted(work: Work, step: StepRecord, outcome: WasPosted) -> TransactionRecord:
    unit, journal = work.unit, work.journal
    posted = outcome.posted
    number = posted.number
    now = work.now
    journal.move(
        Status.POSTED,
        {
            "systemId": step.system_id,
            "step": step.step,
            "attempt": step.attempt,
            "erp": {
                "reference": step.external_reference,
                "documentType": number.document_type,
                "documentNumber": number.document_number,
            },
            "confirmed": _confirmed(outcome) or None,
            "foundByInquiry": outcome.found_by_inquiry or None,
        },
        erp_document_type=number.document_type,
        erp_document_number=number.document_number,
        problem=None,
        retry_after_s=None,
    )
    await take_effect(work, number)
    await void_tie_out(work)
    await unit.update_step(
        replace(
            step,
            state="posted",
            closed_at=now,
            document_type=number.document_type,
            document_number=number.document_number,
        )
    )
    return await rest(work)


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


async def reject(work: Work, problem: Mapping[str, Any]) -> TransactionRecord:
    """End the transaction as refused. A root that posted nothing gives its pin back, a document is free again."""
    journal = work.journal
    text = json.dumps(problem, ensure_ascii=False)
    journal.move(
        Status.REJECTED,
        # the ERP's own words may name people; the entry commits to them, the resource shows them
        {"code": problem.get("code"), "problemHash": content_hash(text.encode())},
        problem=text,
        retry_after_s=None,
    )
    await release(work)
    await give_pin_back(work)
    return await rest(work)


async def cancel(work: Work, members: Mapping[str, Any]) -> TransactionRecord:
    """End a transaction of which nothing was sent, as its caller asked. `members`: of its `cancelled` entry."""
    work.journal.move(Status.CANCELLED, members, problem=None, retry_after_s=None)
    await release(work)
    await give_pin_back(work)
    return await rest(work)


async def give_pin_back(work: Work) -> None:
    """A root that posted nothing leaves its lineage to the next attempt's decision."""
    record = work.record
    if record.parent_transaction_id is None and record.system_id is not None and not record.pinned:
        pin = await work.unit.pin(record.lineage_id)
        if pin is not None:
            await work.unit.delete_pin(record.lineage_id)
            work.journal.act(EntryKind.PIN_RELEASED, {"lineageId": record.lineage_id, "systemId": pin.system_id})


def _erp_problem(record: TransactionRecord, error: ErpError) -> dict[str, Any]:
    creates = record.operation == "create"
    return {
        "code": "rejected-by-erp",
        "detail": f"{record.system_id} refused {'the document' if creates else record.operation}: {error.message}",
        "erp": {
            "systemId": record.system_id,
            "messageCode": error.code,
            "field": error.field,
            "message": error.message,
        },
        "remedy": "correct the document and send it again with `replaces` set to this transaction's id"
        if creates
        else "the document stands as it stood; send another request with a new Idempotency-Key",
    }


def problem_members(problem: Problem) -> dict[str, Any]:
    """A refusal found after the acceptance, as the transaction's resource shows it."""
    return {
        "code": problem.slug,
        "detail": problem.detail,
        "remedy": problem.remedy,
        "errors": [
            {"field": error.field, "message": error.message, "remedy": error.remedy} for error in problem.errors
        ],
        **problem.extra,
    }


def _why_not_sent(outcome: WasNotSent) -> str:
    return MISCONFIGURED if isinstance(outcome.error, Misconfigured) else "could not be reached"


async def _not_sent(work: Work, step: StepRecord, outcome: WasNotSent) -> TransactionRecord:
    """Nothing happened: the same step again later, under the same reference."""
    wait_s = outcome.retry_after_s
    if wait_s is None:
        wait_s = backoff_s(work.parts, work.job.tries)
    now = work.now
    work.journal.change(
        problem=json.dumps(
            {
                "code": "erp-unavailable",
                "detail": f"{step.system_id} {_why_not_sent(outcome)}; nothing was posted, it will be tried again",
                "erp": {"systemId": step.system_id, "messageCode": outcome.error.code},
            }
        ),
        retry_after_s=max(1, round(wait_s)),
        updated_at=max(now, work.record.updated_at),
    )
    await work.unit.update_step(replace(step, state="not_sent", closed_at=now))
    await work.put_back(due_at=now + int(wait_s * SECOND), tries=work.job.tries + 1)
    return await work.save()


async def become_unknown(work: Work, step: StepRecord, code: str, closed_at: int | None) -> TransactionRecord:
    """Nobody knows whether it was posted: the transaction is `unknown`, and an inquiry is due."""
    work.journal.move(
        Status.UNKNOWN,
        {"systemId": step.system_id, "step": step.step, "attempt": step.attempt, "code": code or None},
    )
    await work.unit.update_step(replace(step, state="unknown", closed_at=closed_at, inquiries=0, inquired_at=None))
    delay = int(work.parts.systems[step.system_id].policy.inquiry_delay_s * SECOND)
    await work.put_back(due_at=work.now + delay, tries=0)
    return await work.save()


async def rest(work: Work) -> TransactionRecord:
    """The transaction is at rest: its job is done, and whoever waits for it is woken."""
    record = await work.save()
    if record.status not in RESTING:
        raise AssertionError(f"{record.status} is no resting status")
    await work.unit.delete_job(record.transaction_id)
    work.journal.woken_jobs += await work.unit.wake_jobs_waiting_for(record.transaction_id, work.now)
    return record


def backoff_s(parts: LineParts, tries: int) -> float:
    """Exponential, capped, with full jitter in its upper half, so that many do not come back at once."""
    limits = parts.limits
    ceiling = min(limits.longest_retry_s, limits.first_retry_s * 2.0 ** min(tries, 16))
    return ceiling * (0.5 + parts.tools.randomness.jitter() / 2)
