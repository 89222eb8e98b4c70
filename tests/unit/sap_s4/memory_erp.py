"""An S/4HANA system in memory: entities as they stand, served over OData V2 or V4, changed one by one or in batches.

It shares nothing with the driver but the names that SAP gives to things. What it does not know of a request is an
AssertionError, so a request that SAP would not know ends a test.
"""

from __future__ import annotations

import copy
import email.parser
import email.policy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote

from adapters.transport import ErpRequest, ErpResponse
from tests.unit.sap_s4.memory_wire import CHILDREN, Wire, dumped, served
from tests.unit.sap_s4.scripted import problem

_ENTRY: Final = "AccountingDocument CompanyCode FiscalYear"
_ITEM: Final = "SalesOrder SalesOrderItem"
KEYS: Final = {
    name: keys.split()
    for name, keys in {
        "A_SalesOrder": "SalesOrder",
        "A_SalesOrderItem": _ITEM,
        "A_SalesOrderItemPrElement": f"{_ITEM} PricingProcedureStep PricingProcedureCounter",
        "A_SalesOrderHeaderPartner": "SalesOrder PartnerFunction",
        "A_SalesOrderPartnerAddress": "SalesOrder PartnerFunction",
        "A_SalesOrderText": "SalesOrder Language LongTextID",
        "A_JournalEntry": _ENTRY,
        "A_JournalEntryItem": f"{_ENTRY} AccountingDocumentItem",
        "A_BusinessPartner": "BusinessPartner",
        "A_BusinessPartnerAddress": "BusinessPartner AddressID",
        "A_BusinessPartnerRole": "BusinessPartner BusinessPartnerRole",
        "A_Product": "Product",
        "A_ProductDescription": "Product Language",
    }.items()
}
_INITIAL: Final[dict[str, dict[str, Any]]] = {
    "A_SalesOrder": {"RequestedDeliveryDate": None, "SDDocumentReason": "", "OverallDeliveryStatus": "A",
                     "OverallSDDocumentRejectionSts": "A"},
    "A_SalesOrderItem": {"SalesDocumentRjcnReason": ""},
    "A_SalesOrderItemPrElement": dict.fromkeys(
        ("ConditionRateValue", "ConditionQuantity", "ConditionBaseValue", "ConditionAmount"), Decimal(0)
    ) | dict.fromkeys(("ConditionCurrency", "ConditionQuantityUnit", "TransactionCurrency"), ""),
    "A_BusinessPartner": {"Customer": "", "BusinessPartnerFullName": "", "BusinessPartnerIsBlocked": False},
    "A_BusinessPartnerAddress": {"PhoneNumber": "", "EmailAddress": ""},
    "A_JournalEntryItem": {"CostCenter": "", "Customer": ""},
}  # fmt: skip


