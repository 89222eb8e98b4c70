"""What must hold of customers that came with an order: no order without its customer, no customer alone unseen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from gateway.domain.identity import external_reference

_FAILED = {"rejected", "cancelled", "compensated"}


def check_newcomers(world: Any) -> list[str]:
    """Every violation in a sentence."""
    return [*_no_order_without_customer(world), *_no_customer_alone(world), *_taken_back_for_a_reason(world)]


def _no_order_without_customer(world: Any) -> Iterator[str]:
    """Every order in a book has its customer in the same one, and not blocked; but for those imported."""
    for name, erp in world.erps.items():
        customers = {
            one.number.document_number: one
            for one in erp.book
            if erp.contents[one.number.document_number].domain == "customers"
        }
        for one in erp.book:
            if one.external_reference in erp.meddled:
                continue
            said = erp.contents[one.number.document_number]
            brought = said.domain == "orders" and (said.customer.external_id or "").startswith("C-")
            if brought and (one.party not in customers or (customers[one.party].cancelled and not one.cancelled)):
                yield f"order {said.external_id} stands in {name} without its customer {one.party}"


def _no_customer_alone(world: Any) -> Iterator[str]:
    """A customer that stands has a document that is not refused, or a person looks at it."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for customer, status in world.rows(
        "SELECT d.customer_id, t.status FROM documents d JOIN transactions t ON t.transaction_id = d.transaction_id"
        " WHERE d.customer_id IS NOT NULL"
    ):
        wanted[customer].add(status)
    books = {name: {one.external_reference: one for one in erp.book} for name, erp in world.erps.items()}
    for transaction, document, status, system in world.rows(
        "SELECT transaction_id, document_id, status, system_id FROM transactions"
        " WHERE domain = 'customers' AND operation = 'create'"
    ):
        entry = books.get(system, {}).get(external_reference(transaction, 1, "do"))
        stands = entry is not None and not entry.cancelled
        if status in _FAILED and stands:
            yield f"customer {transaction} is {status}, and it stands in {system}"
        if status == "posted" and not stands:
            yield f"customer {transaction} is posted, and it does not stand in {system}"
        if status == "posted" and not wanted[document] - _FAILED:
            yield f"customer {transaction} stands in {system}, and nothing has it"


def _taken_back_for_a_reason(world: Any) -> Iterator[str]:
    """A customer is taken back because an order for it was refused for its own sake, or called off."""
    came_to_nothing = {
        customer
        for (customer,) in world.rows(
            "SELECT d.customer_id FROM documents d JOIN transactions t ON t.document_id = d.document_id"
            " WHERE t.operation = 'create' AND (t.status = 'cancelled'"
            " OR (t.status = 'rejected' AND t.problem NOT LIKE '%parent-rejected%'))"
        )
    }
    for transaction, document in world.rows(
        "SELECT transaction_id, document_id FROM transactions"
        " WHERE domain = 'customers' AND status IN ('compensating', 'compensated')"
    ):
        if document not in came_to_nothing:
            yield f"customer {transaction} was taken back, and no order for it came to nothing"
