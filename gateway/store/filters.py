"""The conditions of the questions, as SQL; what is not visible to the asker is not there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import inf
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Select, Table, exists, or_, select, text

from gateway.domain.queries import DocumentFilter, TransactionFilter, Visible
from gateway.domain.shown_state import NOT_CREATED
from gateway.domain.transaction import ENDS, FAILED_ENDS
from gateway.store import schema
from gateway.store.index_conditions import OPEN_STATUS, UNDONE_STATE

V = TypeVar("V")

_transaction: Final = schema.transactions.c
_document: Final = schema.documents.c
_number: Final = schema.cross_references.c

_SHORT_PERIOD_DAYS: Final = 100
"""A quarter."""

_TRANSACTION_EQUAL: Final = (
    "external_id",
    "source",
    "erp_document_number",
    "status",
    "domain",
    "lineage_id",
    "operation",
    "document_id",
    "client",
)
_DOCUMENT_EQUAL: Final = (
    "domain",
    "external_id",
    "source",
    "company_code",
    "document_type",
    "currency_code",
    "customer_id",
)


def padded(values: Sequence[V]) -> list[V]:
    """The same set, as 1, 2, 4, 8, … values, the last of them repeated: a list of every length would be a statement
    of its own, which each connection has to prepare before it can ask."""
    length = 1 << max(len(values) - 1, 0).bit_length()
    return list(values) + list(values[-1:]) * (length - len(values))


def seen(core: Select[Any], table: Table, visible: Visible) -> Select[Any]:
    """Only what lies in these nodes."""
    return core.where(*_among(table, visible.business_units, visible.geographies))


def of_transactions(where: TransactionFilter) -> list[ColumnElement[bool]]:
    """The filter's conditions on `transactions`."""
    conditions: list[Any] = _equal(schema.transactions, where, _TRANSACTION_EQUAL)
    if where.system_id is not None:
        conditions.append(_at(where.system_id, whole=where.erp_document_number is not None))
    conditions += _open(where.status)
    conditions += _among(schema.transactions, where.business_units, where.geographies)
    if where.accepted_from is not None:
        conditions.append(_transaction.accepted_at >= where.accepted_from)
    if where.accepted_until is not None:
        conditions.append(_transaction.accepted_at < where.accepted_until)
    return conditions


def _at(system_id: str, *, whole: bool) -> ColumnElement[bool]:
    """Posted there, as a `whole` or by one of its legs, whose own text is asked (`Leg.as_wire`): no index finds
    either, and few transactions have legs."""
    at = _transaction.system_id == system_id
    return at if whole else or_(at, _transaction.legs.contains(f'"systemId":"{system_id}"', autoescape=True))


def of_documents(where: DocumentFilter) -> list[ColumnElement[bool]]:
    """The filter's conditions on `documents`."""
    conditions: list[Any] = _equal(schema.documents, where, _DOCUMENT_EQUAL)
    conditions += _as_shown(where.state)
    conditions += _among(schema.documents, where.business_units, where.geographies)
    if where.posting_date_from is not None:
        conditions.append(_document.posting_date >= where.posting_date_from)
    if where.posting_date_until is not None:
        conditions.append(_document.posting_date < where.posting_date_until)
    if where.created_from is not None:
        conditions.append(_document.created_at >= where.created_from)
    if where.created_until is not None:
        conditions.append(_document.created_at < where.created_until)
    if where.status is not None:
        conditions.append(_created_as(where.status))
    if where.system_id is not None or where.erp_document_number is not None:
        conditions.append(_numbered(where.system_id, where.erp_document_number))
    return conditions


def _as_shown(state: str | None) -> list[Any]:
    """What readers are told of a document's state: what is recorded, unless its creation left none."""
    if state is None:
        return []
    if state not in {"active", NOT_CREATED}:
        # In the words of the partial index of what was undone, or it would not be used.
        return [_document.state == state, text(UNDONE_STATE)]
    failed = exists().where(
        _transaction.transaction_id == _document.transaction_id,
        _transaction.status.in_(sorted(status.value for status in FAILED_ENDS)),
    )
    return [_document.state == "active", failed if state == NOT_CREATED else ~failed]


def newest_first(where: DocumentFilter) -> ColumnElement[str]:
    """The order of a list. A short period is read by its index and then sorted, a long one along the ids and sifted.

    Left to itself SQLite, which keeps no statistics, would go through all documents of the domain for one old day.
    """
    key = _document.document_id
    short = where.customer_id is None and _days(where) <= _SHORT_PERIOD_DAYS
    return (key.concat("") if short else key).desc()


def _days(where: DocumentFilter) -> float:
    """How long the asked period is."""
    if where.posting_date_from is None or where.posting_date_until is None:
        return inf
    return (date.fromisoformat(where.posting_date_until) - date.fromisoformat(where.posting_date_from)).days


# What is rare (open transactions, one number) is found first and leads to its documents; what is common is asked of
# each document of the page.


def _created_as(status: str) -> ColumnElement[bool]:
    created = select(_transaction.transaction_id).where(_transaction.status == status)
    rare = _open(status)
    if rare:
        return _document.transaction_id.in_(created.where(*rare))
    return exists(created.where(_transaction.transaction_id == _document.transaction_id))


def _numbered(system_id: str | None, number: str | None) -> ColumnElement[bool]:
    named = select(_number.document_id)
    if system_id is not None:
        named = named.where(_number.system_id == system_id)
    if number is not None:
        return _document.document_id.in_(named.where(_number.document_number == number))
    return exists(named.where(_number.document_id == _document.document_id))


def _open(status: str | None) -> list[Any]:
    """In the words of the partial index of what is open, or it would not be used."""
    return [text(OPEN_STATUS)] if status is not None and status not in ENDS else []


def _among(
    table: Table, business_units: frozenset[str] | None, geographies: frozenset[str] | None
) -> list[ColumnElement[bool]]:
    """The node sets as conditions; an empty set lets nothing through, None everything."""
    sets = (("business_unit", business_units), ("geography", geographies))
    return [table.c[name].in_(padded(sorted(nodes))) for name, nodes in sets if nodes is not None]


def _equal(table: Table, where: object, names: Sequence[str]) -> list[ColumnElement[bool]]:
    wanted = {name: getattr(where, name) for name in names}
    return [table.c[name] == value for name, value in wanted.items() if value is not None]
