"""Parts of the state beside the entries that tell of it, each part as it was at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, bindparam, literal_column, select, tuple_

from gateway.domain.exceptions import EarlierWords, ExceptionRecord, MoveRecord
from gateway.domain.records import (
    CrossReferenceRecord,
    DocumentRecord,
    EntryRecord,
    LineageRecord,
    NaturalKeyRecord,
    PayloadRecord,
    PinRecord,
    StepRecord,
    TransactionRecord,
)
from gateway.store import schema, schema_exceptions
from gateway.store.documents import CROSS_REFERENCES, DOCUMENTS
from gateway.store.entries import ENTRIES
from gateway.store.exceptions import EARLIER_WORDS, EXCEPTIONS, MOVES
from gateway.store.kept import Kept
from gateway.store.keys import NATURAL_KEYS, PAYLOADS
from gateway.store.lineages import LINEAGES, PINS
from gateway.store.named_customers import CustomerNames, NamedCustomer
from gateway.store.reader import Moment, Reader
from gateway.store.statement import Query
from gateway.store.transactions import STEPS, TRANSACTIONS

R = TypeVar("R")

_CHUNK: Final = 500
"""Values in one IN list."""
STRAYS: Final = 100
"""Rows without their other half that one look names at most."""

_lineage: Final = schema.lineages.c
_transaction: Final = schema.transactions.c
_document: Final = schema.documents.c
_entry: Final = schema.ledger_entries.c
_natural: Final = schema.natural_keys.c
_exception: Final = schema_exceptions.exceptions.c
_earlier: Final = schema_exceptions.earlier_words.c
_move: Final = schema_exceptions.exception_moves.c


@dataclass(frozen=True, slots=True)
class StatePart:
    """Some lineages with all that is stored of them; transactions and entries are in the order of time. `customers`: by
    transaction that created a document, whom its payload names."""

    lineage_ids: Sequence[str]
    lineages: Sequence[LineageRecord]
    transactions: Sequence[TransactionRecord]
    entries: Sequence[EntryRecord]
    adopted: Sequence[EntryRecord]
    payloads: Sequence[PayloadRecord]
    documents: Sequence[DocumentRecord]
    pins: Sequence[PinRecord]
    numbers: Sequence[CrossReferenceRecord]
    natural_keys: Sequence[NaturalKeyRecord]
    exceptions: Sequence[ExceptionRecord]
    earlier_words: Sequence[EarlierWords]
    moves: Sequence[MoveRecord]
    customers: Mapping[str, NamedCustomer]
    steps: Sequence[StepRecord]


def _id(column: str) -> str:
    return column


_LINEAGE_IDS: Final = Query(
    select(_lineage.lineage_id)
    .where(_lineage.lineage_id > bindparam("after"))
    .order_by(_lineage.lineage_id)
    .limit(bindparam("most")),
    _id,
)

_LINEAGES: Final = LINEAGES.query(
    LINEAGES.selecting()
    .where(_lineage.lineage_id > bindparam("after"))
    .order_by(_lineage.lineage_id)
    .limit(bindparam("most"))
)
# An adopt batch has a trace of its own; these stand together in the order of the key.
_ADOPTED: Final = ENTRIES.query(
    ENTRIES.selecting()
    .where(_entry.trace >= "adp_", _entry.trace < "adp`", _entry.kind == literal_column("'adopted'"))
    .order_by(_entry.trace, _entry.seq)
)
_BETWEEN: Final = ENTRIES.query(
    ENTRIES.selecting()
    .where(
        tuple_(_entry.trace, _entry.seq) > tuple_(bindparam("after_trace"), bindparam("after_seq")),
        _entry.trace < bindparam("until"),
    )
    .order_by(_entry.trace, _entry.seq)
    .limit(bindparam("most"))
)
_WITHOUT_ROW: Final = Query(
    select(_entry.trace)
    .select_from(schema.ledger_entries.outerjoin(schema.transactions, _transaction.transaction_id == _entry.trace))
    .where(
        _entry.trace >= "txn_",
        _entry.trace < "txn`",
        _entry.seq == literal_column("1"),
        _transaction.transaction_id.is_(None),
    )
    .order_by(_entry.trace)
    .limit(STRAYS),
    _id,
)
_WITHOUT_LINEAGE: Final = Query(
    select(_transaction.transaction_id)
    .select_from(schema.transactions.outerjoin(schema.lineages, _lineage.lineage_id == _transaction.lineage_id))
    .where(_lineage.lineage_id.is_(None))
    .order_by(_transaction.transaction_id)
    .limit(STRAYS),
    _id,
)
# A document goes by one natural key, which its row repeats; a key beside it would answer for it too.
_ADDED_KEYS: Final = Query(
    select(_natural.document_id)
    .select_from(
        schema.natural_keys.outerjoin(
            schema.documents,
            (_document.document_id == _natural.document_id)
            & (_document.source == _natural.source)
            & (_document.domain == _natural.domain)
            & (_document.external_id == _natural.external_id),
        )
    )
    .where(_document.document_id.is_(None))
    .order_by(_natural.document_id)
    .limit(STRAYS),
    _id,
)


class StateReads:
    """Questions of the audit of the state."""

    _reader: Reader

    async def state_part(self, after: str, most: int) -> StatePart:
        """The next `most` lineages after that id, in the order of their ids."""
        async with self._reader.moment() as moment:
            lineages = await moment.all(_LINEAGES, {"after": after, "most": most})
            ids = [one.lineage_id for one in lineages]
            transactions = await among(moment, TRANSACTIONS, _transaction.lineage_id, ids)
            transactions.sort(key=lambda one: one.transaction_id)
            traces = [one.transaction_id for one in transactions]
            entries = await among(moment, ENTRIES, _entry.trace, traces)
            entries.sort(key=lambda one: (one.trace, one.seq))
            documents = await among(moment, DOCUMENTS, _document.lineage_id, ids)
            numbers = await among(
                moment, CROSS_REFERENCES, schema.cross_references.c.document_id, [one.document_id for one in documents]
            )
            names = [(one.source, one.domain, one.external_id) for one in documents if one.external_id is not None]
            exceptions = await among(moment, EXCEPTIONS, _exception.transaction_id, traces)
            of_these = [one.exception_id for one in exceptions]
            earlier = await among(moment, EARLIER_WORDS, _earlier.exception_id, of_these)
            moves = await among(moment, MOVES, _move.exception_id, of_these)
            said = {one.payload_id for rows in (transactions, exceptions, earlier, moves) for one in rows}
            payloads = await among(moment, PAYLOADS, schema.payloads.c.payload_id, sorted(filter(None, said)))
            named = CustomerNames.of(transactions, payloads)
            keys = await among(
                moment,
                NATURAL_KEYS,
                tuple_(_natural.source, _natural.domain, _natural.external_id),
                sorted({*names, *named.names}),
            )
            customers = {one.customer_id for one in documents} | {one.customer_id for one in transactions}
            buyers = sorted(filter(None, customers)) if named.numbered else []
            called = await among(moment, CROSS_REFERENCES, schema.cross_references.c.document_id, buyers)
            return StatePart(
                lineage_ids=ids,
                lineages=lineages,
                transactions=transactions,
                entries=entries,
                adopted=[one for one in await moment.all(_ADOPTED) if one.lineage_id in set(ids)],
                payloads=payloads,
                documents=documents,
                pins=await among(moment, PINS, schema.pins.c.lineage_id, ids),
                numbers=numbers,
                natural_keys=keys,
                exceptions=exceptions,
                earlier_words=earlier,
                moves=moves,
                customers=named.resolve(keys, called),
                steps=await among(moment, STEPS, schema.steps.c.transaction_id, traces),
            )

    async def lineage_ids(self, after: str, most: int) -> Sequence[str]:
        """The ids of the next `most` lineages after that one."""
        return await self._reader.all(_LINEAGE_IDS, {"after": after, "most": most})

    async def entries_between(self, after: tuple[str, int], until: str, most: int) -> Sequence[EntryRecord]:
        """The next `most` entries after that trace and seq, of traces before `until`, in their order."""
        trace, seq = after
        return await self._reader.all(_BETWEEN, {"after_trace": trace, "after_seq": seq, "until": until, "most": most})

    async def traces_without_row(self) -> Sequence[str]:
        """Transactions of which there are entries and no row; the first of them."""
        return await self._reader.all(_WITHOUT_ROW)

    async def transactions_without_lineage(self) -> Sequence[str]:
        """Transactions whose lineage has no row; the first of them."""
        return await self._reader.all(_WITHOUT_LINEAGE)

    async def keys_without_document(self) -> Sequence[str]:
        """Documents to which a natural key leads that their rows do not have; the first of them."""
        return await self._reader.all(_ADDED_KEYS)


async def among(moment: Moment, kept: Kept[R], column: ColumnElement[Any], values: Sequence[Any]) -> list[R]:
    """The records whose column has one of these values."""
    query, found = kept.query(kept.selecting()), []
    for start in range(0, len(values), _CHUNK):
        found += await moment.find(query, kept.selecting().where(column.in_(list(values[start : start + _CHUNK]))))
    return found
