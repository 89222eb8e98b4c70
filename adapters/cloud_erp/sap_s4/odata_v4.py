"""OData V4 as SAP's `odata4` services speak it.

Sources: OASIS "OData JSON Format Version 4.01" (numbers as numbers, `value`, `@odata.etag`, `@odata.nextLink`,
section 19 for batches, section 21 for errors) and "OData Version 4.01 Part 2: URL Conventions" (`$expand` nests).

What the services are called, and their sets and navigation properties, is not the same in V4; `V4_NAMES` translates
the words of V2. It is what the simulator serves; a system that differs says so in its settings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from adapters.cloud_erp.sap_s4.group import Group, GroupAnswer, Member, Step
from adapters.cloud_erp.sap_s4.json_answer import clipped, read_json
from adapters.cloud_erp.sap_s4.wire import Address, Entity, Problem, Row, Rows, key_predicate
from adapters.errors import Garbled
from adapters.transport import ErpResponse

V4_NAMES: Final[Mapping[str, str]] = {
    "API_BUSINESS_PARTNER_SRV": "api_businesspartner/srvd_a2x/sap/api_businesspartner/0001",
    "API_PRODUCT_SRV": "api_product/srvd_a2x/sap/api_product/0001",
    "API_SALES_ORDER_SRV": "api_salesorder/srvd_a2x/sap/api_salesorder/0001",
}
"""Services by their names in V2; there is none for journal entries. A set drops its `A_`, all else keeps its name."""

_ROOT: Final = "/sap/opu/odata4/sap/"
_DAY: Final = re.compile(
    r"\A([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,12})?(?:Z|\+00:00))?\Z"
)
_CONTEXT: Final = re.compile(r"#([A-Za-z_][A-Za-z0-9_]*)")
_LARGEST: Final = Decimal(10) ** 16
_FINEST: Final = -6
_GROUP: Final = "changes"
_READING: Final = "reading"
_JSON: Final = "application/json"


class ODataV4:
    """The dialect of `/sap/opu/odata4/sap/…/0001`."""

    headers: Mapping[str, str] = {"Accept": _JSON, "OData-Version": "4.0", "OData-MaxVersion": "4.0"}
    format: Mapping[str, str] = {}

    def __init__(self, names: Mapping[str, str], expand: Literal["nested", "path"]) -> None:
        """`names` go before `V4_NAMES`. `expand`: as the standard nests it, or by path as V2 does (the simulator)."""
        self._names = {**V4_NAMES, **names}
        self._expand = expand

    def serves(self, address: Address) -> bool:
        """Services that have a name in V4."""
        return address.service in self._names

    def path(self, address: Address) -> str:
        """`/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap/api_salesorder/0001/SalesOrder`."""
        return f"{self.service_path(address)}{self._set(address)}"

    def service_path(self, address: Address) -> str:
        """`/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap/api_salesorder/0001/`."""
        return f"{_ROOT}{self._names[address.service]}/"

    def expand(self, paths: Sequence[str]) -> str:
        """`to_Item($expand=to_PricingElement)`."""
        names = ["/".join(self._there(part) for part in path.split("/")) for path in paths]
        if self._expand == "path":
            return ",".join(names)
        return ",".join(_nested(name, names) for name in names if "/" not in name)

    def encode(self, entity: Entity) -> bytes:
        """JSON in UTF-8: decimals as numbers with all their digits, ISO dates, deep inserts as arrays."""
        return _json(self._renamed(entity)).encode()

    def encode_group(self, group: Group) -> tuple[str, bytes]:
        """A JSON batch: one atomicity group, and the reading that depends on it."""
        requests: list[Mapping[str, object]] = [
            self._request(step, str(place)) for place, step in enumerate(group.steps, 1)
        ]
        if group.reading is not None:
            address, key = group.reading
            requests.append(
                {
                    "id": _READING,
                    "method": "GET",
                    "url": f"{self._set(address)}{key_predicate(key)}",
                    "headers": {"accept": _JSON},
                    "dependsOn": [_GROUP],
                }
            )
        return _JSON, _json({"requests": requests}).encode()

    def read_group(self, response: ErpResponse, group: Group) -> GroupAnswer:
        """Every step is answered, or the group failed and a member says why.

        A server may state 201 for a member that was rolled back with the others; so one failed member is enough, and
        members that are missing beside it do not matter.
        """
        listed = read_json(response).get("responses")
        if not isinstance(listed, list):
            raise Garbled("the batch has no answers")
        by_id: dict[str, Member] = {}
        for one in listed:
            name, member = _member(one)
            if name in by_id:
                raise Garbled("the batch answers a change twice")
            by_id[name] = member
        reading = by_id.pop(_READING, None)
        places = [str(place) for place in range(1, len(group.steps) + 1)]
        if not by_id.keys() <= set(places):
            raise Garbled("the batch answers what was not asked")
        failed = [one for one in by_id.values() if one.status >= 400]
        if not failed and len(by_id) != len(places):
            raise Garbled("the batch leaves changes without an answer")
        return GroupAnswer(tuple(failed or (by_id[place] for place in places)), reading)

    def entity(self, answer: Mapping[str, object], address: Address) -> Row:
        """The object itself."""
        if "value" in answer:
            raise Garbled("the answer is a collection where one entity was expected")
        self._check_context(answer, address)
        return Row(answer, self)

    def collection(self, answer: Mapping[str, object], address: Address) -> Rows:
        """`{"value": […], "@odata.nextLink": "…"}`. The link is only noticed, as in V2."""
        self._check_context(answer, address)
        return Rows(self._rows("value", answer.get("value")), bool(answer.get("@odata.nextLink")))

    def problem(self, answer: Mapping[str, object]) -> Problem | None:
        """`{"error": {"code", "message", "target", "details": […]}}`; the gateway in front of the services states its
        own errors in the form of V2, with the message in an object."""
        error = answer.get("error")
        if not isinstance(error, dict):
            return None
        code, message, target = error.get("code"), error.get("message"), error.get("target")
        text = message.get("value") if isinstance(message, dict) else message
        if not isinstance(code, str) or not code or not isinstance(text, str):
            return None
        return Problem(clipped(code), clipped(text), clipped(target) if isinstance(target, str) else "")

    def day_literal(self, day: date) -> str:
        """`1996-07-04`."""
        return day.isoformat()

    def read_decimal(self, name: str, value: object) -> Decimal:
        """A JSON number, or a string where the server states decimals so (`IEEE754Compatible=true`)."""
        if isinstance(value, str) and re.match(r"\A-?[0-9]{1,16}(\.[0-9]{1,6})?\Z", value):
            return Decimal(value)
        if not isinstance(value, Decimal) or abs(value) >= _LARGEST:
            raise Garbled(f"{name} is not a decimal")
        # 1.5E+3 is 1500; trailing zeros are no further decimals.
        exponent = value.normalize().as_tuple().exponent
        if not isinstance(exponent, int) or exponent < _FINEST:
            raise Garbled(f"{name} has more decimals than the service knows")
        return Decimal(format(value, "f"))

    def read_date(self, name: str, value: object) -> date:
        """`1996-07-04`, or a moment of that day in UTC."""
        match = _DAY.match(value) if isinstance(value, str) else None
        if match is None:
            raise Garbled(f"{name} is not a date")
        try:
            return date.fromisoformat(match[1])
        except ValueError:
            raise Garbled(f"{name} is a date outside the calendar") from None

    def read_many(self, values: Mapping[str, object], name: str) -> tuple[Row, ...]:
        """An array; a cut expansion is `Garbled`."""
        there = self._there(name)
        if values.get(f"{there}@odata.nextLink"):
            raise Garbled(f"{there} is not expanded completely")
        return self._rows(there, values.get(there))

    def read_etag(self, values: Mapping[str, object]) -> object:
        """`@odata.etag`."""
        return values.get("@odata.etag")

    def _there(self, name: str) -> str:
        return self._names.get(name, name)

    def _set(self, address: Address) -> str:
        return self._names.get(address.entity_set, address.entity_set.removeprefix("A_"))

    def _renamed(self, entity: Entity) -> dict[str, object]:
        """The entity with its navigation properties as this system calls them."""
        renamed: dict[str, object] = {}
        for name, value in entity.items():
            if value is None or isinstance(value, str | bool | Decimal):
                renamed[name] = value
            elif isinstance(value, date):
                renamed[name] = value.isoformat()
            else:
                renamed[self._there(name)] = [self._renamed(one) for one in value]
        return renamed

    def _request(self, step: Step, name: str) -> Mapping[str, object]:
        url = f"{self._set(step.address)}{key_predicate(step.key)}"
        if step.navigation:
            url += f"/{self._there(step.navigation)}"
        headers = {"accept": _JSON, **({"if-match": step.etag} if step.etag else {})}
        request = {"id": name, "atomicityGroup": _GROUP, "method": step.method, "url": url}
        if step.method == "DELETE":
            return {**request, "headers": headers}
        return {**request, "headers": {**headers, "content-type": _JSON}, "body": self._renamed(step.entity)}

    def _rows(self, name: str, value: object) -> tuple[Row, ...]:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Garbled(f"{name} is not a list of entities")
        return tuple(Row(item, self) for item in value)

    def _check_context(self, answer: Mapping[str, object], address: Address) -> None:
        """`@odata.context` ends in `#SalesOrder`, `#SalesOrder/$entity` or `#SalesOrder(…)/$entity`."""
        context = answer.get("@odata.context")
        match = _CONTEXT.search(context) if isinstance(context, str) else None
        if match is not None and match[1] != self._set(address):
            raise Garbled("the answer is an entity of another set")


def _nested(name: str, names: Sequence[str]) -> str:
    """One navigation property with what is expanded below it."""
    below = [other.removeprefix(f"{name}/") for other in names if other.startswith(f"{name}/")]
    inner = ",".join(_nested(one, below) for one in below if "/" not in one)
    return f"{name}($expand={inner})" if inner else name


def _json(value: object) -> str:
    """JSON with exact numbers, which the standard library writes of floats and integers only."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_json(name)}:{_json(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _member(value: object) -> tuple[str, Member]:
    """Id and answer of one request of the batch."""
    if not isinstance(value, dict):
        raise Garbled("an answer of the batch is no object")
    name, status, headers, body = value.get("id"), value.get("status"), value.get("headers"), value.get("body")
    if not isinstance(name, str) or not isinstance(status, Decimal) or not 100 <= status <= 599 or status % 1:
        raise Garbled("an answer of the batch has no id or no status")
    texts = headers.items() if isinstance(headers, dict) else ()
    return name, Member(
        int(status),
        {key.lower(): text for key, text in texts if isinstance(text, str)},
        body if isinstance(body, dict) else None,
    )
