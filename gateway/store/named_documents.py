"""Documents by any of their names: ids, external ids, numbers and references in ERPs, customer, amount, dates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, select, union

from adapters.canonical import DOMAINS
from gateway.domain.document_names import NamedBy, written_forms
from gateway.domain.queries import Visible
from gateway.domain.records import CrossReferenceRecord, DocumentRecord, TransactionRecord
from gateway.store import schema
from gateway.store.documents import CROSS_REFERENCES, DOCUMENTS
from gateway.store.filters import padded, seen
from gateway.store.reader import Reader
from gateway.store.statement import Query
from gateway.store.transactions import TRANSACTIONS

MOST_CUSTOMERS: Final = 20
"""Customers that one name may mean."""
MOST_OF_THESE: Final = 2_000
"""Transactions of the documents of one page."""
MOST_SENT: Final = 50_000
"""Documents of one source and period that are compared with a list."""

_document: Final = schema.documents.c
_transaction: Final = schema.transactions.c
_number: Final = schema.cross_references.c
_step: Final = schema.steps.c

_DOCUMENTS: Final = DOCUMENTS.query(DOCUMENTS.selecting())
_TRANSACTIONS: Final = TRANSACTIONS.query(TRANSACTIONS.selecting())
_NUMBERS: Final = CROSS_REFERENCES.query(CROSS_REFERENCES.selecting())


def _id(column: str) -> str:
    return column


_IDS: Final = Query(select(_document.document_id), _id)


class NamedDocumentReads:
    """Questions by names."""

    _reader: Reader

    async def documents_by(
        self, where: NamedBy, visible: Visible, limit: int, after: str | None
    ) -> Sequence[DocumentRecord]:
        """The newest first, older than `after`."""
        conditions: list[Any] = [*_identified(where), *_described(where)]
        if where.customer is not None:
            customers = await self._customers(where.customer)
            if not customers:
                return []
            domains = [where.domain] if where.domain else sorted(DOMAINS)
            conditions += [_document.domain.in_(padded(domains)), _document.customer_id.in_(padded(customers))]
        core = seen(DOCUMENTS.selecting(), schema.documents, visible).where(*conditions)
        if after is not None:
            core = core.where(_document.document_id < after)
        # Sorted by an expression: left to itself SQLite would go along the ids and sift all documents.
        return await self._reader.find(_DOCUMENTS, core.order_by(_document.document_id.concat("").desc()).limit(limit))

    async def transactions_of(self, document_ids: Sequence[str], visible: Visible) -> Sequence[TransactionRecord]:
        """All that was asked for these documents, the oldest first."""
        if not document_ids:
            return []
        core = seen(TRANSACTIONS.selecting(), schema.transactions, visible)
        core = core.where(_transaction.document_id.in_(padded(document_ids)))
        return await self._reader.find(_TRANSACTIONS, core.order_by(_transaction.transaction_id).limit(MOST_OF_THESE))

    async def transactions_with(self, transaction_ids: Sequence[str], visible: Visible) -> Sequence[TransactionRecord]:
        """These, as far as they are visible."""
        if not transaction_ids:
            return []
        core = seen(TRANSACTIONS.selecting(), schema.transactions, visible)
        return await self._reader.find(
            _TRANSACTIONS, core.where(_transaction.transaction_id.in_(padded(transaction_ids)))
        )

    async def numbers_of(self, document_ids: Sequence[str]) -> Sequence[CrossReferenceRecord]:
        """Their numbers in all ERPs."""
        if not document_ids:
            return []
        core = CROSS_REFERENCES.selecting().where(_number.document_id.in_(padded(document_ids)))
        return await self._reader.find(_NUMBERS, core.order_by(_number.document_id, _number.valid_from))

    async def created_between(
        self, source: str, domain: str | None, since: int, until: int, visible: Visible
    ) -> Sequence[TransactionRecord]:
        """What was accepted from a source at [since, until) to be created: up to MOST_SENT + 1."""
        core = seen(TRANSACTIONS.selecting(), schema.transactions, visible).where(
            _transaction.accepted_at >= since,
            _transaction.accepted_at < until,
            _transaction.source == source,
            _transaction.operation == "create",
        )
        if domain is not None:
            core = core.where(_transaction.domain == domain)
        return await self._reader.find(_TRANSACTIONS, core.order_by(_transaction.accepted_at).limit(MOST_SENT + 1))

    async def created_as(
        self, source: str, external_ids: Sequence[str], domain: str | None, visible: Visible
    ) -> Sequence[TransactionRecord]:
        """Whenever it was: what was accepted from a source under one of these external ids."""
        found: list[TransactionRecord] = []
        for start in range(0, len(external_ids), 500):
            core = seen(TRANSACTIONS.selecting(), schema.transactions, visible).where(
                _transaction.external_id.in_(padded(external_ids[start : start + 500])),
                _transaction.source == source,
                _transaction.operation == "create",
            )
            if domain is not None:
                core = core.where(_transaction.domain == domain)
            found += await self._reader.find(_TRANSACTIONS, core)
        return found

    async def _customers(self, name: str) -> Sequence[str]:
        core = select(_document.document_id).where(_document.domain == "customers", _any_name(name))
        return await self._reader.find(_IDS, core.limit(MOST_CUSTOMERS))


def _identified(where: NamedBy) -> list[Any]:
    """Names that mean one document, or a few."""
    conditions: list[Any] = []
    if where.name is not None:
        conditions.append(_any_name(where.name))
    if where.document_id is not None:
        conditions.append(_document.document_id == where.document_id)
    if where.transaction_id is not None:
        conditions.append(_document.document_id.in_(_of_transaction(where.transaction_id)))
    if where.lineage_id is not None:
        conditions.append(_document.lineage_id == where.lineage_id)
    if where.external_id is not None:
        conditions.append(_document.external_id == where.external_id)
    if where.document_number is not None:
        numbered = select(_number.document_id).where(_number.document_number == where.document_number)
        if where.system_id is not None:
            numbered = numbered.where(_number.system_id == where.system_id)
        if where.document_type is not None:
            numbered = numbered.where(_number.document_type == where.document_type)
        conditions.append(_document.document_id.in_(numbered))
    return conditions


def _described(where: NamedBy) -> list[Any]:
    """What it says."""
    conditions: list[Any] = [
        _document[name] == value
        for name in ("source", "currency_code", "domain")
        if (value := getattr(where, name)) is not None
    ]
    if where.amount is not None:
        conditions.append(_document.amount.in_(padded(list(written_forms(where.amount)))))
    if where.posting_date_from is None and where.posting_date_until is None:
        return conditions
    # Where something narrower is known, an expression keeps the index of posting dates out of it; that index begins
    # with the domain.
    posted_on = _document.posting_date.concat("") if where.names_one_or_few else _document.posting_date
    if where.posting_date_from is not None:
        conditions.append(posted_on >= where.posting_date_from)
    if where.posting_date_until is not None:
        conditions.append(posted_on < where.posting_date_until)
    if where.domain is None and not where.names_one_or_few:
        conditions.append(_document.domain.in_(padded(sorted(DOMAINS))))
    return conditions


def _any_name(name: str) -> ColumnElement[bool]:
    """Each way by its own index."""
    prefix = name.partition("_")[0]
    if prefix == "doc":
        return _document.document_id == name
    if prefix == "lin":
        return _document.lineage_id == name
    if prefix == "txn":
        return _document.document_id.in_(_of_transaction(name))
    external = select(_document.document_id).where(_document.external_id == name)
    number = select(_number.document_id).where(_number.document_number == name)
    reference = (
        select(_transaction.document_id)
        .join(schema.steps, _step.transaction_id == _transaction.transaction_id)
        .where(_step.external_reference == name)
    )
    found = union(external, number, reference).subquery()
    return _document.document_id.in_(select(found.c[0]))


def _of_transaction(transaction_id: str) -> Select[Any]:
    return select(_transaction.document_id).where(_transaction.transaction_id == transaction_id)
