"""The end of a transaction: refused, or at rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.domain.entries import EntryKind
from gateway.domain.identity import content_hash
from gateway.domain.legs import legs_of
from gateway.domain.records import TransactionRecord
from gateway.domain.refusals import kept_refusal_text
from gateway.domain.transaction import RESTING, Status
from gateway.errors import Problem
from gateway.transactions.effects import release
from gateway.transactions.exceptions import ErpWords, open_exception
from gateway.transactions.new_customers import settle_with_customer
from gateway.transactions.work import Work


async def reject(work: Work, problem: Mapping[str, Any]) -> TransactionRecord:
    """End the transaction as refused. A root that posted nothing gives its pin back, a document is free again."""
    journal = work.journal
    text = refusal_text(work, problem)
    journal.move(
        Status.REJECTED,
        refusal_members(problem, text),
        problem=text,
        retry_after_s=None,
    )
    await release(work)
    await give_pin_back(work)
    code = str(problem.get("code"))
    await open_exception(work.unit, work.parts, work.journal, code, words=ErpWords.of(problem))
    return await rest(work)


def refusal_text(work: Work, problem: Mapping[str, Any]) -> str:
    """What is kept of a refusal beside the ledger, with a salt of its own."""
    return kept_refusal_text(problem, work.parts.tools.randomness.salt())


def refusal_members(problem: Mapping[str, Any], text: str) -> dict[str, Any]:
    """What an entry says of a refusal. The ERP's own words may name people; the entry commits to them, the resource
    shows them. `text`: as it is kept."""
    return {"code": problem.get("code"), "problemHash": content_hash(text.encode())}


async def rest(work: Work) -> TransactionRecord:
    """The transaction is at rest: its job is done, and whoever waits for it is woken."""
    record = await work.save()
    if record.status not in RESTING:
        raise AssertionError(f"{record.status} is no resting status")
    await work.unit.delete_job(record.transaction_id)
    work.journal.woken_jobs += await work.unit.wake_jobs_waiting_for(record.transaction_id, work.now)
    await settle_with_customer(work)
    return work.record


async def give_pin_back(work: Work) -> None:
    """A root that posted nothing leaves its lineage to the next attempt's decision."""
    record = work.record
    for leg in legs_of(record):
        if not leg.pinned:
            members = {"lineageId": record.lineage_id, "systemId": leg.system_id, "step": leg.step}
            work.journal.act(EntryKind.PIN_RELEASED, members)
    if record.parent_transaction_id is None and record.system_id is not None and not record.pinned:
        pin = await work.unit.pin(record.lineage_id)
        if pin is not None:
            await work.unit.delete_pin(record.lineage_id)
            work.journal.act(EntryKind.PIN_RELEASED, {"lineageId": record.lineage_id, "systemId": pin.system_id})


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
