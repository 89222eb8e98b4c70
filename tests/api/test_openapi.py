"""The description of the API: closed requests, open answers, names that every caller can use."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.api.domains import RESOURCES
from gateway.api.meanings import MEANINGS, is_told
from gateway.api.openapi import describe
from gateway.api.problems import KINDS
from gateway.app import routes
from tests.api.conftest import HttpClient, World

FORBIDDEN = {"type", "currency", "system", "number", "date", "limit", "transaction", "object", "end"}
METHODS = {"get", "post", "put", "patch", "delete", "head", "options"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    parts = World().parts()
    found: dict[str, Any] = json.loads(json.dumps(describe(routes(parts), parts.limits)))
    return found


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield method, path, operation


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from _walk(one)
    elif isinstance(value, list):
        for one in value:
            yield from _walk(one)


async def test_it_is_served(client: HttpClient, document: dict[str, Any]) -> None:
    answer = await client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document
    assert document["openapi"].startswith("3.1.")


def test_operation_ids(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(ids) == len(set(ids))
    later = {"changeCustomer", "changeProduct", "changeOrder", "changeContract", "cancelOrder", "cancelContract"}
    later |= {"reverseInvoice", "reversePayment", "reverseJournalEntry"}
    later |= {"cancelInvoice", "cancelPayment", "cancelJournalEntry"}
    assert later | {"listJournalEntries", "getCapabilities"} <= set(ids)
    assert len({one.lower() for one in ids}) == len(ids)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", one) for one in ids), ids


def test_schema_names_differ_in_more_than_case(document: dict[str, Any]) -> None:
    names = document["components"]["schemas"]
    assert len({one.lower() for one in names}) == len(names)
    assert all(re.fullmatch(r"[A-Z][A-Za-z]*", one) for one in names)


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    names = {f"#/components/schemas/{one}" for one in document["components"]["schemas"]}
    used = {one["$ref"] for one in _walk(document) if isinstance(one.get("$ref"), str)}
    assert used <= names
    assert used


def test_property_names(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for prop in schema.get("properties", {}):
            assert re.fullmatch(r"[a-z][A-Za-z0-9]*", prop), (name, prop)
            if name != "ProblemDocument":
                assert prop not in FORBIDDEN, (name, prop)
    for _, path, operation in _operations(document):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query":
                assert re.fullmatch(r"[a-z][A-Za-z0-9]*", parameter["name"]), path
                assert parameter["name"] not in FORBIDDEN


def _reachable(document: dict[str, Any], root: Any) -> set[str]:
    found: set[str] = set()
    pending = [root]
    while pending:
        for one in _walk(pending.pop()):
            name = str(one.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                pending.append(document["components"]["schemas"][name])
    return found


def test_requests_are_closed_and_answers_open(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for _, path, operation in _operations(document):
        for name in _reachable(document, operation.get("requestBody")):
            if "properties" in schemas[name]:
                assert schemas[name]["additionalProperties"] is False, (path, name)
        for name in _reachable(document, operation["responses"]):
            assert schemas[name].get("additionalProperties") is not False, (path, name)


def test_patterns_of_optional_members_are_there(document: dict[str, Any]) -> None:
    prop = document["components"]["schemas"]["OrderRequest"]["properties"]["externalId"]
    assert {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]([ -~]*[!-~])?$"} in prop["anyOf"]
    assert document["components"]["schemas"]["DocumentLine"]["properties"]["unitPrice"]["type"] == "string"
    assert "idempotencyKey" in document["components"]["schemas"]["PaymentRequest"]["properties"]


def test_problems_are_declared_in_both_media_types(document: dict[str, Any]) -> None:
    declared: set[str] = set()
    for _, path, operation in _operations(document):
        assert {"400", "405", "413", "429", "500", "503"} <= set(operation["responses"])
        assert ("401" in operation["responses"]) == bool(operation["security"]), path
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert set(answer["content"]) == {"application/problem+json", "application/json"}
                assert answer["content"]["application/json"]["schema"] == {
                    "$ref": "#/components/schemas/ProblemDocument"
                }
                declared |= set(answer["content"]["application/json"]["examples"])
    assert declared == set(KINDS)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.domain)
def test_examples_are_valid(document: dict[str, Any], resource: Any) -> None:
    content = document["paths"][f"/v1/{resource.domain}"]["post"]["requestBody"]["content"]["application/json"]
    example = content["examples"]["plain"]["value"]
    resource.model.model_validate_json(json.dumps(example), by_alias=True, by_name=False)


def test_every_operation_shows_what_is_asked_and_answered(document: dict[str, Any]) -> None:
    for method, path, operation in _operations(document):
        bodies = [operation.get("requestBody", {"content": {}})]
        bodies += [one for status, one in operation["responses"].items() if status.startswith("2")]
        for body in bodies:
            for media_type, content in body["content"].items():
                assert content["examples"], (method, path, media_type)


def test_a_change_names_every_member_and_requires_none(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    order = schemas["OrderChange"]
    assert "required" not in order
    assert set(order["properties"]) == {
        "postingDate", "quoteReference", "requestedDeliveryDate", "shipTo", "lines", "freight", "totals",
        "ifMatch", "idempotencyKey",
    }  # fmt: skip
    assert order["properties"]["totals"] == {"$ref": "#/components/schemas/TotalsChange"}, "objects are patched inside"
    assert order["properties"]["lines"]["items"] == {"$ref": "#/components/schemas/DocumentLine"}, "lists are replaced"
    posting_date = {"type": "string", "format": "date", "description": MEANINGS["postingDate"]}
    assert order["properties"]["postingDate"] == posting_date, "what is required is not removed"
    assert {"type": "null"} in order["properties"]["shipTo"]["anyOf"]
    content = document["paths"]["/v1/orders/{documentId}"]["patch"]["requestBody"]["content"]
    assert set(content) == {"application/merge-patch+json", "application/json"}


def test_conditions_and_undoings_are_described(document: dict[str, Any]) -> None:
    operations = {operation["operationId"]: operation for _, _, operation in _operations(document)}
    for name in ("changeOrder", "cancelOrder", "reverseInvoice"):
        headers = {one["name"] for one in operations[name]["parameters"] if one["in"] == "header"}
        assert {"If-Match", "Idempotency-Key", "Prefer", "traceparent", "tracestate"} <= headers
        assert {"200", "202", "400", "404", "409", "412", "422"} <= set(operations[name]["responses"])
        assert "201" not in operations[name]["responses"]
    assert "428" in operations["changeOrder"]["responses"]
    assert "428" not in operations["cancelOrder"]["responses"]
    read = operations["getOrder"]["responses"]
    assert "ETag" in read["200"]["headers"]
    assert "content" not in read["304"]
    for name in ("CancellationRequest", "ReversalRequest"):
        assert document["components"]["schemas"][name]["required"] == ["reason"]


def test_descriptions_are_short_enough_for_salesforce(document: dict[str, Any]) -> None:
    for one in _walk(document):
        if isinstance(one.get("description"), str):
            assert len(one["description"]) <= 1_333


def test_two_versions_two_members(document: dict[str, Any]) -> None:
    """The API's own, and that of the program that serves it: one may rise without the other."""
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert document["info"]["x-gateway-version"] == project["version"]
    version = document["info"]["version"]
    assert {path.split("/")[1] for path in document["paths"] if path.startswith("/v")} == {f"v{version.split('.')[0]}"}
    released = json.loads((root / "docs" / "openapi" / "released" / "v1.json").read_text(encoding="utf-8"))
    older, newer = ([int(one) for one in found["info"]["version"].split(".")] for found in (released, document))
    has_more = set(document["components"]["schemas"]) - set(released["components"]["schemas"])
    assert newer[:2] > older[:2] if has_more else newer[:2] == older[:2], "additions raise the second number, once"
    assert newer[1] <= older[1] + 1


