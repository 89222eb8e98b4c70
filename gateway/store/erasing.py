"""Erasing payloads, the requests for it, and the holds that forbid it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    Column,
    Exists,
    FromClause,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    text,
    union,
    update,
)

from gateway.domain.privacy import Erasable, ErasureRecord, HoldRecord
from gateway.domain.records import EntryRecord
from gateway.store import schema, schema_exceptions, schema_privacy
from gateway.store.entries import ENTRIES_OF_TRACE
from gateway.store.index_conditions import OPEN_STATUS
from gateway.store.kept import replace_one, replacing
from gateway.store.privacy_rows import (
    ERASURE,
    ERASURE_LOCKED,
    ERASURE_MUTABLE,
    ERASURES,
    HOLD,
    HOLD_LOCKED,
    HOLD_MUTABLE,
    HOLDS,
    NEWEST_HOLDS,
    OPEN_ERASURES_OF,
    REPLACE_ERASURE,
    REPLACE_HOLD,
    UNFINISHED_ERASURES,
)
from gateway.store.reader import Reader
from gateway.store.statement import Command, Query
from gateway.store.told_holds import CUSTOMERS_OF_LINEAGE, STANDING_HOLDS, customers_of_lineage
from gateway.store.unit import Unit

HOLD_LOCK: Final = 0x45525048
"""Who erases holds it together with others, who sets a legal hold alone: nothing is erased after a hold's commit."""

_hold: Final = schema_privacy.legal_holds.c
_transaction: Final = schema.transactions.c
_document: Final = schema.documents.c
_payload: Final = schema.payloads.c
_exception: Final = schema_exceptions.exceptions.c
_earlier: Final = schema_exceptions.earlier_words.c
_move: Final = schema_exceptions.exception_moves.c


def _id(column: str) -> str:
    return column


# Of the customer itself, of the transaction's customer, of any customer that its lineage tells of, or of the lineage.
_HELD_BY: Final = Query(
    select(_hold.hold_id)
    .where(
        _hold.lifted_at.is_(None),
        or_(
            _hold.lineage_id == bindparam("lineage"),
            _hold.customer_id == bindparam("customer"),
            _hold.customer_id.in_(customers_of_lineage()),
        ),
    )
    .order_by(_hold.hold_id)
    .limit(1),
    _id,
)
_UNDER_WAY: Final = Query(
    select(_transaction.transaction_id)
    .where(_transaction.lineage_id == bindparam("lineage"), text(OPEN_STATUS))
    .limit(1),
    _id,
)
# What people and the ERP said of it in front of a person.
_SAID: Final = Query(
    union(
        select(_exception.payload_id).where(
            _exception.transaction_id == bindparam("of_transaction"), _exception.payload_id.is_not(None)
        ),
        select(_earlier.payload_id)
        .join(schema_exceptions.exceptions, _exception.exception_id == _earlier.exception_id)
        .where(_exception.transaction_id == bindparam("of_transaction")),
        select(_move.payload_id)
        .join(schema_exceptions.exceptions, _exception.exception_id == _move.exception_id)
        .where(_exception.transaction_id == bindparam("of_transaction")),
    ),
    _id,
)
# The corrected document stands in the move with which a person sent it, and that belongs to the transaction that it was
# sent in place of.
_SENT_BY: Final = Query(
    select(_move.payload_id)
    .select_from(schema_exceptions.exceptions)
    .join(schema_exceptions.exception_moves, _move.exception_id == _exception.exception_id)
    .where(
        _exception.transaction_id == bindparam("replaced"),
        _exception.replaced_by == bindparam("of_transaction"),
        _move.move == literal_column("'resubmit'"),
    )
    .order_by(_move.move_id),
    _id,
)
_WITH_PAYLOAD: Final = Query(
    select(_transaction.transaction_id).where(
        _transaction.document_id == bindparam("of_document"), _transaction.payload_id == bindparam("of_payload")
    ),
    _id,
)
_ERASE: Final = Command(
    update(schema.payloads)
    .where(_payload.payload_id == bindparam("of_payload"), _payload.body.is_not(None))
    .values(body=null(), salt=bindparam("no_salt"), erased_at=bindparam("now"))
)
_FORGET_WHY: Final = Command(
    update(schema.steps).where(schema.steps.c.transaction_id == bindparam("of_transaction")).values(problem=null())
)


