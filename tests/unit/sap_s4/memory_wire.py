"""JSON of OData V2 and V4 as the system in memory writes and reads it, by the names of the properties."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from adapters.transport import ErpResponse

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
CHILDREN: Final = {
    "A_SalesOrder": {
        "to_Item": "A_SalesOrderItem",
        "to_Partner": "A_SalesOrderHeaderPartner",
        "to_Text": "A_SalesOrderText",
    },
    "A_SalesOrderItem": {"to_PricingElement": "A_SalesOrderItemPrElement"},
    "A_SalesOrderHeaderPartner": {"to_Address": "A_SalesOrderPartnerAddress"},
    "A_JournalEntry": {"to_JournalEntryItem": "A_JournalEntryItem"},
    "A_BusinessPartner": {
        "to_BusinessPartnerAddress": "A_BusinessPartnerAddress",
        "to_BusinessPartnerRole": "A_BusinessPartnerRole",
    },
    "A_Product": {"to_Description": "A_ProductDescription"},
}
_DECIMALS: Final = frozenset(
    "TotalNetAmount NetAmount RequestedQuantity ConditionRateValue ConditionQuantity ConditionBaseValue "
    "ConditionAmount AmountInTransactionCurrency".split()
)
_DATES: Final = frozenset("SalesOrderDate PricingDate RequestedDeliveryDate DocumentDate PostingDate".split())


@dataclass(frozen=True)
class Wire:
    """JSON of one version, both ways."""

    version: int

    def set_of(self, name: str) -> str:
        return name if self.version == 2 else f"A_{name}"

    def read(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: self._value(name, value) for name, value in values.items()}

    def _value(self, name: str, value: Any) -> Any:
        if name.startswith("to_"):
            rows = value["results"] if self.version == 2 else value
            return [self.read(row) for row in rows]
        if name in _DECIMALS:
            assert isinstance(value, str if self.version == 2 else int | Decimal), (name, value)
            return Decimal(value)
        if name in _DATES and value is not None:
            if self.version == 4:
                return date.fromisoformat(value)
            return (_EPOCH + timedelta(milliseconds=int(value[6:-2]))).date()
        assert value is None or isinstance(value, str | bool), (name, value)
        return value

    def entity(self, name: str, row: dict[str, Any]) -> dict[str, Any]:
        """An entity with all its children, as a server states it."""
        etag = f'W/"{row["__etag"]}"'
        out: dict[str, Any] = {"__metadata": {"type": f"SRV.{name}Type", "etag": etag}}
        if self.version == 4:
            out = {"@odata.etag": etag}
        for prop, value in row.items():
            if prop in CHILDREN.get(name, {}):
                rows = [self.entity(CHILDREN[name][prop], one) for one in value]
                out[prop] = {"results": rows} if self.version == 2 else rows
            elif not prop.startswith("__"):
                out[prop] = self._out(value)
        return out

    def _out(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return f"{value:.3f}" if self.version == 2 else f"#{value:.3f}#"
        if isinstance(value, date):
            if self.version == 4:
                return f"{value.isoformat()}T00:00:00Z"
            midnight = datetime(value.year, value.month, value.day, tzinfo=UTC)
            return f"/Date({(midnight - _EPOCH) // timedelta(milliseconds=1)})/"
        return value

    def body(self, content: dict[str, Any], name: str) -> dict[str, Any]:
        if self.version == 2:
            return {"d": content}
        return {"@odata.context": f"/x/$metadata#{name.removeprefix('A_')}/$entity", **content}

    def collection(self, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        listed = [self.entity(name, row) for row in rows]
        return {"results": listed} if self.version == 2 else {"value": listed}

    def answer(self, content: dict[str, Any], status: int, name: str) -> ErpResponse:
        body = self.body(content, name)
        if self.version == 4 and status == 200:
            body["@odata.context"] = f"/x/$metadata#{name.removeprefix('A_')}"
        return served(body, status)


def dumped(body: Any) -> bytes:
    """JSON in which decimals of V4 are numbers with all their digits."""
    return re.sub(rb'"#(-?[0-9.]+)#"', rb"\1", json.dumps(body).encode())


def served(body: Any, status: int) -> ErpResponse:
    return ErpResponse(status, {"content-type": "application/json;charset=utf-8"}, dumped(body))
