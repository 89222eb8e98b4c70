"""What an evidence pack is made of beside documents: payloads, and the populations that samples are drawn of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select, union_all

from gateway.domain.entry_filter import EntryFilter
from gateway.domain.queries import Visible
from gateway.domain.records import PayloadRecord
from gateway.store import schema, schema_adoptions, schema_exceptions
from gateway.store.entries import of_entry
from gateway.store.entry_conditions import Ranges, in_order, in_ranges, of_filter
from gateway.store.filters import seen
from gateway.store.keys import PAYLOADS
from gateway.store.log_reads import PLACED, PlacedEntry
from gateway.store.log_schema import log_entries
from gateway.store.reader import Reader
from gateway.store.schema_queries import indexed_entries
from gateway.store.statement import Query

_AT_ONCE: Final = 500
"""Names in one read."""
_MONEY_KINDS: Final = ("routed", "posted")

_place: Final = log_entries.c
_body: Final = schema.ledger_entries.c
_entry: Final = indexed_entries.c
_exception: Final = schema_exceptions.exceptions.c
_earlier: Final = schema_exceptions.earlier_words.c
_move: Final = schema_exceptions.exception_moves.c


@dataclass(frozen=True, slots=True)
class Begun:
    """A transaction, and the place of its entry `accepted`."""

    log_index: int
    trace: str


@dataclass(frozen=True, slots=True)
class BesideEntry:
    """An entry of a lineage and of no transaction. `log_index`: None where it has no place yet."""

    trace: str
    seq: int
    kind: str
    at: int
    document_id: str | None
    log_index: int | None


def _beside(trace: str, seq: int, kind: str, at: int, body: bytes, log_index: int | None) -> BesideEntry:
    try:
        document_id = json.loads(body)["documentId"]
    except (ValueError, KeyError, TypeError):  # altered: whoever shows its bytes refuses it
        document_id = None
    return BesideEntry(trace, seq, kind, at, document_id, log_index)


def _id(column: str) -> str:
    return column


_PAYLOADS: Final = PAYLOADS.query(PAYLOADS.selecting())
_BEGUN: Final = Query(select(_place.log_index, _place.trace), Begun)
_PLACED: Final = Query(PLACED, PlacedEntry)
_batch: Final = schema_adoptions.adoption_lines.c
_lineage: Final = schema.lineages.c
_ROOTS: Final = select(_lineage.lineage_id).join(
    schema.documents, schema.documents.c.document_id == _lineage.root_document_id
)
_SEEN_LINEAGES: Final = Query(_ROOTS, _id)
_ENTRIES_BESIDE: Final = Query(
    select(_body.trace, _body.seq, _body.kind, _body.at, _body.body, _place.log_index)
    .select_from(
        schema.ledger_entries.outerjoin(log_entries, (_place.trace == _body.trace) & (_place.seq == _body.seq))
    )
    .where(
        _body.trace.in_(select(_batch.adoption_id).where(_batch.lineage_id == bindparam("lineage_id"))),
        _body.lineage_id == bindparam("lineage_id"),
    )
    .order_by(_body.trace, _body.seq),
    _beside,
)
_payload_ids: Final = select(_exception.payload_id)
_PAYLOAD_IDS: Final = Query(_payload_ids, _id)


class EvidenceReads:
    """Questions of those who make packs."""

    _reader: Reader

    async def payloads(self, payload_ids: Sequence[str]) -> list[PayloadRecord]:
        """Those that are there, erased ones too."""
        found: list[PayloadRecord] = []
        for start in range(0, len(payload_ids), _AT_ONCE):
            part = list(payload_ids[start : start + _AT_ONCE])
            found += await self._reader.find(
                _PAYLOADS, PAYLOADS.selecting().where(schema.payloads.c.payload_id.in_(part))
            )
        return found

    async def words_of(self, transaction_ids: Sequence[str]) -> list[str]:
        """The payloads that hold what an ERP said about these transactions, and what people did about it."""
        found: list[str] = []
        for start in range(0, len(transaction_ids), _AT_ONCE):
            part = list(transaction_ids[start : start + _AT_ONCE])
            of_these = _exception.transaction_id.in_(part)
            moved = select(_move.payload_id).join(
                schema_exceptions.exceptions, _exception.exception_id == _move.exception_id
            )
            before = select(_earlier.payload_id).join(
                schema_exceptions.exceptions, _exception.exception_id == _earlier.exception_id
            )
            said = select(_exception.payload_id).where(of_these, _exception.payload_id.is_not(None))
            words = union_all(said, before.where(of_these), moved.where(of_these))
            found += await self._reader.find(_PAYLOAD_IDS, words)
        return found

    async def entries_beside(self, lineage_id: str) -> list[BesideEntry]:
        """The entries of a lineage that are of no transaction: what moved its pin from outside (`adopted`). Their
        traces hold those of other lineages too."""
        return await self._reader.all(_ENTRIES_BESIDE, {"lineage_id": lineage_id})

    async def lineages_seen(self, lineage_ids: Sequence[str], visible: Visible) -> set[str]:
        """Of these, those whose root lies in that data scope: by it, entries of no transaction are visible."""
        found: set[str] = set()
        for start in range(0, len(lineage_ids), _AT_ONCE):
            part = list(lineage_ids[start : start + _AT_ONCE])
            core = seen(_ROOTS, schema.documents, visible).where(_lineage.lineage_id.in_(part))
            found.update(await self._reader.find(_SEEN_LINEAGES, core))
        return found

    async def placed_of_all(self, traces: Sequence[str], limit: int) -> list[PlacedEntry]:
        """The entries of these traces that have a place, in the order of the log within each read; `limit`: of all."""
        found: list[PlacedEntry] = []
        for start in range(0, len(traces), _AT_ONCE):
            part = list(traces[start : start + _AT_ONCE])
            core = PLACED.where(_place.trace.in_(part)).order_by(_place.log_index)
            found += await self._reader.find(_PLACED, core.limit(limit - len(found)))
            if len(found) >= limit:
                break
        return found

    async def begun(self, where: EntryFilter, visible: Visible, ranges: Ranges) -> list[Begun]:
        """The transactions whose entry `accepted` stands at these places and is one that the filter wants, in order."""
        if not ranges:
            return []
        core = (
            select(_place.log_index, _place.trace)
            .select_from(log_entries.join(indexed_entries, _entry.log_index == _place.log_index))
            .where(_entry.kind == "accepted", _place.seq == 1, *of_filter(where, visible))
        )
        core = in_ranges(core, ranges, sqlite=self._reader.is_sqlite)
        return await self._reader.find(_BEGUN, core.order_by(in_order(_place.log_index, ranges)))

    async def money_entries(self, traces: Sequence[str], end: int) -> list[PlacedEntry]:
        """The entries `routed` and `posted` of these traces with a smaller place than `end`."""
        found: list[PlacedEntry] = []
        for start in range(0, len(traces), _AT_ONCE):
            part = list(traces[start : start + _AT_ONCE])
            kind = of_entry(_body.kind, _place.trace, _place.seq)
            core = PLACED.where(_place.trace.in_(part), kind.in_(_MONEY_KINDS), _place.log_index < end)
            found += await self._reader.find(_PLACED, core.order_by(_place.log_index))
        return found
