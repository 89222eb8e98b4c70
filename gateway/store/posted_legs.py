"""Legs that were posted in a period: what control totals must find beside the documents that are one posting."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, select

from gateway.domain.entries import EntryKind
from gateway.domain.gate_evidence import PostedDocument
from gateway.store import schema
from gateway.store.statement import Query

_document: Final = schema.documents.c
_transaction: Final = schema.transactions.c
_step: Final = schema.steps.c
_entry: Final = schema.ledger_entries.c

SPLIT_DOMAINS: Final = ("journal_entries", "payments")
"""Domains whose documents may have legs."""


@dataclass(frozen=True, slots=True)
class PostedLeg:
    """A posted step of a document that was created in legs, with one of its transaction's `posted` entries."""

    document_id: str
    state: str
    status: str
    legs: str
    step: int
    document_type: str
    document_number: str
    body: bytes

    def as_document(self, domain: str, company_code: str) -> PostedDocument | None:
        """What the ERP holds for it; None where it is of another domain or book, or the entry is of another step."""
        entry = json.loads(self.body)
        if entry.get("step") != self.step or entry.get("direction", "do") != "do":
            return None
        leg = next(one for one in json.loads(self.legs) if one["step"] == self.step)
        if (leg["domain"], leg["companyCode"]) != (domain, company_code):
            return None
        confirmed = entry.get("confirmed") or {}
        return PostedDocument(
            self.document_id,
            # what was taken back stands in the ERP as what was reversed does
            "reversed" if leg["undo"] is not None and leg["undo"]["status"] == "posted" else self.state,
            self.document_type,
            self.document_number,
            confirmed.get("amount"),
            confirmed.get("currencyCode"),
        )


_COLUMNS: Final = (
    _document.document_id,
    _document.state,
    _transaction.status,
    _transaction.legs,
    _step.step,
    _step.document_type,
    _step.document_number,
    _entry.body,
)
_FROM: Final = (
    schema.documents.join(schema.transactions, _transaction.document_id == _document.document_id)
    .join(schema.steps, _step.transaction_id == _transaction.transaction_id)
    .join(schema.ledger_entries, _entry.trace == _transaction.transaction_id)
)
POSTED_LEGS: Final = Query(select(*_COLUMNS).select_from(_FROM), PostedLeg)


def posted_legs(system_id: str, posted_from: str, posted_until: str, limit: int) -> Select[tuple[object, ...]]:
    """The legs that were posted to a system, of documents with a posting date in the range (end excluded)."""
    return (
        select(*_COLUMNS)
        .select_from(_FROM)
        .where(
            _document.domain.in_(SPLIT_DOMAINS),
            _document.posting_date >= posted_from,
            _document.posting_date < posted_until,
            _transaction.legs.is_not(None),
            _transaction.operation == "create",
            _step.system_id == system_id,
            _step.direction == "do",
            _step.state == "posted",
            _entry.kind == EntryKind.POSTED.value,
        )
        .order_by(_transaction.transaction_id, _step.step, _entry.seq)
        .limit(limit)
    )
