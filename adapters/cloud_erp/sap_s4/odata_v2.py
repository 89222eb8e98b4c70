"""OData V2 as SAP Gateway serves it.

Sources: OData.org "JSON Format (OData Version 2.0)" (the `d` object, `results`, `/Date(milliseconds)/`) and "Batch
Processing (OData Version 2.0)"; SAP Help Portal "SAP Gateway Foundation: OData JSON and XML Rendering" (decimals as
strings, `__metadata`, `__deferred`, `__next`) and "Error Response" (`error.code`, `error.message.value`,
`innererror.errordetails` with `propertyref` or `target`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from adapters.cloud_erp.sap_s4 import multipart
from adapters.cloud_erp.sap_s4.group import Group, GroupAnswer, Member, Step
from adapters.cloud_erp.sap_s4.json_answer import clipped, read_json
from adapters.cloud_erp.sap_s4.multipart import Call
from adapters.cloud_erp.sap_s4.wire import Address, Entity, Problem, Row, Rows, Value, key_predicate
from adapters.errors import Garbled
from adapters.transport import ErpResponse

_ROOT: Final = "/sap/opu/odata/sap/"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DATE: Final = re.compile(r"\A/Date\((-?[0-9]{1,15})(?:[+-][0-9]{1,4})?\)/\Z")
_DECIMAL: Final = re.compile(r"\A-?[0-9]{1,16}(\.[0-9]{1,6})?\Z")
_JSON: Final = "application/json"


class ODataV2:
    """The dialect of `/sap/opu/odata/sap/…_SRV`."""

    headers: Mapping[str, str] = {"Accept": _JSON, "DataServiceVersion": "2.0"}
    format: Mapping[str, str] = {"$format": "json"}

    def serves(self, address: Address) -> bool:
        """Every service that this driver uses."""
        return bool(address.service)

    def path(self, address: Address) -> str:
        """`/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder`."""
        return f"{_ROOT}{address.service}/{address.entity_set}"

    def service_path(self, address: Address) -> str:
        """`/sap/opu/odata/sap/API_SALES_ORDER_SRV/`."""
        return f"{_ROOT}{address.service}/"

    def expand(self, paths: Sequence[str]) -> str:
        """`to_Item,to_Item/to_PricingElement`."""
        return ",".join(paths)

    def encode(self, entity: Entity) -> bytes:
        """JSON in UTF-8: decimals as strings, dates as `/Date(…)/` at midnight UTC, deep inserts under `results`."""
        return json.dumps(_encoded(entity), ensure_ascii=False, separators=(",", ":")).encode()

    def encode_group(self, group: Group) -> tuple[str, bytes]:
        """`multipart/mixed` with one changeset, and the reading behind it (executed in that order)."""
        reading = None
        if group.reading is not None:
            address, key = group.reading
            reading = Call("GET", f"{address.entity_set}{key_predicate(key)}", {"Accept": _JSON})
        return multipart.encode([self._call(step) for step in group.steps], reading)

    def read_group(self, response: ErpResponse, group: Group) -> GroupAnswer:
        """Where the changeset failed, the error stands in its place; all of it was rolled back."""
        parts = multipart.decode(response)
        if len(parts) != (1 if group.reading is None else 2):
            raise Garbled("the batch has more or fewer answers than were asked for")
        changeset = parts[0]
        if isinstance(changeset, list):
            if len(changeset) != len(group.steps) and not any(one.status >= 400 for one in changeset):
                raise Garbled("the changeset has more or fewer answers than it has changes")
            members = changeset
        elif changeset.status >= 400:
            members = [changeset]
        else:
            raise Garbled("a single answer stands where the changeset was expected")
        reading = parts[1] if len(parts) == 2 else None
        if isinstance(reading, list):
            raise Garbled("a changeset stands where the reading was expected")
        return GroupAnswer(tuple(map(_member, members)), None if reading is None else _member(reading))

    def entity(self, answer: Mapping[str, object], address: Address) -> Row:
        """`{"d": {…}}`."""
        values = _inner(answer)
        if "results" in values:
            raise Garbled("the answer is a collection where one entity was expected")
        _check_type(values, address)
        return Row(values, self)

    def collection(self, answer: Mapping[str, object], address: Address) -> Rows:
        """`{"d": {"results": […], "__next": "…"}}`. `__next` is only noticed: a page is asked for by our own filter,
        never at an address that an answer names."""
        values = _inner(answer)
        listed = _list("d.results", values.get("results"))
        for one in listed:
            _check_type(one, address)
        return Rows(tuple(Row(one, self) for one in listed), bool(values.get("__next")))

    def problem(self, answer: Mapping[str, object]) -> Problem | None:
        """`{"error": {"code", "message": {"value"}, "innererror": {"errordetails": […]}}}`."""
        error = answer.get("error")
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

    def read_many(self, values: Mapping[str, object], name: str) -> tuple[Row, ...]:
        """`{"results": […]}`; `{"__deferred": …}` was not expanded and is `Garbled`, and so is a cut expansion."""
        value = values.get(name)
        if not isinstance(value, dict) or value.get("__next"):
            raise Garbled(f"{name} is not expanded completely")
        return tuple(Row(one, self) for one in _list(name, value.get("results")))

    def read_etag(self, values: Mapping[str, object]) -> object:
        """`__metadata.etag`."""
        metadata = values.get("__metadata")
        return metadata.get("etag") if isinstance(metadata, dict) else None

    def _call(self, step: Step) -> Call:
        path = f"{step.address.entity_set}{key_predicate(step.key)}"
        if step.navigation:
            path += f"/{step.navigation}"
        headers = {"Accept": _JSON, **({"If-Match": step.etag} if step.etag else {})}
        if step.method == "DELETE":
            return Call(step.method, path, headers)
        return Call(step.method, path, {**headers, "Content-Type": _JSON}, self.encode(step.entity))


def _encoded(entity: Entity) -> dict[str, object]:
    return {name: _encoded_value(value) for name, value in entity.items()}


def _encoded_value(value: Value) -> object:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        midnight = datetime(value.year, value.month, value.day, tzinfo=UTC)
        return f"/Date({(midnight - _EPOCH) // timedelta(milliseconds=1)})/"
    return {"results": [_encoded(row) for row in value]}


def _member(response: ErpResponse) -> Member:
    try:
        answer = read_json(response)
    except Garbled:
        # A 204 has no body. What an error or an entity needs of it is missed by who reads them.
        answer = None
    return Member(response.status, response.headers, answer)


def _inner(answer: Mapping[str, object]) -> dict[str, object]:
    values = answer.get("d")
    if not isinstance(values, dict):
        raise Garbled("the answer has no object d")
    return values


def _list(name: str, value: object) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Garbled(f"{name} is not a list of entities")
    return value


def _check_type(values: Mapping[str, object], address: Address) -> None:
    """`__metadata.type` is `<namespace>.A_SalesOrderType`."""
    metadata = values.get("__metadata")
    kind = metadata.get("type") if isinstance(metadata, dict) else None
    if isinstance(kind, str) and kind.rpartition(".")[2] != f"{address.entity_set}Type":
        raise Garbled("the answer is an entity of another set")


def _complained_of(inner: object) -> str:
    """The property that the first error of the details names."""
    details = inner.get("errordetails") if isinstance(inner, dict) else None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("severity", "error") == "error":
            for key in ("target", "propertyref"):
                if isinstance(detail.get(key), str) and detail[key]:
                    return str(detail[key])
    return ""
