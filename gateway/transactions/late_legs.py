"""Late reversals in legs: each leg is late by itself, as a document of its own would be.

A leg belongs to the lineage that it followed into its ERP; one that was decided by itself is a root of its own, and its
own slice counts. Source: docs/rules.md, 'Late follow-ups'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.canonical import CanonicalDocument, Payment
from gateway.domain.facts import facts_of, facts_of_leg
from gateway.domain.legs import Leg
from gateway.domain.records import TransactionRecord
from gateway.transactions.late import Late, late_of, late_of_own, refuse_late
from gateway.transactions.links import resolve_links
from gateway.transactions.parts import LineParts
from gateway.transactions.payment_legs import allocations_of
from gateway.transactions.ports import WriteUnit
from gateway.transactions.scope import nodes_of
from gateway.transactions.target import pin_of_leg


async def late_of_legs(
    unit: WriteUnit,
    parts: LineParts,
    document: CanonicalDocument,
    record: TransactionRecord,
    kind: str,
    legs: Sequence[Leg],
) -> Late | None:
    """What is to be done with the reversal of all of them: None if none is late. Raises Problem `lineage-closed`."""
    paid = await _paid(unit, document, record, legs) if isinstance(document, Payment) else {}
    root = await unit.root_of(record.lineage_id)
    follows = root is not None and root.document_id != record.document_id
    whole = facts_of(document, operation="create", share_key=None, is_root=True)
    geography = nodes_of(document, parts.rules.rulebook)[1]
    found = []
    for leg in legs:
        pin = pin_of_leg(leg, record.lineage_id)
        if isinstance(document, Payment):
            late = await late_of(unit, parts, pin, paid[leg.system_id], record.domain, kind)
        elif follows and leg.company_code == document.company_code:
            late = await late_of(unit, parts, pin, [record.lineage_id], record.domain, kind)
        else:
            late = late_of_own(parts, pin, facts_of_leg(whole, leg), leg.business_unit, geography, kind)
        refuse_late(late, pin, kind, can_move=False)
        found.append(late)
    return "hold" if "hold" in found else None


async def _paid(
    unit: WriteUnit, payment: Payment, record: TransactionRecord, legs: Sequence[Leg]
) -> Mapping[str, Sequence[str]]:
    """By system, the lineages of the invoices that are paid there; the entries that move the money go with them."""
    linked = await resolve_links(unit, payment, record.source, None)
    found: dict[str, list[str]] = {}
    for leg in legs:
        invoices = [one for one in allocations_of(leg, linked) if one.link.kind != "master"]
        found.setdefault(leg.system_id, []).extend(one.document.lineage_id for one in invoices)
    return found
