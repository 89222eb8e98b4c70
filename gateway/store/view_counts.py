"""How well it went, as SQL over a cohort: traces that are complete, invoices that stand uncorrected, who asks."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Select, and_, case, exists, func, not_, or_, select

from gateway.domain.entries import EntryKind
from gateway.domain.transaction import ENDS
from gateway.store import schema
from gateway.store.entry_bytes import WITH_NUMBER, holds
from gateway.store.exact_sums import summed
from gateway.store.view_cohorts import KEYS, REFUSED, ordered

_entry: Final = schema.ledger_entries.c
_ENDED: Final = sorted(status.value for status in ENDS)


def complete_traces(found: CTE) -> Select[Any]:
    """Of all: whether its entries go from `accepted` to its end, each there, each posting with its number."""
    keys = [found.c[name] for name in KEYS]
    posted = EntryKind.POSTED.value
    traces = (
        select(
            *keys,
            found.c.status,
            found.c.entry_count,
            func.count(_entry.seq).label("entries"),
            func.max(_entry.seq).label("last"),
            _any(and_(_entry.seq == 1, _entry.kind == EntryKind.ACCEPTED.value)).label("begun"),
            _any(_entry.kind == found.c.status).label("told"),
            _any(case((_entry.kind == posted, not_(holds(_entry.body, WITH_NUMBER))), else_=False)).label("unnumbered"),
        )
        .select_from(found.outerjoin(schema.ledger_entries, _entry.trace == found.c.transaction_id))
        .group_by(found.c.transaction_id, *keys, found.c.status, found.c.entry_count)
        .subquery("traces")
    )
    alike = [traces.c[name] for name in KEYS]
    ended = traces.c.status.in_(_ENDED)
    gap = or_(
        traces.c.entries != traces.c.entry_count,
        func.coalesce(traces.c.last, 0) != traces.c.entries,
        traces.c.begun == 0,
        and_(ended, traces.c.told == 0),
    )
    kind = case((gap, "gap"), (not_(ended), "open"), (traces.c.unnumbered == 1, "unnumbered"), else_="complete")
    judged = select(*alike, kind.label("judged")).subquery("judged")
    alike = [judged.c[name] for name in KEYS]

    def number_of(word: str) -> ColumnElement[int]:
        return summed(case((judged.c.judged == word, 1), else_=0))

    return (
        select(
            *alike,
            func.count().label("transactions"),
            number_of("complete").label("complete"),
            number_of("open").label("not_ended"),
            number_of("gap").label("with_gap"),
            number_of("unnumbered").label("without_number"),
        )
        .group_by(*alike)
        .order_by(*ordered(alike))
    )


def invoice_accuracy(found: CTE) -> Select[Any]:
    """Of `posted_invoices`: whether it was corrected since, or refused before."""
    document, note = schema.documents.alias("invoice"), schema.documents.alias("note")
    noted, earlier = schema.transactions.alias("noted"), schema.transactions.alias("earlier")
    relation = schema.relations.c
    undone = exists(
        select(document.c.document_id)
        .where(document.c.document_id == found.c.document_id, document.c.state != "active")
        .correlate(found)
    )
    credited = exists(
        select(note.c.document_id)
        .select_from(
            schema.relations.join(note, note.c.document_id == relation.document_id).outerjoin(
                noted, noted.c.transaction_id == note.c.transaction_id
            )
        )
        .where(
            relation.target_document_id == found.c.document_id,
            relation.field == "invoiceReference",
            note.c.document_type == "credit_note",
            note.c.state == "active",
            or_(note.c.transaction_id.is_(None), noted.c.status == "posted"),
        )
        .correlate(found)
    )
    refused = exists(
        select(earlier.c.transaction_id)
        .where(
            earlier.c.document_id == found.c.document_id,
            earlier.c.transaction_id < found.c.transaction_id,
            earlier.c.operation == "create",
            earlier.c.status.concat("").in_(REFUSED),
        )
        .correlate(found)
    )
    judged = select(
        *(found.c[name] for name in KEYS),
        *(case((one, 1), else_=0).label(name) for name, one in (("u", undone), ("c", credited), ("r", refused))),
    ).subquery("judged")
    alike = [judged.c[name] for name in KEYS]
    return (
        select(
            *alike,
            func.count().label("invoices"),
            summed(case((judged.c.u + judged.c.c + judged.c.r == 0, 1), else_=0)).label("accurate"),
            summed(judged.c.u).label("undone"),
            summed(judged.c.c).label("credited"),
            summed(judged.c.r).label("refused_before"),
        )
        .group_by(*alike)
        .order_by(*ordered(alike))
    )


def api_use(found: CTE) -> Select[Any]:
    """Of all: by client, source and operation."""
    alike = [found.c[name] for name in KEYS]
    whose = [found.c[name] for name in ("client", "source", "operation")]
    return (
        select(
            *alike,
            *whose,
            func.count().label("accepted"),
            summed(case((found.c.status == "posted", 1), else_=0)).label("posted"),
            summed(case((found.c.status.in_(REFUSED), 1), else_=0)).label("failed"),
        )
        .group_by(*alike, *whose)
        .order_by(*ordered([*alike, *whose]))
    )


def _any(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.max(case((condition, 1), else_=0)), 0)
