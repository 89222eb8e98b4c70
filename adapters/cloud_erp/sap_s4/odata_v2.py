"""OData V2 as SAP Gateway serves it.

Sources: OData.org "JSON Format (OData Version 2.0)" (the `d` object, `results`, `/Date(milliseconds)/`); SAP Help
Portal "SAP Gateway Foundation: OData JSON and XML Rendering" (decimals as strings, `__metadata`, `__deferred`,
`__next`) and "Error Response" (`error.code`, `error.message.value`, `innererror.errordetails` with `propertyref` or
`target`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from adapters.cloud_erp.sap_s4.wire import Address, Entity, Problem, Row, Rows, Value, clipped, read_json
from adapters.errors import Garbled
from adapters.transport import ErpResponse

_ROOT: Final = "/sap/opu/odata/sap/"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DATE: Final = re.compile(r"\A/Date\((-?[0-9]{1,15})(?:[+-][0-9]{1,4})?\)/\Z")
_DECIMAL: Final = re.compile(r"\A-?[0-9]{1,16}(\.[0-9]{1,6})?\Z")


class ODataV2:
    """The dialect of `/sap/opu/odata/sap/…_SRV`."""

    headers: Mapping[str, str] = {"Accept": "application/json", "DataServiceVersion": "2.0"}

    def path(self, address: Address) -> str:
        """`/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder`."""
        return f"{_ROOT}{address.service}/{address.entity_set}"

    def service_path(self, address: Address) -> str:
        """`/sap/opu/odata/sap/API_SALES_ORDER_SRV/`."""
        return f"{_ROOT}{address.service}/"

    def encode(self, entity: Entity) -> bytes:
        """JSON in UTF-8: decimals as strings, dates as `/Date(…)/` at midnight UTC, deep inserts under `results`."""
        return json.dumps(_encoded(entity), ensure_ascii=False, separators=(",", ":")).encode()

    def entity(self, response: ErpResponse) -> Row:
        """`{"d": {…}}`."""
        values = _inner(response)
        if "results" in values:
            raise Garbled("the answer is a collection where one entity was expected")
        return Row(values, self)

    def collection(self, response: ErpResponse) -> Rows:
        """`{"d": {"results": […], "__next": "…"}}`. `__next` is only noticed: a page is asked for by our own filter,
        never at an address that an answer names."""
        values = _inner(response)
        return Rows(self._rows("d.results", values.get("results")), bool(values.get("__next")))

    def problem(self, response: ErpResponse) -> Problem | None:
        """`{"error": {"code", "message": {"value"}, "innererror": {"errordetails": […]}}}`."""
        try:
            error = read_json(response).get("error")
        except Garbled:
            return None
        if not isinstance(error, dict):
            return None
        code, message = error.get("code"), error.get("message")
        text = message.get("value") if isinstance(message, dict) else message
        if not isinstance(code, str) or not code or not isinstance(text, str):
            return None
        return Problem(clipped(code), clipped(text), clipped(_complained_of(error.get("innererror"))))

    def day_literal(self, day: date) -> str:
        """`datetime'1996-07-04T00:00:00'`."""
        return f"datetime'{day.isoformat()}T00:00:00'"

    def read_decimal(self, name: str, value: object) -> Decimal:
        """A string such as "123991.820"; no service declares more than 16 digits."""
        if not isinstance(value, str) or _DECIMAL.match(value) is None:
            raise Garbled(f"{name} is not a decimal")
        return Decimal(value)

    def read_date(self, name: str, value: object) -> date:
        """`/Date(836438400000)/`: milliseconds since 1970-01-01 UTC; an offset only says how they were displayed."""
        match = _DATE.match(value) if isinstance(value, str) else None
        if match is None:
            raise Garbled(f"{name} is not a date")
        try:
            return (_EPOCH + timedelta(milliseconds=int(match[1]))).date()
        except OverflowError:
            raise Garbled(f"{name} is a date outside the calendar") from None

    def read_many(self, name: str, value: object) -> tuple[Row, ...]:
        """`{"results": […]}`; `{"__deferred": …}` was not expanded and is `Garbled`, and so is a cut expansion."""
        if not isinstance(value, dict) or value.get("__next"):
            raise Garbled(f"{name} is not expanded completely")
        return self._rows(name, value.get("results"))

    def _rows(self, name: str, value: object) -> tuple[Row, ...]:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Garbled(f"{name} is not a list of entities")
        return tuple(Row(item, self) for item in value)


def _encoded(entity: Entity) -> dict[str, object]:
    return {name: _encoded_value(value) for name, value in entity.items()}


def _encoded_value(value: Value) -> object:
    if isinstance(value, str | bool):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        midnight = datetime(value.year, value.month, value.day, tzinfo=UTC)
        return f"/Date({(midnight - _EPOCH) // timedelta(milliseconds=1)})/"
    return {"results": _encoded_rows(value)}


def _encoded_rows(rows: Sequence[Entity]) -> list[dict[str, object]]:
    return [_encoded(row) for row in rows]


def _inner(response: ErpResponse) -> dict[str, object]:
    values = read_json(response).get("d")
    if not isinstance(values, dict):
        raise Garbled("the answer has no object d")
    return values


def _complained_of(inner: object) -> str:
    """The property that the first error of the details names."""
    details = inner.get("errordetails") if isinstance(inner, dict) else None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("severity", "error") == "error":
            for key in ("target", "propertyref"):
                if isinstance(detail.get(key), str) and detail[key]:
                    return str(detail[key])
    return ""
