"""Questions about a document by any of its names, each answered by one call.

Where does it stand still, why did it fail, was it sent or told twice, and what waits for it. What the asker may not
see is not there. Every answer is None where nothing is known under the name, and says (`isCut`) where there is more
than it looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, Protocol

from gateway.domain.document_names import NamedBy
from gateway.domain.entries import EntryKind
from gateway.domain.named_question import NamedQuestion
from gateway.domain.queries import StreamMemory, Visible
from gateway.domain.records import DocumentRecord, JobRecord, OutboxRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.domain.wire import instant
from gateway.ledger.standing_still import standstill
from gateway.store.entry_reads import PlacedStep
from gateway.store.named_documents import MOST_OF_THESE
from gateway.store.progress_reads import MOST_EVENTS, MOST_STANDING

MOST_NAMED: Final = 20
"""Documents of one name that are looked at, the newest."""
DEEPEST: Final = 50
"""Links of a chain of waiting transactions that are followed."""

_FAILED: Final = frozenset({Status.REJECTED, Status.COMPENSATED})

Steps = Mapping[str, Sequence[PlacedStep]]
Answered = dict[str, Any]


class NamedReads(Protocol):
    """What is asked of the record. `gateway.store.ledger_reads.LedgerReads` is one."""

    async def documents_by(
        self, where: NamedBy, visible: Visible, limit: int, after: str | None
    ) -> Sequence[DocumentRecord]: ...
    async def transactions_of(self, document_ids: Sequence[str], visible: Visible) -> Sequence[TransactionRecord]: ...
    async def transactions_with(
        self, transaction_ids: Sequence[str], visible: Visible
    ) -> Sequence[TransactionRecord]: ...
    async def steps_of(self, traces: Sequence[str]) -> Steps: ...
    async def standing_of(self, lineage_ids: Sequence[str], visible: Visible) -> Sequence[TransactionRecord]: ...
    async def jobs_of(self, transaction_ids: Sequence[str]) -> Mapping[str, JobRecord]: ...
    async def jobs_awaiting(self, transaction_ids: Sequence[str], limit: int) -> Sequence[JobRecord]: ...
    async def not_sent(self, transaction_ids: Sequence[str]) -> frozenset[str]: ...
    async def events_of(self, lineage_id: str) -> Sequence[OutboxRecord]: ...
    async def streams(self) -> Sequence[StreamMemory]: ...


Ask = Callable[[NamedReads, NamedBy, Visible], Coroutine[Any, Any, Answered | None]]


async def where_stuck(reads: NamedReads, where: NamedBy, visible: Visible) -> Answered | None:
    """All that has not ended in the lineages of the named documents, what it waits for, since when, and what to do.
    What waits for nothing of ours comes first: it keeps the others back."""
    documents, is_cut = await _named(reads, where, visible)
    if not documents:
        return None
    records = await reads.standing_of(sorted({one.lineage_id for one in documents}), visible)
    ids = [one.transaction_id for one in records]
    jobs, unsent, steps = await reads.jobs_of(ids), await reads.not_sent(ids), await reads.steps_of(ids)
    items = []
    for one in records:
        job = jobs.get(one.transaction_id)
        why = standstill(one, job, is_unsent=one.transaction_id in unsent)
        items.append(
            {
                **_of(one),
                "sinceAt": instant(_since(one, steps)),
                "awaited": why.awaited,
                "awaitedId": why.awaited_id,
                "nextLookAt": None if job is None else instant(job.due_at),
                "tries": 0 if job is None else job.tries,
                "systemId": one.system_id,
                "problemCode": _problem(one).get("code"),
                "whatToDo": why.what_to_do,
            }
        )
    items.sort(key=lambda item: (item["awaited"] == "transaction", item["transactionId"]))
    return {"items": items, "isCut": is_cut or len(records) >= MOST_STANDING}


async def why_failed(reads: NamedReads, where: NamedBy, visible: Visible) -> Answered | None:
    """What was refused, or fails still, of all that was asked for the named documents: in the ERP's own words."""
    documents, is_cut = await _named(reads, where, visible)
    if not documents:
        return None
    records = await reads.transactions_of([one.document_id for one in documents], visible)
    is_cut = is_cut or len(records) >= MOST_OF_THESE
    failed = [one for one in records if one.status in _FAILED or one.problem is not None]
    steps = await reads.steps_of([one.transaction_id for one in failed])
    replaced_by = {one.replaces: one for one in records if one.replaces is not None}
    items = [_failure(one, steps, replaced_by.get(one.transaction_id)) for one in failed]
    return {"items": items, "isCut": is_cut}


async def events_told(reads: NamedReads, where: NamedBy, visible: Visible) -> Answered | None:
    """Whether a document was sent to the gateway again, and which events told of it: when the stream took each, and
    under which number."""
    documents, is_cut = await _named(reads, where, visible)
    if not documents:
        return None
    records = await reads.transactions_of([one.document_id for one in documents], visible)
    is_cut = is_cut or len(records) >= MOST_OF_THESE
    steps = await reads.steps_of([one.transaction_id for one in records])
    streams = await reads.streams()
    began_at = max((one.created_at for one in streams), default=None)
    told: dict[str, list[Answered]] = {}
    for lineage_id in sorted({one.lineage_id for one in records}):
        events = await reads.events_of(lineage_id)
        is_cut = is_cut or len(events) >= MOST_EVENTS
        for event in events:
            body = json.loads(event.body)
            told.setdefault(str(body.get("subject")), []).append(_event(event, began_at))
    items = []
    for one in records:
        again = [step for step in steps.get(one.transaction_id, ()) if step.kind == EntryKind.REPLAYED.value]
        items.append(
            {
                **_of(one),
                "acceptedAt": instant(one.accepted_at),
                "wasSentAgain": bool(again),
                "sentAgain": [{"recordedAt": instant(step.at), "seq": step.seq} for step in again],
                "events": told.get(one.transaction_id, []),
            }
        )
    return {"items": items, "streamBeganAt": None if began_at is None else instant(began_at), "isCut": is_cut}


