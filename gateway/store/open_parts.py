"""What keeps lineages open, as SQL: the rule of `gateway.domain.open_lineages` over many lineages at once.

The roots that are asked for are found first (a slice's by its index); everything else is looked up from them, so that a
question about a slice costs what the slice holds.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import CTE, ColumnElement, and_, case, func, literal, null, or_, select, text, union_all

from adapters.canonical import MASTER_DOMAINS
from gateway.domain.open_lineages import VALUED, OpenFilter, Reason
from gateway.domain.queries import Visible
from gateway.domain.transaction import ENDS
from gateway.store import schema
from gateway.store.exact_sums import in_millionths, millionths_of, whole_of
from gateway.store.index_conditions import OPEN_STATUS

_lineage: Final = schema.lineages.c
_document: Final = schema.documents.c
_relation: Final = schema.relations.c
_transaction: Final = schema.transactions.c
_pin: Final = schema.pins.c

_OF_DOCUMENT: Final = ("lineage_id", "domain", "document_type", "currency_code", "amount")
_OPEN_TRANSACTION: Final = text(OPEN_STATUS.replace("status", "transactions.status"))


class OpenParts(NamedTuple):
    """`roots`: the lineages asked for. `parts`: rows (lineage_id, reason, currency_code, whole, millionths), one for
    each document or transaction that keeps one of them open."""

    roots: CTE
    parts: CTE


def open_parts(where: OpenFilter, visible: Visible) -> OpenParts:
    """The two, to be joined by `lineage_id`."""
    roots = roots_of(where, visible)
    left = _left_over(_documents(roots))
    value = in_millionths(left.c.whole, left.c.millionths)
    unknown = or_(left.c.amount.is_(None), left.c.currency_code.is_(None))
    is_invoice = and_(left.c.domain == "invoices", left.c.document_type != "credit_note")
    sign = case((value < 0, -1), else_=1)
    reason = case(
        (unknown, Reason.AMOUNT_UNKNOWN.value),
        (left.c.domain == "payments", Reason.PAYMENT_NOT_APPLIED.value),
        (left.c.domain == "orders", Reason.ORDER_NOT_INVOICED.value),
        (and_(is_invoice, value > 0), Reason.INVOICE_NOT_PAID.value),
        else_=Reason.CREDIT_NOT_APPLIED.value,
    )
    documents_open = select(
        left.c.lineage_id,
        reason.label("reason"),
        case((unknown, null()), else_=left.c.currency_code).label("currency_code"),
        case((unknown, 0), else_=left.c.whole * sign).label("whole"),
        case((unknown, 0), else_=left.c.millionths * sign).label("millionths"),
    ).where(or_(unknown, value > 0, and_(is_invoice, value < 0)))
    transactions_open = (
        select(
            roots.c.lineage_id,
            literal(Reason.TRANSACTION_NOT_ENDED.value).label("reason"),
            null().label("currency_code"),
            literal(0).label("whole"),
            literal(0).label("millionths"),
        )
        # Not by the index of lineages: what is open is rare, and has an index of its own.
        .select_from(schema.transactions.join(roots, roots.c.lineage_id == _transaction.lineage_id.concat("")))
        .where(_OPEN_TRANSACTION)
    )
    return OpenParts(roots, union_all(documents_open, transactions_open).cte("parts"))


def roots_of(where: OpenFilter, visible: Visible) -> CTE:
    """The lineages whose roots satisfy this; masters have none."""
    conditions: list[ColumnElement[bool]] = [_document.domain.not_in(sorted(MASTER_DOMAINS))]
    if where.domain is not None:
        conditions = [_document.domain == where.domain]
    for column, nodes in (
        (_document.business_unit, where.business_units),
        (_document.geography, where.geographies),
        (_document.business_unit, visible.business_units),
        (_document.geography, visible.geographies),
    ):
        if nodes is not None:
            conditions.append(column.in_(sorted(nodes)))
    if where.lineage_id is not None:
        conditions.append(_document.lineage_id == where.lineage_id)
    if where.side is not None:
        conditions.append(_pin.side == where.side)
    if where.system_id is not None:
        conditions.append(_pin.system_id == where.system_id)
    return (
        select(
            _lineage.lineage_id,
            _lineage.root_document_id,
            _document.domain,
            _document.business_unit,
            _document.geography,
            _document.company_code,
            _document.customer_id,
            _document.created_at,
            _document.currency_code,
            _document.amount,
            _pin.side,
            _pin.system_id,
        )
        .select_from(
            schema.documents.join(
                schema.lineages,
                and_(
                    _lineage.lineage_id == _document.lineage_id,
                    _lineage.root_document_id == _document.document_id,
                ),
            ).outerjoin(schema.pins, _pin.lineage_id == _lineage.lineage_id)
        )
        .where(*conditions)
        .cte("roots")
    )


def _documents(roots: CTE) -> CTE:
    """Those that stand, and roots that may come to stand; their amounts less what they give to others."""
    document = schema.documents.alias("own")
    created = schema.transactions.alias("own_creation")
    to_come = and_(
        document.c.document_id == roots.c.root_document_id, created.c.status.not_in(sorted(one.value for one in ENDS))
    )
    return (
        select(
            document.c.document_id,
            document.c.lineage_id,
            document.c.domain,
            document.c.document_type,
            document.c.currency_code,
            document.c.amount,
            (whole_of(document.c.amount) - _given(document, whole_of)).label("whole"),
            (millionths_of(document.c.amount) - _given(document, millionths_of)).label("millionths"),
        )
        .select_from(
            roots.join(document, document.c.lineage_id == roots.c.lineage_id).outerjoin(
                created, created.c.transaction_id == document.c.transaction_id
            )
        )
        .where(
            document.c.state == "active",
            # Not by its index: SQLite would read all documents of the domains and not those of the roots.
            document.c.domain.concat("").in_(sorted(VALUED)),
            or_(document.c.transaction_id.is_(None), created.c.status == "posted", to_come),
        )
        .cte("standing")
    )


def _left_over(documents: CTE) -> CTE:
    """What of each document is left, once what others take of it is taken off as well.

    Outer joins without any condition on the whole: SQLite then looks everything up from the documents on.
    """
    other = schema.documents.alias("other")
    created = schema.transactions.alias("other_creation")
    amount = case((other.c.domain == "payments", _relation.amount), else_=other.c.amount)
    billed = and_(documents.c.domain == "orders", other.c.domain == "invoices", other.c.document_type == "invoice")
    credited = and_(other.c.document_type == "credit_note", _relation.field == "invoiceReference")
    paid = and_(
        documents.c.domain == "invoices",
        documents.c.document_type == "invoice",
        or_(other.c.domain == "payments", credited),
    )
    takes = and_(
        other.c.state == "active",
        or_(other.c.transaction_id.is_(None), created.c.status == "posted"),
        other.c.currency_code == documents.c.currency_code,
        or_(billed, paid),
    )

    def left(own: ColumnElement[Any], part: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.min(own) - func.coalesce(func.sum(case((takes, part))), 0)

    return (
        select(
            documents.c.document_id,
            *(func.min(documents.c[name]).label(name) for name in _OF_DOCUMENT),
            left(documents.c.whole, whole_of(amount)).label("whole"),
            left(documents.c.millionths, millionths_of(amount)).label("millionths"),
        )
        .select_from(
            documents.outerjoin(
                schema.relations,
                and_(_relation.target_document_id == documents.c.document_id, _relation.kind == "follows"),
            )
            .outerjoin(other, other.c.document_id == _relation.document_id)
            .outerjoin(created, created.c.transaction_id == other.c.transaction_id)
        )
        .group_by(documents.c.document_id)
        .cte("left_over")
    )


def _given(document: Any, part_of: Any) -> ColumnElement[Any]:
    """What a payment gives to invoices, or a credit note to the one that it corrects; nothing for the others."""
    gift = schema.relations.alias("gift")
    of_it = and_(gift.c.document_id == document.c.document_id, gift.c.kind == "follows")
    applied = select(func.coalesce(func.sum(part_of(gift.c.amount)), 0)).where(of_it)
    corrects = select(gift.c.field).where(of_it, gift.c.field == "invoiceReference").exists()
    corrected = and_(document.c.document_type == "credit_note", corrects)
    return case(
        (document.c.domain == "payments", applied.correlate(document).scalar_subquery()),
        (corrected, part_of(document.c.amount)),
        else_=0,
    )
