"""The questions that callers, auditors and operations ask; what is not visible to the asker is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, bindparam, or_, select, union_all

from gateway.domain.queries import DocumentFilter, LineageView, TransactionFilter, Visible
from gateway.domain.records import (
    ActivationRecord,
    CrossReferenceRecord,
    DocumentRecord,
    EntryRecord,
    PayloadRecord,
    RelationRecord,
    StepRecord,
    TransactionRecord,
)
from gateway.domain.transaction import Status
from gateway.store import schema, schema_adoptions
from gateway.store.activations import ActivationReads
from gateway.store.acts import ActReads
from gateway.store.adoptions import AdoptionReads
from gateway.store.batches import BatchReads
from gateway.store.database_time import DATABASE_NOW
from gateway.store.documents import CROSS_REFERENCES, DOCUMENTS
from gateway.store.drafts import DraftReads
from gateway.store.entries import ENTRIES, ENTRIES_OF_TRACE
from gateway.store.erasing import PrivacyReads
from gateway.store.exceptions import ExceptionReads
from gateway.store.filters import newest_first, of_documents, of_transactions, padded, seen
from gateway.store.gate_evidence import GateEvidenceReads
from gateway.store.keys import PAYLOAD
from gateway.store.leaders import LeaderReads
from gateway.store.lineages import LINEAGES, PINS
from gateway.store.open_lineages import OpenLineageReads
from gateway.store.processes import ACTIVATION
from gateway.store.queue_reads import QueueReads
from gateway.store.reader import Moment, Reader
from gateway.store.relations import RELATIONS
from gateway.store.restores import RestoreReads
from gateway.store.sender_reads import SenderReads
from gateway.store.simulations import SimulationReader
from gateway.store.state_reads import StateReads
from gateway.store.statement import Query
from gateway.store.sweeps import SweepReads
from gateway.store.told_acts import ToldActReads
from gateway.store.told_index import ToldIndexReads
from gateway.store.told_reads import ToldReads
from gateway.store.traffic import TrafficReader
from gateway.store.transactions import STEPS_OF, TRANSACTIONS

LINEAGE_ROWS: Final = 10_000
"""Documents, transactions, relations and cross-references of a lineage that one answer shows at most; a lineage is a
handful, a collective one some hundreds."""

_transaction: Final = schema.transactions.c
_batch: Final = schema_adoptions.adoption_lines.c
_document: Final = schema.documents.c

_TRANSACTIONS: Final = TRANSACTIONS.query(TRANSACTIONS.selecting())
_DOCUMENTS: Final = DOCUMENTS.query(DOCUMENTS.selecting())
_RELATIONS: Final = RELATIONS.query(RELATIONS.selecting())
_CROSS_REFERENCES: Final = CROSS_REFERENCES.query(CROSS_REFERENCES.selecting())
_LINEAGE: Final = LINEAGES.by("lineage_id")
_PIN: Final = PINS.by("lineage_id")

_LINEAGE_ENTRIES: Final = ENTRIES.query(
    ENTRIES.selecting()
    .where(
        schema.ledger_entries.c.trace.in_(
            union_all(
                select(_transaction.transaction_id).where(_transaction.lineage_id == bindparam("lineage_id")),
                select(_batch.adoption_id).where(_batch.lineage_id == bindparam("lineage_id")),
            )
        ),
        # a batch moves the pins of other lineages too
        or_(
            schema.ledger_entries.c.kind != "adopted",
            schema.ledger_entries.c.lineage_id == bindparam("lineage_id"),
        ),
    )
    .order_by(schema.ledger_entries.c.at, schema.ledger_entries.c.trace, schema.ledger_entries.c.seq)
)


def _status(transaction_id: str, status: str) -> tuple[str, Status]:
    return transaction_id, Status(status)


_STATUSES: Final = Query(select(_transaction.transaction_id, _transaction.status), _status)


class StoreReads(
    QueueReads,
    ActivationReads,
    ActReads,
    DraftReads,
    SimulationReader,
    TrafficReader,
    AdoptionReads,
    OpenLineageReads,
    GateEvidenceReads,
    ExceptionReads,
    BatchReads,
    LeaderReads,
    SenderReads,
    SweepReads,
    PrivacyReads,
    RestoreReads,
    StateReads,
    ToldReads,
    ToldActReads,
    ToldIndexReads,
):
    """Implements `gateway.transactions.queries.Reads`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def transaction(self, transaction_id: str, visible: Visible) -> TransactionRecord | None:
        core = seen(TRANSACTIONS.selecting(), schema.transactions, visible)
        rows = await self._reader.find(_TRANSACTIONS, core.where(_transaction.transaction_id == transaction_id))
        return rows[0] if rows else None

    async def transactions(
        self, where: TransactionFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[TransactionRecord]:
        core = seen(TRANSACTIONS.selecting(), schema.transactions, visible).where(*of_transactions(where))
        key = _transaction.transaction_id
        if after is not None:
            core = core.where(key < after)
        return await self._reader.find(_TRANSACTIONS, core.order_by(key.desc()).limit(limit))

    async def statuses(self, transaction_ids: Sequence[str]) -> Mapping[str, Status]:
        wanted = select(_transaction.transaction_id, _transaction.status).where(
            _transaction.transaction_id.in_(padded(transaction_ids))
        )
        return dict(await self._reader.find(_STATUSES, wanted)) if transaction_ids else {}

    async def steps(self, transaction_id: str) -> Sequence[StepRecord]:
        return await self._reader.all(STEPS_OF, {"transaction_id": transaction_id})

    async def entries(self, trace: str) -> Sequence[EntryRecord]:
        return await self._reader.all(ENTRIES_OF_TRACE, {"trace": trace})

    async def lineage_entries(self, lineage_id: str) -> Sequence[EntryRecord]:
        return await self._reader.all(_LINEAGE_ENTRIES, {"lineage_id": lineage_id})

    async def lineage(self, lineage_id: str, visible: Visible) -> LineageView | None:
        documents_of = seen(DOCUMENTS.selecting(), schema.documents, visible)
        transactions_of = seen(TRANSACTIONS.selecting(), schema.transactions, visible)
        async with self._reader.moment() as moment:
            lineages = await moment.all(_LINEAGE, {"lineage_id": lineage_id})
            documents = await moment.find(
                _DOCUMENTS,
                documents_of.where(_document.lineage_id == lineage_id)
                .order_by(_document.document_id.desc())
                .limit(LINEAGE_ROWS),
            )
            transactions = await moment.find(
                _TRANSACTIONS,
                transactions_of.where(_transaction.lineage_id == lineage_id)
                .order_by(_transaction.transaction_id.desc())
                .limit(LINEAGE_ROWS),
            )
            if not lineages or not (documents or transactions):
                return None
            pins = await moment.all(_PIN, {"lineage_id": lineage_id})
            ids = [one.document_id for one in documents]
            numbers = await moment.find(_CROSS_REFERENCES, _numbers_of(ids))
            relations = await _related(moment, ids, visible)
        return LineageView(lineages[0], pins[0] if pins else None, documents, transactions, numbers, relations)

    async def document(self, document_id: str, visible: Visible) -> DocumentRecord | None:
        core = seen(DOCUMENTS.selecting(), schema.documents, visible)
        rows = await self._reader.find(_DOCUMENTS, core.where(_document.document_id == document_id))
        return rows[0] if rows else None

    async def documents(
        self, where: DocumentFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[DocumentRecord]:
        core = seen(DOCUMENTS.selecting(), schema.documents, visible).where(*of_documents(where))
        if after is not None:
            core = core.where(_document.document_id < after)
        return await self._reader.find(_DOCUMENTS, core.order_by(newest_first(where)).limit(limit))

    async def payload(self, payload_id: str) -> PayloadRecord | None:
        return await self._reader.one(PAYLOAD, {"payload_id": payload_id})

    async def cross_references(self, document_ids: Sequence[str]) -> Sequence[CrossReferenceRecord]:
        return await self._reader.find(_CROSS_REFERENCES, _numbers_of(document_ids))

    async def activation(self, activation_number: int) -> ActivationRecord | None:
        return await self._reader.one(ACTIVATION, {"activation_number": activation_number})

    async def database_now(self) -> int:
        """µs since 1970 by the database's clock."""
        return await self._reader.one(DATABASE_NOW) or 0

    async def is_alive(self) -> bool:
        return await self._reader.is_alive()


async def _related(moment: Moment, document_ids: Sequence[str], visible: Visible) -> Sequence[RelationRecord]:
    """The links from and to these documents, without those whose other end is not visible."""
    relations = schema.relations.c
    if not document_ids:
        return []
    found = await moment.find(
        _RELATIONS,
        RELATIONS.selecting()
        .where(
            or_(relations.document_id.in_(padded(document_ids)), relations.target_document_id.in_(padded(document_ids)))
        )
        .order_by(relations.document_id, relations.field)
        .limit(LINEAGE_ROWS),
    )
    ends = {end for one in found for end in (one.document_id, one.target_document_id)}.difference(document_ids)
    known = set(document_ids)
    if ends:
        others = seen(DOCUMENTS.selecting(), schema.documents, visible)
        others = others.where(_document.document_id.in_(padded(sorted(ends))))
        known.update(one.document_id for one in await moment.find(_DOCUMENTS, others))
    return [one for one in found if one.document_id in known and one.target_document_id in known]


def _numbers_of(document_ids: Sequence[str]) -> Select[Any]:
    numbers = schema.cross_references.c
    return (
        CROSS_REFERENCES.selecting()
        .where(numbers.document_id.in_(padded(document_ids)))
        .order_by(numbers.document_id, numbers.valid_from, numbers.system_id, numbers.document_number)
        .limit(LINEAGE_ROWS)
    )
