"""The record as gates ask for it: keys without numbers, number ranges, what was posted in a period."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, exists, func, literal, or_, select, tuple_

from gateway.domain.entries import EntryKind
from gateway.domain.gate_evidence import KeyUsed, NumbersSeen, PostedDocument
from gateway.domain.open_lineages import OpenFilter
from gateway.store import schema
from gateway.store.posted_legs import POSTED_LEGS, SPLIT_DOMAINS, posted_legs
from gateway.store.reader import Moment, Reader
from gateway.store.statement import Query

_CHUNK: Final = 500
"""Names or ids looked up at once."""

_document: Final = schema.documents.c
_number: Final = schema.cross_references.c
_key: Final = schema.natural_keys.c
_transaction: Final = schema.transactions.c
_entry: Final = schema.ledger_entries.c
_payload: Final = schema.payloads.c

Name = tuple[str, str]
"""(source, external id), or ("", canonical id)."""


class GateEvidenceReads:
    """Implements the questions of `gateway.cutover.gates.gate_ports.GateReads` that no board asks."""

    _reader: Reader

    async def customers_without_number(
        self, where: OpenFilter, since: int, system_id: str, limit: int
    ) -> Sequence[KeyUsed]:
        core = (
            select(_document.customer_id, literal("").label("name"), func.count().label("documents"))
            .where(
                *_inside(where),
                _document.created_at >= since,
                _document.customer_id.is_not(None),
                ~_has_number(_document.customer_id, system_id),
            )
            .group_by(_document.customer_id)
            .order_by(func.count().desc(), _document.customer_id)
            .limit(limit)
        )
        return await self._reader.find(_USED, core)

    async def products_without_number(
        self, where: OpenFilter, since: int, system_id: str, limit: int
    ) -> tuple[int, Sequence[KeyUsed]]:
        core = (
            select(_document.source, _payload.body)
            .select_from(schema.documents.join(schema.payloads, _payload.payload_id == _document.payload_id))
            .where(*_inside(where), _document.created_at >= since, _payload.body.is_not(None))
            .order_by(_document.document_id.desc())
            .limit(limit)
        )
        async with self._reader.moment() as moment:
            rows = await moment.find(_BODIES, core)
            used = Counter(name for source, body in rows for name in _products(source, body))
            known = await _canonical(moment, [name for name in used if name[0]])
            wanted = {name: known.get(name) if name[0] else name[1] for name in used}
            ids = sorted({one for one in wanted.values() if one is not None})
            numbered = await _numbered(moment, ids, system_id)
        return len(rows), [
            KeyUsed(document_id, ":".join(part for part in name if part), used[name])
            for name, document_id in sorted(wanted.items())
            if document_id is None or document_id not in numbered
        ]

    async def numbers_seen(self) -> Sequence[NumbersSeen]:
        length = func.length(_number.document_number)
        alike = (_number.system_id, _number.document_type, length)
        core = (
            select(
                _number.system_id,
                _number.document_type,
                length.label("length"),
                func.min(_number.document_number).label("smallest"),
                func.max(_number.document_number).label("largest"),
                func.count().label("numbers"),
            )
            .group_by(*alike)
            .order_by(*alike)
        )
        return await self._reader.find(_SEEN, core)

    async def posted_documents(
        self, system_id: str, domain: str, company_code: str, posted_from: str, posted_until: str, limit: int
    ) -> Sequence[PostedDocument]:
        core = (
            select(
                _document.document_id,
                _document.state,
                _transaction.erp_document_type,
                _transaction.erp_document_number,
                _entry.body,
            )
            .select_from(
                schema.documents.join(schema.transactions, _transaction.document_id == _document.document_id).join(
                    schema.ledger_entries, _entry.trace == _transaction.transaction_id
                )
            )
            .where(
                _document.domain == domain,
                _document.posting_date >= posted_from,
                _document.posting_date < posted_until,
                _document.company_code == company_code,
                _transaction.system_id == system_id,
                _transaction.status == "posted",
                _transaction.operation.in_(("create", "change")),
                _entry.kind == EntryKind.POSTED.value,
            )
            .order_by(_document.document_id, _transaction.transaction_id)
            .limit(limit)
        )
        # what a later change confirmed takes the place of what the creation did
        found = list({one.document_id: one for one in await self._reader.find(_POSTED, core)}.values())
        if domain in SPLIT_DOMAINS and len(found) < limit:
            legs = await self._reader.find(POSTED_LEGS, posted_legs(system_id, posted_from, posted_until, limit))
            found += filter(None, (one.as_document(domain, company_code) for one in legs))
        return found[:limit]


def _inside(where: OpenFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.domain is not None:
        found.append(_document.domain == where.domain)
    if where.business_units is not None:
        found.append(_document.business_unit.in_(sorted(where.business_units)))
    if where.geographies is not None:
        found.append(_document.geography.in_(sorted(where.geographies)))
    return found


def _has_number(document_id: ColumnElement[Any], system_id: str) -> ColumnElement[bool]:
    return exists(
        select(_number.document_id).where(
            _number.document_id == document_id, _number.system_id == system_id, _number.valid_until.is_(None)
        )
    )


def _products(source: str, body: bytes) -> Iterator[Name]:
    """The names of the products of a canonical body; a product named by a number is known by it."""
    for line in json.loads(body).get("lines") or ():
        reference: Mapping[str, Any] = line.get("product") or {}
        if reference.get("documentId"):
            yield "", str(reference["documentId"])
        elif reference.get("externalId"):
            yield str(reference.get("source") or source), str(reference["externalId"])


async def _canonical(moment: Moment, names: Sequence[Name]) -> Mapping[Name, str]:
    found: dict[Name, str] = {}
    for chunk in _chunks(names):
        core = select(_key.source, _key.external_id, _key.document_id).where(
            _key.domain == "products", or_(*(tuple_(_key.source, _key.external_id) == name for name in chunk))
        )
        for source, external_id, document_id in await moment.find(_KEYS, core):
            found[source, external_id] = document_id
    return found


async def _numbered(moment: Moment, document_ids: Sequence[str], system_id: str) -> set[str]:
    found: set[str] = set()
    for chunk in _chunks(document_ids):
        core = select(_number.document_id).where(
            _number.document_id.in_(chunk), _number.system_id == system_id, _number.valid_until.is_(None)
        )
        found.update(await moment.find(_IDS, core))
    return found


def _chunks(many: Sequence[Any]) -> Iterator[list[Any]]:
    for at in range(0, len(many), _CHUNK):
        yield list(many[at : at + _CHUNK])


def _posted(document_id: str, state: str, document_type: str, document_number: str, body: bytes) -> PostedDocument:
    confirmed = json.loads(body).get("confirmed") or {}
    return PostedDocument(
        document_id,
        state,
        document_type,
        document_number,
        confirmed.get("amount"),
        confirmed.get("currencyCode"),
    )


def _body(source: str, body: bytes) -> tuple[str, bytes]:
    return source, body


def _of_key(source: str, external_id: str, document_id: str) -> tuple[str, str, str]:
    return source, external_id, document_id


def _used(document_id: str, name: str, documents: int) -> KeyUsed:
    return KeyUsed(document_id, name, documents)


_USED: Final = Query(
    select(_document.customer_id, literal("").label("name"), func.count()).group_by(_document.customer_id), _used
)
_BODIES: Final = Query(
    select(_document.source, _payload.body).join_from(
        schema.documents, schema.payloads, _payload.payload_id == _document.payload_id
    ),
    _body,
)
_KEYS: Final = Query(select(_key.source, _key.external_id, _key.document_id), _of_key)
_IDS: Final = Query(select(_number.document_id), str)
_SEEN_CORE: Final[Select[Any]] = select(
    _number.system_id,
    _number.document_type,
    func.length(_number.document_number).label("length"),
    func.min(_number.document_number).label("smallest"),
    func.max(_number.document_number).label("largest"),
    func.count().label("numbers"),
).group_by(_number.system_id)
_SEEN: Final = Query(_SEEN_CORE, NumbersSeen)
_POSTED: Final = Query(
    select(
        _document.document_id,
        _document.state,
        _transaction.erp_document_type,
        _transaction.erp_document_number,
        _entry.body,
    ).select_from(
        schema.documents.join(schema.transactions, _transaction.document_id == _document.document_id).join(
            schema.ledger_entries, _entry.trace == _transaction.transaction_id
        )
    ),
    _posted,
)
