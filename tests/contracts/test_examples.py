"""The examples of the description hold its own schemas, and the models that read requests."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.canonical import DOMAINS
from adapters.cloud_erp.sap_s4.translate import customers, orders, products
from adapters.port import Operation
from gateway.api.domains import RESOURCES
from gateway.api.resources import Resource
from gateway.domain.new_customer import take_new_customer
from gateway.transactions.home import CAPABILITIES as KEPT
from routing_rules import load_rulebook
from tests.contracts.conftest import made
from tests.contracts.json_schema import Validator

EXAMPLES = [
    pytest.param(content["schema"], example["value"], id=f"{one['operationId']}-{where}-{name}")
    for item in made()["paths"].values()
    for one in item.values()
    for where, body in (("request", one.get("requestBody", {})), *one["responses"].items())
    for content in body.get("content", {}).values()
    for name, example in content.get("examples", {}).items()
    if where == "request" or one["operationId"] == "createOrder"
]


@pytest.mark.parametrize(("schema", "example"), EXAMPLES)
def test_an_example_holds_its_schema(schema: dict[str, Any], example: Any) -> None:
    assert Validator(made()).complaints(example, schema) == []


def _shown(value: Any, where: str) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Where an example stands, the schema beside or around it, and what it shows."""
    if isinstance(value, list):
        for place, one in enumerate(value):
            yield from _shown(one, f"{where}/{place}")
    if not isinstance(value, dict):
        return
    schema = value.get("schema", value)
    examples = value.get("examples", [])
    if isinstance(examples, dict):
        yield from ((f"{where}/examples/{name}", schema, one["value"]) for name, one in examples.items())
    else:
        yield from ((f"{where}/examples/{place}", schema, one) for place, one in enumerate(examples))
    if "example" in value:
        yield f"{where}/example", schema, value["example"]
    for key, one in value.items():
        if key == "properties":
            for name, member in one.items():
                yield from _shown(member, f"{where}/properties/{name}")
        elif key not in {"example", "examples", "default", "enum", "const"}:
            yield from _shown(one, f"{where}/{key}")


@pytest.mark.parametrize("is_flat", [False, True], ids=["full", "flat"])
def test_whatever_is_shown_holds_its_schema(is_flat: bool, flat: dict[str, Any]) -> None:
    """Every example of both documents: Spectral reads them without."""
    document = flat if is_flat else made()
    validator, found = Validator(document), {}
    shown = list(_shown(document, "#"))
    for where, schema, example in shown:
        complaints = validator.complaints(example, schema)
        if complaints:
            found[where] = complaints
    assert found == {}
    assert len(shown) > (100 if is_flat else 1_500)


@pytest.mark.parametrize("wrong", ["media", "parameter", "schema"])
def test_an_example_that_does_not_is_seen(wrong: str) -> None:
    planted = {
        "media": {"content": {"application/json": {"schema": {"type": "string"}, "examples": {"one": {"value": 1}}}}},
        "parameter": {"parameters": [{"name": "one", "schema": {"type": "string"}, "example": 1}]},
        "schema": {"schemas": {"One": {"properties": {"example": {"type": "string", "examples": [1]}}}}},
    }[wrong]
    [(_, schema, example)] = _shown(planted, "#")
    assert Validator(planted).complaints(example, schema)


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_request_has_an_example_that_its_model_reads(domain: str, flat: dict[str, Any]) -> None:
    content = made()["paths"][f"/v1/{domain}"]["post"]["requestBody"]["content"]["application/json"]
    assert content["examples"]
    for name, one in content["examples"].items():
        members = json.loads(json.dumps(one["value"]))
        assert (take_new_customer(DOMAINS[domain], members) is not None) is (name == "newCustomer")
        DOMAINS[domain].model_validate_json(json.dumps(members), by_alias=True, by_name=False)
    shown = flat["paths"][f"/v1/{domain}"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert shown == content["examples"]["plain"]["value"]


def test_the_schema_refuses_what_the_model_refuses() -> None:
    content = made()["paths"]["/v1/orders"]["post"]["requestBody"]["content"]["application/json"]
    example = json.loads(json.dumps(content["examples"]["plain"]["value"]))
    example["unknown"] = 1
    example["lines"][0]["netAmount"] = 12.5
    del example["totals"]
    complaints = Validator(made()).complaints(example, content["schema"])
    assert {one.split(":")[0] for one in complaints} == {"$", "$.lines[0].netAmount"}
    assert len(complaints) == 3


BOOK = load_rulebook(Path(__file__).parents[2] / "routing_rules" / "tables")
KNOWN: dict[str, Collection[str]] = {
    "businessUnit": {*BOOK.business_units.nodes, "*"},
    "geography": {*BOOK.geographies.nodes, "*"},
    "companyCode": {*BOOK.company_codes, "*"},
    "currencyCode": {one.currency for one in BOOK.company_codes.values() if one.currency},
    "systemId": {*BOOK.systems, "gateway"},
    "row": {row.id for table in BOOK.tables.values() for row in table.rows},
}
"""What an example may say of the sample rulebook, by member."""


FOR_CALLERS = {*(one.domain for one in RESOURCES), "transactions", "lineages", "routing", "capabilities", "problems"}


def _said(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _said(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _said(one, name.removesuffix("s"))
    elif isinstance(value, str):
        yield name, value


def _every_example() -> Iterator[tuple[str, str]]:
    """Of what callers use who submit documents; drafts of rules bring new rows."""
    for item in made()["paths"].values():
        for operation in item.values():
            if FOR_CALLERS.isdisjoint(operation["tags"]):
                continue
            for one in operation.get("parameters", ()):
                yield from _said(one.get("example"), one["name"])
            for body in (operation.get("requestBody", {}), *operation["responses"].values()):
                for content in body.get("content", {}).values():
                    for example in content.get("examples", {}).values():
                        yield from _said(example["value"])


def test_examples_name_what_the_sample_rulebook_has() -> None:
    """So that what is copied from the description works against `make demo`."""
    said = set(_every_example())
    assert {name for name, _ in said} >= set(KNOWN)
    assert sorted((name, value) for name, value in said if name in KNOWN and value not in KNOWN[name]) == []


CHANGEABLE = {
    "customers": customers.CHANGEABLE,
    "products": products.CHANGEABLE,
    "orders": orders.CHANGEABLE,
    "contracts": KEPT["contracts", Operation.CHANGE].changeable,
}
"""In the cloud ERP of the sample, to which the examples go; contracts are kept by the gateway."""


@pytest.mark.parametrize("resource", [one for one in RESOURCES if one.change], ids=lambda one: one.domain)
def test_an_example_of_a_change_is_one_that_its_system_can_make(resource: Resource) -> None:
    asked = set(resource.change or ()) - {"ifMatch", "idempotencyKey", "totals"}
    assert asked <= CHANGEABLE[resource.domain]