def _words_left(at: FromClause, payload_id: Column[str]) -> Exists:
    """Whether something that was said of the transaction is there still, as rows of exceptions (`at`) name it."""
    said = schema.payloads.alias()
    return exists(
        select(said.c.payload_id)
        .select_from(at.join(said, said.c.payload_id == payload_id))
        .where(_exception.transaction_id == _transaction.transaction_id, said.c.body.is_not(None))
        .correlate(schema.transactions)
    )


_of_exception: Final = schema_exceptions.exceptions
# Something may be said of a transaction after its payload was erased.
_ANYTHING_LEFT: Final = or_(
    _payload.body.is_not(None),
    _words_left(_of_exception, _exception.payload_id),
    *(
        _words_left(_of_exception.join(table, table.c.exception_id == _exception.exception_id), table.c.payload_id)
        for table in (schema_exceptions.earlier_words, schema_exceptions.exception_moves)
    ),
)

# What was accepted before transactions had a customer is of the document's.
_of_customer: Final = case(
    (_document.domain == literal_column("'customers'"), _document.document_id),
    else_=func.coalesce(_transaction.customer_id, _document.customer_id),
)
_FOUND: Final = (
    select(
        _transaction.transaction_id,
        _transaction.document_id,
        _transaction.lineage_id,
        _transaction.domain,
        _transaction.geography,
        _transaction.posting_date,
        _transaction.accepted_at,
        _of_customer.label("customer_id"),
    )
    .join(schema.documents, _document.document_id == _transaction.document_id)
    .join(schema.payloads, _payload.payload_id == _transaction.payload_id)
    .where(_ANYTHING_LEFT, _transaction.transaction_id > bindparam("after"))
    .order_by(_transaction.transaction_id)
    .limit(bindparam("most"))
)
# Named one by one, so that the index over (domain, customer) serves.
_BILLED: Final = ("orders", "contracts", "invoices", "payments")
_of_subject: Final = schema.documents.alias("of_subject")
_lineages: Final = select(_of_subject.c.lineage_id).where(
    _of_subject.c.domain.in_([literal_column(f"'{one}'") for one in _BILLED]),
    _of_subject.c.customer_id == bindparam("customer"),
)
TELLS_OF_CUSTOMER: Final = or_(
    _transaction.document_id == bindparam("customer"),
    # not the document's, which may have been sent again for another customer since
    _transaction.customer_id == bindparam("customer"),
    _transaction.customer_id.is_(None)
    & or_(
        _document.customer_id == bindparam("customer"),
        # journal entries name no customer: those that follow one of his documents are his
        (_document.customer_id.is_(None) & _transaction.lineage_id.in_(_lineages)),
    ),
)
_OF_CUSTOMER: Final = Query(_FOUND.where(TELLS_OF_CUSTOMER), Erasable)
_ANY: Final = Query(_FOUND, Erasable)


