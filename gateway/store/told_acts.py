"""Legal holds, erasures and overlays, beside the entries that tell of them. Each part is one moment of the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from sqlalchemy import bindparam, literal_column, or_, select

from gateway.domain.act_records import OverlayRecord
from gateway.domain.privacy import ErasureRecord, HoldRecord
from gateway.domain.records import EntryRecord, PayloadRecord
from gateway.store import schema
from gateway.store.acts import OVERLAYS
from gateway.store.entries import ENTRIES
from gateway.store.erasing import TELLS_OF_CUSTOMER
from gateway.store.kept import Kept
from gateway.store.keys import PAYLOADS
from gateway.store.privacy_rows import ERASURES, HOLDS
from gateway.store.reader import Reader
from gateway.store.state_reads import among
from gateway.store.statement import Named, Query

Act = TypeVar("Act", bound="HoldRecord | ErasureRecord | OverlayRecord")

PAGE: Final = 500
"""Erased transactions of one look."""

_entry: Final = schema.ledger_entries.c
_transaction: Final = schema.transactions.c
_document: Final = schema.documents.c
_payload: Final = schema.payloads.c


@dataclass(frozen=True, slots=True)
class ActPart(Generic[Act]):
    """Some acts: their rows, their entries in the order of `seq`, and the payloads of their reasons."""

    ids: Sequence[str]
    rows: Sequence[Act]
    entries: Sequence[EntryRecord]
    payloads: Sequence[PayloadRecord]


@dataclass(frozen=True, slots=True)
class ErasedCount:
    """Transactions of an erasure: how many its row counts (None: it has no row), how many entries `erased` name it;
    `archived`: entries of some that were erased are in the archive of their month."""

    stored: int | None
    told: int
    archived: bool


def _id(column: str) -> str:
    return column


class _Acts(Generic[Act]):
    """Acts of a kind: their rows and their traces, whose ids begin with `prefix` (three letters and `_`)."""

    def __init__(self, kept: Kept[Act], key: str, prefix: str) -> None:
        self.kept = kept
        self.prefix = prefix
        self.key = kept.table.c[key]
        self.rows = Query(
            select(self.key).where(self.key > bindparam("after")).order_by(self.key).limit(bindparam("most")), _id
        )
        self.traces = Query(
            select(_entry.trace)
            .where(
                _entry.trace > bindparam("after"),
                _entry.trace < literal_column(f"'{prefix[:-1]}`'"),
                _entry.seq == literal_column("1"),
            )
            .order_by(_entry.trace)
            .limit(bindparam("most")),
            _id,
        )

    async def part(self, reader: Reader, after: str, most: int) -> ActPart[Act]:
        """The next `most` ids after that one which have a row or an entry, in their order."""
        async with reader.moment() as moment:
            page: Named = {"after": after, "most": most}
            stored = await moment.all(self.rows, page)
            told = await moment.all(self.traces, {"after": max(after, self.prefix), "most": most})
            ids = sorted({*stored, *told})[:most]
            rows = await among(moment, self.kept, self.key, ids)
            entries = await among(moment, ENTRIES, _entry.trace, ids)
            entries.sort(key=lambda one: (one.trace, one.seq))
            lifts = [one.lift_payload_id for one in rows if not isinstance(one, ErasureRecord)]
            reasons = {*(one.payload_id for one in rows), *filter(None, lifts)}
            return ActPart(ids, rows, entries, await among(moment, PAYLOADS, _payload.payload_id, sorted(reasons)))


_HOLDS: Final = _Acts(HOLDS, "hold_id", "hld_")
_ERASURES: Final = _Acts(ERASURES, "erasure_id", "era_")
_OVERLAYS: Final = _Acts(OVERLAYS, "overlay_id", "ovl_")

_ERASED_OF_CUSTOMER: Final = Query(
    select(_transaction.transaction_id)
    .join(schema.documents, _document.document_id == _transaction.document_id)
    .join(schema.payloads, _payload.payload_id == _transaction.payload_id)
    .where(_payload.body.is_(None), _transaction.transaction_id > bindparam("after"), TELLS_OF_CUSTOMER)
    .order_by(_transaction.transaction_id)
    .limit(bindparam("most")),
    _id,
)
_ERASED_ENTRIES: Final = ENTRIES.query(ENTRIES.selecting())
_ROW_OF_ERASURE: Final = ERASURES.by("erasure_id")


class ToldActReads:
    """Questions of the audit about holds, erasures and overlays."""

    _reader: Reader

    async def hold_part(self, after: str, most: int) -> ActPart[HoldRecord]:
        """The next `most` legal holds after that id."""
        return await _HOLDS.part(self._reader, after, most)

    async def erasure_part(self, after: str, most: int) -> ActPart[ErasureRecord]:
        """The next `most` erasures after that id."""
        return await _ERASURES.part(self._reader, after, most)

    async def overlay_part(self, after: str, most: int) -> ActPart[OverlayRecord]:
        """The next `most` overlays after that id."""
        return await _OVERLAYS.part(self._reader, after, most)

    async def erased_count(self, erasure_id: str, customer_id: str) -> ErasedCount:
        """What went with an erasure, as its row and as entries count it at one moment. `customer_id`: as told."""
        async with self._reader.moment() as moment:
            row = await moment.all(_ROW_OF_ERASURE, {"erasure_id": erasure_id})
            after, told, archived = "", 0, False
            while True:
                page: Named = {"customer": customer_id, "after": after, "most": PAGE}
                ids = await moment.all(_ERASED_OF_CUSTOMER, page)
                core = ENTRIES.selecting().where(
                    _entry.trace.in_(list(ids)),
                    or_(_entry.seq == literal_column("1"), _entry.kind == literal_column("'erased'")),
                )
                entries = await moment.find(_ERASED_ENTRIES, core) if ids else []
                told += sum(
                    json.loads(one.body).get("erasureId") == erasure_id for one in entries if one.kind == "erased"
                )
                archived = archived or len({one.trace for one in entries if one.seq == 1}) < len(ids)
                if len(ids) < PAGE:
                    return ErasedCount(row[0].erased if row else None, told, archived)
                after = ids[-1]