async def waiting_documents(reads: NamedReads, where: NamedBy, visible: Visible) -> Answered | None:
    """What waits for the named documents to be posted, and what waits for that in turn."""
    documents, is_cut = await _named(reads, where, visible)
    if not documents:
        return None
    records = await reads.transactions_of([one.document_id for one in documents], visible)
    is_cut = is_cut or len(records) >= MOST_OF_THESE
    level = [one.transaction_id for one in records]
    seen = set(level)
    jobs: list[tuple[int, JobRecord]] = []
    depth = 0
    while level and depth < DEEPEST and len(jobs) <= MOST_STANDING:
        depth += 1
        found = await reads.jobs_awaiting(level, MOST_STANDING + 1 - len(jobs))
        fresh = [one for one in found if one.transaction_id not in seen]
        jobs += [(depth, one) for one in fresh]
        level = [one.transaction_id for one in fresh]
        seen.update(level)
    is_cut = is_cut or len(jobs) > MOST_STANDING or bool(level)
    shown = jobs[:MOST_STANDING]
    ids = [one.transaction_id for _, one in shown]
    known = {one.transaction_id: one for one in await reads.transactions_with(ids, visible)}
    steps = await reads.steps_of(sorted(known))
    items = [
        {
            **_of(known[job.transaction_id]),
            "depth": at,
            "awaitedTransactionId": job.waiting_for,
            "sinceAt": instant(_since(known[job.transaction_id], steps)),
            "nextLookAt": instant(job.due_at),
        }
        for at, job in shown
        if job.transaction_id in known
    ]
    return {"items": items, "isCut": is_cut}


QUESTIONS: Final[Mapping[NamedQuestion, Ask]] = {
    NamedQuestion.WHERE_STUCK: where_stuck,
    NamedQuestion.WHY_FAILED: why_failed,
    NamedQuestion.EVENTS_TOLD: events_told,
    NamedQuestion.WAITING_DOCUMENTS: waiting_documents,
}
"""What answers each."""


async def _named(reads: NamedReads, where: NamedBy, visible: Visible) -> tuple[Sequence[DocumentRecord], bool]:
    """The documents of that name, and whether it has more of them."""
    found = await reads.documents_by(where, visible, MOST_NAMED + 1, None)
    return found[:MOST_NAMED], len(found) > MOST_NAMED


def _of(record: TransactionRecord) -> Answered:
    return {
        "transactionId": record.transaction_id,
        "documentId": record.document_id,
        "lineageId": record.lineage_id,
        "externalId": record.external_id,
        "domain": record.domain,
        "operation": record.operation,
        "status": record.status.value,
    }


def _since(record: TransactionRecord, steps: Steps) -> int:
    """Since when it has its status: the time of the entry that says so (µs)."""
    times = [one.at for one in steps.get(record.transaction_id, ()) if one.kind == record.status.value]
    return times[-1] if times else record.updated_at


def _problem(record: TransactionRecord) -> dict[str, Any]:
    found = json.loads(record.problem) if record.problem else {}
    return found if isinstance(found, dict) else {}


def _failure(record: TransactionRecord, steps: Steps, replacement: TransactionRecord | None) -> Answered:
    problem = _problem(record)
    erp = problem.get("erp") or {}
    errors = [
        {"field": one.get("field"), "message": one.get("message"), "remedy": one.get("remedy")}
        for one in problem.get("errors") or ()
    ]
    ended = record.status in _FAILED
    return {
        **_of(record),
        "failedAt": instant(_since(record, steps)),
        "isFinal": ended,
        "systemId": erp.get("systemId") or record.system_id,
        "problemCode": problem.get("code"),
        "detail": problem.get("detail"),
        "erpMessageCode": erp.get("messageCode"),
        "erpMessage": erp.get("message"),
        "erpField": erp.get("field"),
        "errors": errors,
        "remedy": problem.get("remedy") or _remedy(record, ended=ended),
        "exceptionId": record.exception_id,
        "replacedByTransactionId": None if replacement is None else replacement.transaction_id,
        "replacementStatus": None if replacement is None else replacement.status.value,
    }


def _remedy(record: TransactionRecord, *, ended: bool) -> str:
    if ended:
        return "correct the document and send it again with `replaces` set to this transaction's id"
    if record.status is Status.IN_DOUBT:
        return "decide about its exception"
    return "nothing: the gateway tries again by itself"


def _event(event: OutboxRecord, began_at: int | None) -> Answered:
    before = began_at is not None and event.created_at < began_at
    return {
        "eventId": event.event_id,
        "kind": event.subject.rpartition(".")[2],
        "sequence": event.sequence,
        "createdAt": instant(event.created_at),
        "publishedAt": None if event.published_at is None else instant(event.published_at),
        "streamSequence": event.stream_sequence,
        "isBeforeStream": before,
    }
