"""One lineage of a batch: what both systems must show before its pin may move.

The port of an ERP shows of a document its party, currency and total, and whether all of it was called off or reversed.
It does not show that only a remainder was closed there, nor quantities and tax line by line. So a lineage can be
adopted whose one open document is open for all of its amount; others must run out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from adapters.canonical import DOMAINS, ErpNumber
from adapters.errors import ErpError
from adapters.port import FoundDocument, Submission
from gateway.cutover.adoption_ports import AdoptionReads
from gateway.domain.open_lineages import OpenFilter, OpenLineage, Reason
from gateway.domain.queries import LineageView, Visible
from gateway.domain.records import DocumentRecord
from gateway.transactions.parts import ErpSystem

_DOMAIN_OF: Final[Mapping[str, str]] = {
    Reason.ORDER_NOT_INVOICED.value: "orders",
    Reason.INVOICE_NOT_PAID.value: "invoices",
    Reason.PAYMENT_NOT_APPLIED.value: "payments",
    Reason.CREDIT_NOT_APPLIED.value: "invoices",
}


class LineRefused(Exception):
    """The lineage is not adopted; the text says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A lineage that both systems show as migrated. `amount`: its open remainder."""

    document: DocumentRecord
    old: ErpNumber
    new: ErpNumber
    amount: Decimal
    currency_code: str


async def remainder_of(reads: AdoptionReads, lineage_id: str) -> OpenLineage:
    """What is open of the lineage. Raises LineRefused unless it is just one document, with its amount."""
    rows = await reads.open_lineages(OpenFilter(lineage_id=lineage_id), Visible(), 1, None)
    if not rows:
        raise LineRefused("the lineage is not open, or not known: completed documents keep their system")
    if len(rows) > 1 or rows[0].parts > 1:
        raise LineRefused("more than one of its documents is open, or a transaction has not ended: let it run out")
    if rows[0].reason not in _DOMAIN_OF:
        raise LineRefused(f"it is open for {rows[0].reason}, which no ERP can show as migrated")
    return rows[0]


async def check(
    reads: AdoptionReads,
    systems: Mapping[str, ErpSystem],
    lineage_id: str,
    from_system_id: str,
    new: ErpNumber,
) -> Checked:
    """Ask both systems. Raises LineRefused."""
    row = await remainder_of(reads, lineage_id)
    view = await reads.lineage(lineage_id, Visible())
    if view is None or view.pin is None or view.pin.system_id != from_system_id:
        raise LineRefused(f"the lineage is not pinned to {from_system_id}")
    document = _open_document(view, row)
    old = _number(await _numbers(reads, document.document_id), from_system_id, "the document")
    customer = _number(await _numbers(reads, document.customer_id), new.system_id, "its customer")
    payload = await reads.payload(document.payload_id or "")
    if payload is None or payload.body is None:
        raise LineRefused("its content was erased or never seen, so it cannot be compared")
    content = DOMAINS[document.domain].model_validate_json(payload.body)
    port = _system(systems, new.system_id).port
    try:
        expected = port.expectation(Submission(content, "", {"customer": customer}))
        there = await port.read(new)
        left = await _system(systems, from_system_id).port.read(old)
    except ErpError as error:
        raise LineRefused(f"an ERP does not show it: {type(error).__name__}: {error.message}") from error
    if there is None or there.cancelled or there.reversed_by:
        raise LineRefused(f"{new} is not there, or was undone there")
    if not there.agrees_with(expected) or None in {there.total, there.currency_code}:
        raise LineRefused(f"{new} is not the open remainder: party, currency or total differ")
    if not _closed(left):
        raise LineRefused(f"{old} is not closed there")
    return Checked(document, old, new, row.amount, row.currency_code or "")


def _closed(left: FoundDocument | None) -> bool:
    return left is not None and (left.cancelled or left.reversed_by is not None)


def _open_document(view: LineageView, row: OpenLineage) -> DocumentRecord:
    found = [
        one
        for one in view.documents
        if one.domain == _DOMAIN_OF[row.reason]
        and one.state == "active"
        and one.amount is not None
        and Decimal(one.amount) == row.amount
        and not any(link.target_document_id == one.document_id and link.kind == "follows" for link in view.relations)
    ]
    if len(found) != 1:
        raise LineRefused("its open document is settled in part; an ERP does not show that a remainder was closed")
    return found[0]


async def _numbers(reads: AdoptionReads, document_id: str | None) -> Sequence[ErpNumber]:
    if document_id is None:
        return ()
    return [
        ErpNumber.model_construct(
            system_id=one.system_id, document_type=one.document_type, document_number=one.document_number
        )
        for one in await reads.cross_references([document_id])
        if one.valid_until is None
    ]


def _number(numbers: Sequence[ErpNumber], system_id: str, what: str) -> ErpNumber:
    for one in numbers:
        if one.system_id == system_id:
            return one
    raise LineRefused(f"{what} has no number in {system_id}")


def _system(systems: Mapping[str, ErpSystem], system_id: str) -> ErpSystem:
    if system_id not in systems:
        raise LineRefused(f"this gateway is not connected to {system_id}")
    return systems[system_id]
