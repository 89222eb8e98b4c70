"""An order as an ERP of another make would keep it, so that changes can be seen without the driver's own eyes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from adapters.canonical import Order
from adapters.legacy_erp.sap_ecc.standing import StandingItem, StandingOrder
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import envelope
from adapters.port import Change
from tests.unit.sap_ecc.documents import line, order, read_envelope, submission
from tests.unit.sap_ecc.recorded import ORDERED, standing

BEFORE: Final = order(
    line(1, "2", "10.00", "20.00"), line(2, "1", "5.00", "5.00"), requested_delivery_date=date(1996, 8, 1)
)


def change_of(before: Order, after: Order) -> Change:
    """The change of one order to another."""
    made = submission(after)
    return Change(ORDERED, submission(before), after, "CHANGE0000000001", made.numbers)


def parameters_of(call: Call) -> dict[str, Any]:
    """What a call holds, read with the standard library."""
    return read_envelope(envelope(call.function, call.parameters))[1]


class OrderModel:
    """Created and changed by the envelopes, read by their rules.

    Written from the vendor's description of the function, not from the driver: I inserts a whole row, U sets the
    fields that are flagged, D deletes; what is not flagged is ignored.
    """

    def __init__(self, created: Call) -> None:
        parameters = parameters_of(created)
        self.requested = parameters["ORDER_HEADER_IN"].get("REQ_DATE_H", "")
        self.items: dict[str, dict[str, str]] = {row["ITM_NUMBER"]: dict(row) for row in parameters["ORDER_ITEMS_IN"]}

    def apply(self, call: Call) -> None:
        """One call of BAPI_SALESORDER_CHANGE."""
        parameters = parameters_of(call)
        if parameters["ORDER_HEADER_INX"].get("REQ_DATE_H") == "X":
            self.requested = parameters["ORDER_HEADER_IN"]["REQ_DATE_H"]
        flags = {row["ITM_NUMBER"]: row for row in parameters.get("ORDER_ITEM_INX", [])}
        for row in parameters.get("ORDER_ITEM_IN", []):
            key, flagged = row["ITM_NUMBER"], flags[row["ITM_NUMBER"]]
            if flagged["UPDATEFLAG"] == "D":
                self.items.pop(key, None)
            elif flagged["UPDATEFLAG"] == "I":
                self.items[key] = dict(row)
            else:
                assert key in self.items, "an item that is not there was changed"
                self.items[key].update({name: value for name, value in row.items() if flagged.get(name) == "X"})

    def standing(self) -> StandingOrder:
        """The order as its rows state it."""
        items = tuple(
            StandingItem(
                row["ITM_NUMBER"],
                row["MATERIAL"],
                row["SHORT_TEXT"],
                Decimal(row["TARGET_QTY"]),
                row["SALES_UNIT"],
                Decimal(row["COND_VALUE"]).quantize(Decimal("0.001")),
            )
            for _, row in sorted(self.items.items())
        )
        found = replace(standing().found, cancelled=not items)
        return StandingOrder(found, date.fromisoformat(self.requested) if self.requested else None, items)