@dataclass
class MemoryErp:
    """`stands`: root entities by set, each with its children under their navigation properties. `version`: 2 or 4, of
    all services but that of journal entries, which is 2."""

    version: int
    stands: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    stamp: int = 1

    def __call__(self, request: ErpRequest) -> ErpResponse:
        """The answer to one request."""
        v4 = request.path.startswith("/sap/opu/odata4/")
        assert v4 is (self.version == 4 and "JOURNALENTRY" not in request.path), request.path
        last = request.path.rsplit("/", 1)[-1]
        wire = Wire(4 if v4 else 2)
        if last == "$batch":
            before = copy.deepcopy(self.stands)
            answer, failed = (self._json_batch if v4 else self._multipart)(request, wire)
            if failed:
                self.stands = before
            return answer
        name = wire.set_of(last)
        if request.method == "POST":
            assert "$filter" not in request.query
            row = self._insert(name, wire.read(json.loads(request.body or b"", parse_float=Decimal)), None)
            return wire.answer(wire.entity(name, row), 201, name)
        rows = [row for row in self.stands.get(name, ()) if _matches(row, request.query["$filter"])]
        return wire.answer(wire.collection(name, rows), 200, name)

    def _insert(self, name: str, values: dict[str, Any], parent: dict[str, Any] | None) -> dict[str, Any]:
        siblings: list[dict[str, Any]] = self.stands.setdefault(name, []) if parent is None else parent["__siblings"]
        row = {**_INITIAL.get(name, {}), **values}
        if parent is not None:
            row |= {key: parent[key] for key in KEYS[name] if key in parent and key not in values}
        for key in KEYS[name]:
            if key not in row:
                row[key] = f"{self.stamp:06d}" if parent else f"{4700 + len(siblings):010d}"
        row["__etag"] = self._next_stamp()
        assert _key(name, row) not in [_key(name, one) for one in siblings], "an entity with the same key"
        siblings.append(row)
        for navigation, child in CHILDREN.get(name, {}).items():
            given = row.get(navigation) or []
            row[navigation] = []
            for one in given:
                self._insert(child, one, {**row, "__siblings": row[navigation]})
        self._total(name)
        return row

    def _next_stamp(self) -> int:
        self.stamp += 1
        return self.stamp

    def _total(self, name: str) -> None:
        """What SAP concludes of the items."""
        if name.startswith("A_SalesOrder"):
            for order in self.stands.get("A_SalesOrder", ()):
                items = order.get("to_Item", ())
                order["TotalNetAmount"] = sum((item["NetAmount"] for item in items), Decimal(0))
                rejected = bool(items) and all(item["SalesDocumentRjcnReason"] for item in items)
                order["OverallSDDocumentRejectionSts"] = "C" if rejected else "A"

    def _multipart(self, request: ErpRequest, wire: Wire) -> tuple[ErpResponse, bool]:
        head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
        parsed = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + (request.body or b""))
        changeset, *reading = parsed.get_payload()
        changes, failed = [], b""
        for part in changeset.get_payload():
            method, path, headers, body = _http(part.get_payload(decode=True))
            status, content, etag = self._change(wire, method, path, headers.get("if-match"), body)
            if status >= 400:
                failed = _part(status, content, etag)
                break
            changes.append(_part(status, content, etag))
        if failed:
            pieces = [failed]
        else:
            inner = b"".join(b"--inner\r\n" + one for one in changes) + b"--inner--\r\n"
            pieces = [b"Content-Type: multipart/mixed; boundary=inner\r\n\r\n" + inner]
        for part in reading:
            _, path, _, _ = _http(part.get_payload(decode=True))
            name, row, _ = self._at(wire, path)
            pieces.append(_part(200, dumped(wire.body(wire.entity(name, row), name)), ""))
        body = b"".join(b"--outer\r\n" + one + (b"" if one.endswith(b"\r\n") else b"\r\n") for one in pieces)
        return ErpResponse(202, {"content-type": "multipart/mixed; boundary=outer"}, body + b"--outer--\r\n"), bool(
            failed
        )

    def _json_batch(self, request: ErpRequest, wire: Wire) -> tuple[ErpResponse, bool]:
        answers: list[dict[str, Any]] = []
        failed = False
        for one in json.loads(request.body or b"", parse_float=Decimal)["requests"]:
            if one["method"] == "GET":
                assert one["dependsOn"] == ["changes"]
                name, row, _ = self._at(wire, one["url"])
                body = wire.body(wire.entity(name, row), name)
                answers.append({"id": one["id"], "status": 200, "headers": {}, "body": body})
                continue
            assert one["atomicityGroup"] == "changes"
            body = one.get("body", {})
            status, content, etag = self._change(wire, one["method"], one["url"], one["headers"].get("if-match"), body)
            answer: dict[str, Any] = {"id": one["id"], "status": status, "headers": {"etag": etag} if etag else {}}
            if content:
                answer["body"] = json.loads(content)
            if status >= 400:
                # A server may state success for members that are rolled back with the one that failed.
                failed = True
            answers.append(answer)
        return served({"responses": answers}, 200), failed

    def _change(
        self, wire: Wire, method: str, path: str, if_match: str | None, body: dict[str, Any]
    ) -> tuple[int, bytes, str]:
        keyed, _, navigation = path.partition("/")
        name, row, siblings = self._at(wire, keyed)
        if navigation:
            assert method == "POST"
            child = CHILDREN[name][navigation]
            new = self._insert(child, wire.read(body), {**row, "__siblings": row[navigation]})
            return 201, dumped(wire.body(wire.entity(child, new), child)), ""
        if if_match is None:
            return 428, problem(428, "If-Match is missing").body, ""
        if if_match != f'W/"{row["__etag"]}"':
            return 412, problem(412, "The entity was changed by another user after it was read").body, ""
        if method == "DELETE":
            siblings.remove(row)
        else:
            assert method == "PATCH"
            values = wire.read(body)
            assert values.keys() <= row.keys(), values.keys() - row.keys()
            row |= values
            row["__etag"] = self._next_stamp()
        self._total(name)
        return 204, b"", f'W/"{row["__etag"]}"'

    def _at(self, wire: Wire, path: str) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
        """The entity that a path names, e.g. `A_Product(Product='1')`, and the list it is in."""
        match = re.fullmatch(r"(\w+)\((.*)\)", unquote(path))
        assert match, path
        name = wire.set_of(match[1])
        pairs = dict(re.findall(r"(\w+)='((?:[^']|'')*)'", match[2]))
        key = tuple(pairs[one].replace("''", "'") for one in KEYS[name])
        for found, row, siblings in self._all():
            if found == name and _key(name, row) == key:
                return name, row, siblings
        raise AssertionError(f"there is no {path}")

    def _all(self) -> Iterator[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
        waiting = [(name, rows) for name, rows in self.stands.items()]
        while waiting:
            name, rows = waiting.pop()
            for row in rows:
                yield name, row, rows
                waiting += [(child, row[navigation]) for navigation, child in CHILDREN.get(name, {}).items()]


def _key(name: str, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row[key] for key in KEYS[name])


def _matches(row: dict[str, Any], condition: str) -> bool:
    """`a eq 'x' and b eq 'y' or (c eq 'z' …)`: what the driver asks for; `or` binds last."""

    def holds(term: str) -> bool:
        pairs = re.findall(r"(\w+) eq '((?:[^']|'')*)'", term)
        assert pairs, term
        return all(row[name] == value.replace("''", "'") for name, value in pairs)

    return any(holds(term) for term in condition.split(" or "))


def _http(text: bytes) -> tuple[str, str, dict[str, str], dict[str, Any]]:
    head, _, body = text.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    method, path, _ = line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
    if "content-length" in headers:
        body = body[: int(headers["content-length"])]
    return method, path, headers, json.loads(body, parse_float=Decimal) if body.strip() else {}


def _part(status: int, body: bytes, etag: str) -> bytes:
    headers = f"Content-Length: {len(body)}\r\n" + (f"ETag: {etag}\r\n" if etag else "")
    if body:
        headers += "Content-Type: application/json;charset=utf-8\r\n"
    start = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    return f"{start}HTTP/1.1 {status} Said\r\n{headers}\r\n".encode() + body + b"\r\n"
