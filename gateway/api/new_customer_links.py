"""The link between an order that came with its customer and the customer's own transaction, as answers tell it."""

from __future__ import annotations

import json
from typing import Final

from gateway.domain.new_customer import links_of
from gateway.domain.records import TransactionRecord
from gateway.errors import StoreUnavailable
from gateway.transactions.queries import Reads

_CREATE: Final = "create"
_CUSTOMERS: Final = "customers"


async def new_customer_links(reads: Reads, record: TransactionRecord, *, is_new: bool = False) -> dict[str, str]:
    """For the body: `newCustomerTransactionId` of an order that came with `newCustomer`, `madeForTransactionId` of a
    customer that was created for an order; nothing of any other transaction, and where it cannot be read.

    The entry of the acceptance tells it: the customer's document knows only the last attempt to create it, and an
    order that was corrected is followed by another one. `is_new`: this request was accepted just now; a customer that
    is submitted by itself was made for no order then, and is not looked at.
    """
    came_with_it = record.new_customer_id is not None
    may_be_made_for = record.domain == _CUSTOMERS and not is_new
    if record.operation != _CREATE or not (came_with_it or may_be_made_for):
        return {}
    try:
        entries = await reads.entries(record.transaction_id)
    except StoreUnavailable:
        return {}  # it was accepted, and must not look as if it were not
    for entry in entries:
        if entry.kind == "accepted":
            return links_of(json.loads(entry.body))
    return {}
