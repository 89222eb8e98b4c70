"""Which document refers to which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, bindparam, delete, or_, select

from adapters.canonical import DOMAINS, CustomerDocument
from gateway.domain.records import DocumentRecord, RelationRecord
from gateway.domain.transaction import FAILED_ENDS
from gateway.store import schema
from gateway.store.documents import DOCUMENTS
from gateway.store.kept import Kept
from gateway.store.statement import Command
from gateway.store.unit import Unit

RELATIONS: Final = Kept(schema.relations, RelationRecord)

_relations: Final = schema.relations.c
_documents: Final = schema.documents.c
_transactions: Final = schema.transactions.c

_FORGET: Final = Command(delete(schema.relations).where(_relations.document_id == bindparam("document_id")))

# By document and not by relation: a payment may name the same invoice twice.
_FOLLOWERS: Final = DOCUMENTS.query(
    DOCUMENTS.selecting()
    .outerjoin(schema.transactions, _transactions.transaction_id == _documents.transaction_id)
    .where(
        _documents.document_id.in_(
            select(_relations.document_id).where(
                _relations.target_document_id == bindparam("target"),
                # a credit note that came too late to follow its invoice relates to it, and takes from it all the same
                or_(_relations.kind == "follows", _relations.field == "invoiceReference"),
            )
        ),
        _documents.state == "active",
        or_(
            _transactions.status.is_(None),
            and_(*(_transactions.status != status.value for status in sorted(FAILED_ENDS))),
        ),
    )
    .order_by(_documents.document_id)
)

_WITH_CUSTOMER: Final = sorted(name for name, model in DOMAINS.items() if issubclass(model, CustomerDocument))

# By the index of a customer's documents: of one that came with an order there are few.
_OF_CUSTOMER: Final = DOCUMENTS.query(
    DOCUMENTS.selecting()
    .outerjoin(schema.transactions, _transactions.transaction_id == _documents.transaction_id)
    .where(
        or_(*(_documents.domain == domain for domain in _WITH_CUSTOMER)),
        _documents.customer_id == bindparam("customer"),
        or_(
            _transactions.status.is_(None),
            and_(*(_transactions.status != status.value for status in sorted(FAILED_ENDS))),
        ),
    )
    .order_by(_documents.document_id)
    .limit(1)
)


class RelationWrites:
    """Relations of a unit."""

    __slots__ = ()
    _unit: Unit

    async def insert_relations(self, records: Sequence[RelationRecord]) -> None:
        if records:
            await self._unit.run_many(RELATIONS.insert, [RELATIONS.params(record) for record in records])

    async def delete_relations(self, document_id: str) -> None:
        await self._unit.run(_FORGET, {"document_id": document_id})

    async def followers(self, document_id: str) -> Sequence[DocumentRecord]:
        return await self._unit.all(_FOLLOWERS, {"target": document_id})

    async def document_of_customer(self, customer_id: str) -> DocumentRecord | None:
        return await self._unit.one(_OF_CUSTOMER, {"customer": customer_id})
