"""Where the legs of a document go, and whether they may go now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from gateway.domain.legs import legs_of, undone_as
from gateway.domain.records import TransactionRecord
from gateway.transactions.judge import judge
from gateway.transactions.links import LinkedDocument
from gateway.transactions.numbers import numbers_at
from gateway.transactions.parts import LineParts
from gateway.transactions.payment_legs import allocations_of
from gateway.transactions.ports import DocumentName, WriteUnit
from gateway.transactions.target import PlannedLeg, Ready, Waits, pin_of_leg, pinned, refuse_unserved
from routing_rules import Facts


async def legs_ready(unit: WriteUnit, linked: Sequence[LinkedDocument], legs: tuple[PlannedLeg, ...]) -> Ready | Waits:
    """Ready if everything that any leg refers to has a number where that leg goes."""
    for one in legs:
        if one.leg.references:
            needed = allocations_of(one.leg, linked) if one.leg.allocations else linked
            numbers = await numbers_at(unit, needed, one.target)
            if isinstance(numbers, Waits):
                return numbers
    return Ready(legs[0].target, {}, legs)


async def undoing_legs(
    unit: WriteUnit, parts: LineParts, record: TransactionRecord, facts: Facts
) -> tuple[PlannedLeg, ...]:
    """The legs of a reversal; none where the document was one posting."""
    name = DocumentName(record.domain, document_id=record.document_id)
    document = (await unit.documents_named([name])).get(name)
    if document is None or document.transaction_id is None:
        return ()
    made_by = (await unit.transactions([document.transaction_id])).get(document.transaction_id)
    legs = []
    for leg in undone_as(legs_of(made_by)) if made_by is not None else ():
        own = replace(
            facts,
            domain=leg.domain,
            business_unit=leg.business_unit,
            company_code=leg.company_code,
            amount=Decimal(leg.amount),
            currency=leg.currency_code,
        )
        target = pinned(parts, pin_of_leg(leg, record.lineage_id), judge(parts, own, follows=True), own)
        refuse_unserved(parts, leg.domain, record.operation, target)
        legs.append(PlannedLeg(leg, target))
    return tuple(legs)
