"""Documents of the real world, the names they go by, and their numbers in the ERPs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, bindparam, select

from adapters.canonical import ErpNumber
from gateway.domain.queries import DocumentName
from gateway.domain.records import CrossReferenceRecord, DocumentRecord
from gateway.store import schema
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.statement import Named, Query
from gateway.store.unit import Unit

DOCUMENTS: Final = Kept(schema.documents, DocumentRecord)
CROSS_REFERENCES: Final = Kept(schema.cross_references, CrossReferenceRecord)

_documents: Final = schema.documents.c
_keys: Final = schema.natural_keys.c
_numbers: Final = schema.cross_references.c

_FIXED: Final = frozenset({"document_id", "domain", "source", "external_id", "created_at"})
_MUTABLE: Final = tuple(name for name in DOCUMENTS.names if name not in _FIXED)
_REPLACE: Final = DOCUMENTS.replace(["document_id"], _MUTABLE)


# Whoever changes what a document says holds it alone; those who follow it hold it together, so that it is neither
# changed nor undone between their look and their commit.
_ALONE: Final = DOCUMENTS.by("document_id", lock=True)
_TOGETHER: Final = DOCUMENTS.query(
    DOCUMENTS.selecting().where(_documents.document_id == bindparam("document_id")).with_for_update(read=True)
)


def _in_domain() -> Select[Any]:
    return DOCUMENTS.selecting().where(_documents.domain == bindparam("domain"))


_BY_ID: Final = DOCUMENTS.query(_in_domain().where(_documents.document_id == bindparam("document_id")))


def _by_name(source: str, domain: str, external_id: str, *columns: Any) -> tuple[DocumentName, DocumentRecord]:
    return DocumentName(domain, source=source, external_id=external_id), DocumentRecord(*columns)


# By the natural key, not by the document's own columns: the key says which document the name means now.
_BY_EXTERNAL_ID: Final = Query(
    select(
        _keys.source.label("named_source"),
        _keys.domain.label("named_domain"),
        _keys.external_id.label("named_external_id"),
        *DOCUMENTS.columns,
    )
    .join(schema.natural_keys, _keys.document_id == _documents.document_id)
    .where(
        _keys.source == bindparam("source"),
        _keys.domain == bindparam("domain"),
        _keys.external_id == bindparam("external_id"),
    ),
    _by_name,
)

# A number that was moved on (`valid_until`) still names the document, unless another one bears it now.
_BY_NUMBER: Final = DOCUMENTS.query(
    _in_domain()
    .join(schema.cross_references, _numbers.document_id == _documents.document_id)
    .where(
        _numbers.system_id == bindparam("system_id"),
        _numbers.document_type == bindparam("document_type"),
        _numbers.document_number == bindparam("document_number"),
    )
    .order_by(_numbers.valid_until.is_not(None), _numbers.valid_from.desc())
    .limit(1)
)

_INSERT_NUMBER: Final = CROSS_REFERENCES.insert_unless_there()

_NUMBER_IN: Final = CROSS_REFERENCES.query(
    CROSS_REFERENCES.selecting()
    .where(
        _numbers.document_id == bindparam("document_id"),
        _numbers.system_id == bindparam("system_id"),
        _numbers.valid_until.is_(None),
    )
    .order_by(_numbers.valid_from.desc(), _numbers.document_number.desc())
    .limit(1)
)


class DocumentWrites:
    """Documents and cross-references of a unit."""

    __slots__ = ()
    _unit: Unit

    async def documents_named(self, names: Sequence[DocumentName]) -> Mapping[DocumentName, DocumentRecord]:
        by_name = [one for one in names if one.external_id is not None]
        found = dict(
            await self._unit.each(
                _BY_EXTERNAL_ID,
                [{"source": one.source, "domain": one.domain, "external_id": one.external_id} for one in by_name],
            )
        )
        for name in names:
            document = None if name.external_id is not None else await self._named(name)
            if document is not None:
                found[name] = document
        return found

    async def _named(self, name: DocumentName) -> DocumentRecord | None:
        if name.document_id is not None:
            return await self._unit.one(_BY_ID, {"domain": name.domain, "document_id": name.document_id})
        if name.erp_number is not None:
            number = name.erp_number
            return await self._unit.one(
                _BY_NUMBER,
                {
                    "domain": name.domain,
                    "system_id": number.system_id,
                    "document_type": number.document_type,
                    "document_number": number.document_number,
                },
            )
        return None

    async def document(self, document_id: str, *, alone: bool) -> DocumentRecord | None:
        return await self._unit.one(_ALONE if alone else _TOGETHER, {"document_id": document_id})

    async def documents_together(self, document_ids: Sequence[str]) -> Sequence[DocumentRecord]:
        return await self._unit.each(_TOGETHER, [(one,) for one in document_ids])

    async def insert_document(self, record: DocumentRecord) -> None:
        await self._unit.put(DOCUMENTS.insert, DOCUMENTS.params(record))

    async def update_document(self, record: DocumentRecord) -> None:
        await replace_one(self._unit, _REPLACE, replacing(record, ["document_id"], _MUTABLE))

    async def numbers_in(self, document_ids: Sequence[str], system_id: str) -> Mapping[str, ErpNumber]:
        asked: list[Named] = [{"document_id": one, "system_id": system_id} for one in document_ids]
        found = {}
        for number in await self._unit.each(_NUMBER_IN, asked):
            # Not validated again: it was when it was written, and a stricter rule must not hide it now.
            found[number.document_id] = ErpNumber.model_construct(
                system_id=number.system_id,
                document_type=number.document_type,
                document_number=number.document_number,
            )
        return found

    async def insert_cross_reference(self, record: CrossReferenceRecord) -> None:
        await self._unit.run(_INSERT_NUMBER, CROSS_REFERENCES.params(record))
