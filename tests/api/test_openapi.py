"""The description of the API: closed requests, open answers, names that every caller can use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.api import customers, invoices, orders, payments, products
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
    assert len(ids) == 5 * 3 + 3 + 2 + 2 + 1 + 1
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
    # If-Match has no route yet.
    assert declared == set(KINDS) - {"stale"}


@pytest.mark.parametrize(
    "resource", [one.RESOURCE for one in (customers, products, orders, invoices, payments)], ids=lambda one: one.domain
)
def test_examples_are_valid(document: dict[str, Any], resource: Any) -> None:
    content = document["paths"][f"/v1/{resource.domain}"]["post"]["requestBody"]["content"]["application/json"]
    example = content["examples"]["plain"]["value"]
    resource.model.model_validate_json(json.dumps(example), by_alias=True, by_name=False)


def test_descriptions_are_short_enough_for_salesforce(document: dict[str, Any]) -> None:
    for one in _walk(document):
        if isinstance(one.get("description"), str):
            assert len(one["description"]) <= 1_333
