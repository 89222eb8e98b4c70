"""v1 only gains: each kind of break is refused, additions pass."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.conftest import made
from tools.contract.breaking import breaks, main
from tools.contract.decisions import COMMITTED, read_decisions, undecided

Document = dict[str, Any]
Change = Callable[[Document], object]

RELEASED = Path(__file__).parents[2] / "docs" / "openapi" / "released"
ORDERS = "/v1/orders"


def _create(document: Document) -> Document:
    found: Document = document["paths"][ORDERS]["post"]
    return found


def _list(document: Document) -> Document:
    found: Document = document["paths"]["/v1/transactions"]["get"]
    return found


def _parameter(document: Document, name: str) -> Document:
    found: Document = next(one for one in _list(document)["parameters"] if one["name"] == name)
    return found


def _schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def _members(document: Document, name: str) -> Document:
    found: Document = _schema(document, name)["properties"]
    return found


def _rename(members: Document, old: str, new: str) -> None:
    members[new] = members.pop(old)


def _rename_schema(document: Document) -> None:
    text = json.dumps(document).replace('schemas/RoutedTo"', 'schemas/RoutedToSystem"')
    document.update(json.loads(text))
    _rename(document["components"]["schemas"], "RoutedTo", "RoutedToSystem")


BREAKS: dict[str, tuple[str, Change]] = {
    "an operation is gone": ("operation-removed", lambda d: d["paths"][ORDERS].pop("post")),
    "an address is renamed": ("operation-removed", lambda d: _rename(d["paths"], ORDERS, "/v1/salesOrders")),
    "an operation id is renamed": ("operation-renamed", lambda d: _create(d).update(operationId="submitOrder")),
    "a schema is renamed": ("schema-removed", _rename_schema),
    "a schema is gone": ("schema-removed", lambda d: d["components"]["schemas"].pop("Money")),
    "another schema stands there": (
        "schema-replaced",
        lambda d: _members(d, "LineageAnswer").update(pin={"$ref": "#/components/schemas/RoutedTo"}),
    ),
    "a body has another schema": (
        "schema-replaced",
        lambda d: _create(d)["requestBody"]["content"]["application/json"].update(
            schema={"$ref": "#/components/schemas/InvoiceRequest"}
        ),
    ),
    "an answer's member is gone": ("property-removed", lambda d: _members(d, "TransactionAnswer").pop("erpNumber")),
    "an answer's member is renamed": (
        "property-removed",
        lambda d: _rename(_members(d, "ErpNumberAnswer"), "documentNumber", "erpNumber"),
    ),
    "a request's member is gone": ("property-removed", lambda d: _members(d, "OrderRequest").pop("shipTo")),
    "a nested request's member is renamed": (
        "property-removed",
        lambda d: _rename(_members(d, "Address"), "postalCode", "zipCode"),
    ),
    "a request's member is required": (
        "member-required",
        lambda d: _schema(d, "OrderRequest")["required"].append("externalId"),
    ),
    "a new request's member is required": (
        "member-required",
        lambda d: (
            _members(d, "DocumentLine").update(warehouse={"type": "string"}),
            _schema(d, "DocumentLine")["required"].append("warehouse"),
        ),
    ),
    "an answer's member may be missing": (
        "member-optional",
        lambda d: _schema(d, "TransactionAnswer")["required"].remove("traceId"),
    ),
    "a request may say less": (
        "request-values-narrowed",
        lambda d: _members(d, "InvoiceRequest")["documentType"].update(enum=["invoice"]),
    ),
    "a filter may say less": (
        "request-values-narrowed",
        lambda d: _parameter(d, "status")["schema"]["enum"].remove("in_doubt"),
    ),
    "a free text is enumerated": (
        "request-values-narrowed",
        lambda d: _members(d, "Quantity")["unitCode"].update(enum=["C62"]),
    ),
    "an answer may say more": ("answer-values-added", lambda d: _schema(d, "Status")["enum"].append("parked")),
    "an answer may say anything": (
        "answer-values-added",
        lambda d: _members(d, "OrderAnswer")["contentState"].pop("enum"),
    ),
    "an answer's constant is another": (
        "answer-values-added",
        lambda d: _members(d, "OrderContent")["documentType"].update(const="sales_order"),
    ),
    "a status is gone": ("status-removed", lambda d: _create(d)["responses"].pop("202")),
    "a problem's status is gone": ("status-removed", lambda d: _create(d)["responses"].pop("409")),
    "a new way to succeed": (
        "status-added",
        lambda d: _create(d)["responses"].update({"204": {"description": "Nothing."}}),
    ),
    "a header of an answer is gone": (
        "header-removed",
        lambda d: _create(d)["responses"]["202"]["headers"].pop("Retry-After"),
    ),
    "a media type is gone": (
        "media-type-removed",
        lambda d: _create(d)["responses"]["422"]["content"].pop("application/json"),
    ),
    "an answer's type changed": (
        "type-changed",
        lambda d: _members(d, "TransactionAnswer").update(replayed={"type": "string"}),
    ),
    "an answer may be null": (
        "type-changed",
        lambda d: _members(d, "TransactionAnswer").update(traceId={"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ),
    "a request may not be null": (
        "type-changed",
        lambda d: _members(d, "OrderRequest").update(shipTo={"$ref": "#/components/schemas/Address"}),
    ),
    "a list became one": (
        "type-changed",
        lambda d: _members(d, "LineageAnswer").update(documents={"type": "string"}),
    ),
    "a pattern changed": (
        "pattern-changed",
        lambda d: _members(d, "Totals")["netAmount"].update(pattern="^[0-9]+$"),
    ),
    "a pattern is new": (
        "pattern-changed",
        lambda d: _members(d, "Contact")["phone"].update(pattern="^[0-9]+$"),
    ),
    "a format changed": (
        "format-changed",
        lambda d: _members(d, "OrderRequest")["postingDate"].update(format="date-time"),
    ),
    "a text must be shorter": ("limit-changed", lambda d: _members(d, "Address")["street"].update(maxLength=35)),
    "a list must be shorter": ("limit-changed", lambda d: _members(d, "OrderRequest")["lines"].update(maxItems=10)),
    "a text must be longer": ("limit-changed", lambda d: _members(d, "Contact")["name"].update(minLength=2)),
    "a page must be smaller": (
        "limit-changed",
        lambda d: _parameter(d, "pageSize")["schema"].update(maximum=100),
    ),
    "an answer's text may be longer": (
        "limit-changed",
        lambda d: _members(d, "AddressContent")["street"].update(maxLength=400),
    ),
    "leaving out means another thing": (
        "default-changed",
        lambda d: _members(d, "InvoiceRequest")["documentType"].update(default="credit_note"),
    ),
    "a filter is gone": ("parameter-removed", lambda d: _list(d)["parameters"].remove(_parameter(d, "erpNumber"))),
    "a filter is required": ("member-required", lambda d: _parameter(d, "status").update(required=True)),
    "a new parameter is required": (
        "member-required",
        lambda d: _list(d)["parameters"].append(
            {"name": "year", "in": "query", "required": True, "schema": {"type": "string"}}
        ),
    ),
    "a body is gone": ("body-removed", lambda d: _create(d).pop("requestBody")),
    "a body is required": (
        "member-required",
        lambda d: _list(d).update(requestBody={"required": True, "content": {}}),
    ),
    "a public operation wants a token": (
        "access-narrowed",
        lambda d: d["paths"]["/health/live"]["get"].update(security=[{"bearer": []}]),
    ),
    "a scope does not suffice any more": (
        "access-narrowed",
        lambda d: d["paths"]["/v1/transactions/{transactionId}"]["get"].update({"x-any-scope-of": ["documents:read"]}),
    ),
}

ADDITIONS: dict[str, Change] = {
    "nothing": lambda d: None,
    "an operation": lambda d: d["paths"].update(
        {"/v1/credits": {"get": {"operationId": "listCredits", "responses": {}}}}
    ),
    "a method": lambda d: d["paths"][ORDERS].update({"delete": {"operationId": "cancelOrder", "responses": {}}}),
    "a schema": lambda d: d["components"]["schemas"].update(More={"type": "object"}),
    "a member of an answer": lambda d: _members(d, "TransactionAnswer").update(note={"type": "string"}),
    "a required member of an answer": lambda d: (
        _members(d, "TransactionAnswer").update(note={"type": "string"}),
        _schema(d, "TransactionAnswer")["required"].append("note"),
    ),
    "an optional member of a request": lambda d: _members(d, "OrderRequest").update(note={"type": "string"}),
    "an optional parameter": lambda d: _list(d)["parameters"].append(
        {"name": "year", "in": "query", "required": False, "schema": {"type": "string"}}
    ),
    "a value of a request": lambda d: _members(d, "InvoiceRequest")["documentType"]["enum"].append("debit_note"),
    "a value of a filter": lambda d: _parameter(d, "status")["schema"]["enum"].append("parked"),
    "a longer text in a request": lambda d: _members(d, "Address")["street"].update(maxLength=400),
    "a shorter text in an answer": lambda d: _members(d, "AddressContent")["street"].update(maxLength=100),
    "a value less in an answer": lambda d: _members(d, "OrderAnswer")["contentState"]["enum"].remove("erased"),
    "a request's member that need not be": lambda d: _schema(d, "OrderRequest")["required"].remove("companyCode"),
    "a problem's status": lambda d: _create(d)["responses"].update({"410": {"description": "Gone."}}),
    "a scope that suffices too": lambda d: _create(d)["x-any-scope-of"].append("operations:act"),
    "a header of an answer": lambda d: _create(d)["responses"]["200"].setdefault("headers", {}).update(ETag={}),
    "an answer that is never null": lambda d: _members(d, "TransactionAnswer").update(externalId={"type": "string"}),
    "other descriptions and examples": lambda d: _create(d).update(description="Another.", summary="Another."),
}


@pytest.mark.parametrize(("rule", "change"), BREAKS.values(), ids=list(BREAKS))
def test_a_break_is_refused(rule: str, change: Change, document: Document) -> None:
    change(document)
    assert rule in {finding.rule for finding in breaks(made(), document)}


@pytest.mark.parametrize("change", ADDITIONS.values(), ids=list(ADDITIONS))
def test_an_addition_passes(change: Change, document: Document) -> None:
    change(document)
    assert breaks(made(), document) == []


def test_a_schema_that_holds_itself_is_compared_once(document: Document) -> None:
    itself = {"anyOf": [{"$ref": "#/components/schemas/PinAnswer"}, {"type": "null"}]}
    _members(document, "PinAnswer")["before"] = itself
    after = copy.deepcopy(document)
    assert breaks(document, after) == []
    _members(after, "PinAnswer").pop("side")
    assert [one.rule for one in breaks(document, after)] == ["property-removed"]


def test_a_request_that_was_open_stays_open(document: Document) -> None:
    before = copy.deepcopy(document)
    del _schema(before, "Contact")["additionalProperties"]
    assert [one.rule for one in breaks(before, document)] == ["request-closed"]
    assert breaks(document, before) == []


def test_unions_are_compared_one_by_one(document: Document) -> None:
    _members(document, "RoutedTo")["stage"] = {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "integer"}]}
    after = copy.deepcopy(document)
    alternatives = _members(after, "RoutedTo")["stage"]["anyOf"]
    alternatives[0]["maxLength"] = 10
    assert [one.rule for one in breaks(document, after)] == ["limit-changed"]
    alternatives.pop()
    assert "type-changed" in {one.rule for one in breaks(document, after)}


def test_every_kind_of_break_is_tried() -> None:
    """A rule that no test breaks is a rule that may do nothing."""
    folder = Path(__file__).parents[2] / "tools" / "contract"
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("breaking*.py"))
    named = set(re.findall(r'Finding\(f?"([a-z{}-]+)"', text)) - {"{key}-changed"}
    tried = {rule for rule, _ in BREAKS.values()} | {"request-closed"}
    assert named <= tried
    assert tried - named == {"pattern-changed", "format-changed"}


def test_the_present_documents_break_nothing_released(document: Document, flat: Document) -> None:
    decisions = read_decisions(COMMITTED)
    assert {one.released for one in decisions} <= {"v1.json", "v1-salesforce.json"}
    for name, present in (("v1.json", document), ("v1-salesforce.json", flat)):
        released = json.loads((RELEASED / name).read_text(encoding="utf-8"))
        assert undecided(breaks(released, present), decisions, name, present["info"]["version"]) == [], (
            f"v1 would break its callers ({name}). Take the change back, or add beside what there is"
        )


def test_the_command_ends_with_a_code(document: Document, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    before.write_text(json.dumps(document))
    _create(document)["operationId"] = "submitOrder"
    after.write_text(json.dumps(document))
    assert main([str(before), str(before)]) == 0
    assert main([str(before), str(after)]) == 1
    assert "createOrder became submitOrder" in capsys.readouterr().out
    assert main([str(before), str(tmp_path / "none.json")]) == 2