def test_days_of_queries_exist(document: dict[str, Any]) -> None:
    """A pattern admits 2026-99-99, which is refused. Three parameters were released without a format; it would give
    generated clients another type for them, so their descriptions say it."""
    bare = set()
    for _, _, operation in _operations(document):
        for one in operation.get("parameters", []):
            if "[0-9]{4}-[0-9]{2}-[0-9]{2}" in one["schema"].get("pattern", ""):
                if "format" in one["schema"]:
                    assert one["schema"]["format"] == ("date-time" if "T" in one["schema"]["pattern"] else "date")
                else:
                    bare.add((operation["operationId"], one["name"]))
                    assert "exist" in one["description"]
    assert bare == {
        ("listTransactions", "acceptedFrom"),
        ("listTransactions", "acceptedUntil"),
        ("explainRouting", "postingDate"),
    }


def test_every_parameter_has_an_example_that_it_takes(document: dict[str, Any]) -> None:
    for _, path, operation in _operations(document):
        for one in operation.get("parameters", []):
            if one["in"] == "query":
                schema, example = one["schema"], one["example"]
                assert example in schema.get("enum", [example]), (path, one["name"])
                if "pattern" in schema:
                    assert re.search(schema["pattern"], example), (path, one["name"])


FOR_CALLERS = {*(one.domain for one in RESOURCES), "transactions", "lineages", "routing", "capabilities", "problems"}
"""Tags of what those use who submit documents; what operations use is described by its models."""


def test_every_member_says_what_it_means(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    asked = [one for _, _, one in _operations(document) if FOR_CALLERS & set(one["tags"])]
    reached = _reachable(document, [[one.get("requestBody"), one["responses"]] for one in asked])
    assert len(reached) > 50
    silent = [
        f"{name}.{member}"
        for name in sorted(reached)
        for member, shape in schemas[name].get("properties", {}).items()
        if not is_told(shape)
    ]
    assert silent == [], "say it in the model, or in gateway/api/meanings.py"
    assert [name for name in sorted(reached) if not schemas[name].get("description")] == []


def test_no_meaning_is_left_over(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"].items()
    said = {(name, member): shape for name, schema in schemas for member, shape in schema.get("properties", {}).items()}
    used = {shape.get("description") for shape in said.values()}
    assert sorted(name for name, meaning in MEANINGS.items() if meaning not in used) == []