class PrivacyWrites:
    """Erasures and holds of a unit."""

    __slots__ = ()
    _unit: Unit

    async def erasing(self) -> None:
        """Nobody sets a legal hold until the unit ends."""
        await self._unit.lock(HOLD_LOCK, shared=True)

    async def holding(self) -> None:
        """Nobody erases until the unit ends."""
        await self._unit.lock(HOLD_LOCK, shared=False)

    async def insert_erasure(self, record: ErasureRecord) -> None:
        await self._unit.run(ERASURES.insert, ERASURES.params(record))

    async def erasure(self, erasure_id: str) -> ErasureRecord | None:
        """The row, locked until the unit ends."""
        return await self._unit.one(ERASURE_LOCKED, {"erasure_id": erasure_id})

    async def open_erasures_of(self, customer_id: str, client: str, person: str) -> Sequence[ErasureRecord]:
        """What that person asked for of the customer, and what is not finished; the oldest first."""
        named = {"customer": customer_id, "asked_by": client, "asked_person": person}
        return await self._unit.all(OPEN_ERASURES_OF, named)

    async def update_erasure(self, record: ErasureRecord) -> None:
        await replace_one(self._unit, REPLACE_ERASURE, replacing(record, ["erasure_id"], ERASURE_MUTABLE))

    async def insert_hold(self, record: HoldRecord) -> None:
        await self._unit.run(HOLDS.insert, HOLDS.params(record))

    async def legal_hold(self, hold_id: str) -> HoldRecord | None:
        """The row, locked until the unit ends."""
        return await self._unit.one(HOLD_LOCKED, {"hold_id": hold_id})

    async def update_hold(self, record: HoldRecord) -> None:
        await replace_one(self._unit, REPLACE_HOLD, replacing(record, ["hold_id"], HOLD_MUTABLE))

    async def hold_over(self, lineage_id: str, customer_id: str | None) -> str | None:
        """A hold that is set over the lineage, or over a customer that it tells of."""
        return await self._unit.one(_HELD_BY, {"lineage": lineage_id, "customer": customer_id or ""})

    async def standing_holds(self) -> Sequence[EntryRecord]:
        """Entries `hold_set` without a `hold_lifted`: what the ledger tells, whatever the rows say."""
        return await self._unit.all(STANDING_HOLDS)

    async def customers_of_lineage(self, lineage_id: str) -> Sequence[str]:
        """Whom the documents of a lineage name, or named before they were sent again."""
        return await self._unit.all(CUSTOMERS_OF_LINEAGE, {"lineage": lineage_id})

    async def is_under_way(self, lineage_id: str) -> bool:
        """Whether a transaction of the lineage has not ended."""
        return await self._unit.one(_UNDER_WAY, {"lineage": lineage_id}) is not None

    async def payloads_of_exceptions(self, transaction_id: str) -> Sequence[str]:
        """What the ERP said and what people asked for, as payload ids."""
        return await self._unit.all(_SAID, {"of_transaction": transaction_id})

    async def moves_that_sent(self, transaction_id: str, replaced: str) -> Sequence[str]:
        """The corrected documents that people sent in place of `replaced`, of which that transaction came, as payload
        ids."""
        return await self._unit.all(_SENT_BY, {"of_transaction": transaction_id, "replaced": replaced})

    async def entries_of(self, trace: str) -> Sequence[EntryRecord]:
        """In the order of their seq."""
        return await self._unit.all(ENTRIES_OF_TRACE, {"trace": trace})

    async def erase_payload(self, payload_id: str, now: int) -> bool:
        """Body and salt go: nobody can find out any more what the commitment was made of. Whether it was there."""
        return await self._unit.run(_ERASE, {"of_payload": payload_id, "no_salt": b"", "now": now}) > 0

    async def forget_why_steps_failed(self, transaction_id: str) -> None:
        """The words that the ERP used for its steps."""
        await self._unit.run(_FORGET_WHY, {"of_transaction": transaction_id})


class PrivacyReads:
    """What is erased, held, and due."""

    _reader: Reader

    async def erasure(self, erasure_id: str) -> ErasureRecord | None:
        return await self._reader.one(ERASURE, {"erasure_id": erasure_id})

    async def unfinished_erasures(self, after: str, most: int) -> Sequence[ErasureRecord]:
        """Approved, and something is left; the oldest first, after that id."""
        return await self._reader.all(UNFINISHED_ERASURES, {"after": after, "most": most})

    async def transactions_with_payload(self, document_id: str, payload_id: str) -> Sequence[str]:
        """Those that were asked for with that payload; one, where the document has its content of the gateway."""
        return await self._reader.all(_WITH_PAYLOAD, {"of_document": document_id, "of_payload": payload_id})

    async def legal_hold(self, hold_id: str) -> HoldRecord | None:
        return await self._reader.one(HOLD, {"hold_id": hold_id})

    async def legal_holds(self, *, lifted: bool, limit: int, after: str | None) -> Sequence[HoldRecord]:
        """The newest first; `lifted`: those too that are lifted."""
        core = HOLDS.selecting().order_by(_hold.hold_id.desc()).limit(limit)
        if after is not None:
            core = core.where(_hold.hold_id < after)
        return await self._reader.find(NEWEST_HOLDS, core if lifted else core.where(_hold.lifted_at.is_(None)))

    async def erasable_of(self, customer_id: str, after: str, most: int) -> Sequence[Erasable]:
        """Transactions of the customer of which something is there to erase, after that id."""
        return await self._reader.all(_OF_CUSTOMER, {"customer": customer_id, "after": after, "most": most})

    async def erasable_after(self, after: str, most: int) -> Sequence[Erasable]:
        """Transactions of which something is there to erase, after that id."""
        return await self._reader.all(_ANY, {"after": after, "most": most})
