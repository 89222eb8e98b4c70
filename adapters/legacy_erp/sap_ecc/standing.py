"""An order as it stands there, and whether that is what a document says. Pure.

A change and a cancellation carry no reference of their own (BAPI_SALESORDER_CHANGE has no field that would keep one
beside the order's), so the order's state tells whether they happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from adapters.canonical import Order
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.order_items import FREIGHT_TEXT, OrderItem, items_of, order_of
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.port import Cancellation, Change, FoundDocument, Submission


@dataclass(frozen=True, slots=True)
class StandingItem:
    """One item as its row states it."""

    number: str
    material: str
    text: str
    quantity: Decimal
    unit: str
    net: Decimal
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class StandingOrder:
    """An order with its items. `requested_date` is None where the ERP holds none (the simulator drops it on creation).

    `found.cancelled` says that nothing more comes of it.
    """

    found: FoundDocument
    requested_date: date | None
    items: tuple[StandingItem, ...]

    def freight_number(self, order: Order) -> str:
        """The number of the item that carries the freight and is no line of `order`, "" if there is not exactly one."""
        lines = {f"{line.line_number:06d}" for line in order.lines}
        found = [item.number for item in self.items if item.text == FREIGHT_TEXT and item.number not in lines]
        return found[0] if len(found) == 1 else ""


class Standing(Enum):
    """How an order stands to a posting that changes its state."""

    BEFORE = "as before"
    DEMANDED = "as demanded"
    OTHERWISE = "neither as before nor as demanded"


def demanded(change: Change) -> Submission:
    """The document as it shall stand, under the reference that it was created with."""
    return Submission(change.document, change.original.external_reference, change.numbers)


def standing_of(
    posting: Change | Cancellation, order: StandingOrder, settings: SapEccSettings, system_id: str
) -> Standing:
    """How `order` stands to `posting`. Where both are true (what changes is nothing that the ERP holds) it stands as
    demanded. Errors as `items_of`."""
    before = posting.original
    if isinstance(posting, Cancellation):
        if order.found.cancelled:
            return Standing.DEMANDED
    else:
        after = demanded(posting)
        kept = order_of(before).requested_delivery_date == order_of(after).requested_delivery_date
        if _says(order, after, settings, system_id) and _is_requested(order, after, drops=kept):
            return Standing.DEMANDED
    if _says(order, before, settings, system_id) and _is_requested(order, before, drops=True):
        return Standing.BEFORE
    return Standing.OTHERWISE


def same(standing: StandingItem, item: OrderItem) -> bool:
    """True if the item is there as it shall be. A text that nobody gave is the ERP's own."""
    return (
        translate.party(standing.material) == translate.party(item.material)
        and standing.quantity == Decimal(item.quantity)
        and standing.unit == item.unit
        and standing.net == item.net
        and (not item.text or standing.text == item.text)
    )


def _says(order: StandingOrder, submission: Submission, settings: SapEccSettings, system_id: str) -> bool:
    """True if customer, currency and all items are the submission's, none rejected and none besides. The freight is
    known by its text, because its number depends on the lines that the order was created with."""
    if any(item.rejected for item in order.items):
        return False
    customer = translate.party(translate.customer_of(submission, system_id))
    if (order.found.party, order.found.currency_code) != (customer, order_of(submission).currency_code):
        return False
    number = order.freight_number(order_of(submission))
    wanted = {item.number: item for item in items_of(submission, settings, system_id, freight_number=number)}
    there = {item.number: item for item in order.items}
    return wanted.keys() == there.keys() and all(same(there[key], item) for key, item in wanted.items())


def _is_requested(order: StandingOrder, submission: Submission, *, drops: bool) -> bool:
    """True if the order has the date of the submission. `drops`: an order without a date will do, too."""
    wanted = order_of(submission).requested_delivery_date
    return wanted is None or order.requested_date == wanted or (drops and order.requested_date is None)
