"""The examples of the description hold its own schemas, and the models that read requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.canonical import DOMAINS
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


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_request_has_an_example_that_its_model_reads(domain: str, flat: dict[str, Any]) -> None:
    content = made()["paths"][f"/v1/{domain}"]["post"]["requestBody"]["content"]["application/json"]
    assert content["examples"]
    for one in content["examples"].values():
        DOMAINS[domain].model_validate_json(json.dumps(one["value"]), by_alias=True, by_name=False)
        shown = flat["paths"][f"/v1/{domain}"]["post"]["requestBody"]["content"]["application/json"]["example"]
        assert shown == one["value"]


def test_the_schema_refuses_what_the_model_refuses() -> None:
    content = made()["paths"]["/v1/orders"]["post"]["requestBody"]["content"]["application/json"]
    example = json.loads(json.dumps(content["examples"]["plain"]["value"]))
    example["unknown"] = 1
    example["lines"][0]["netAmount"] = 12.5
    del example["totals"]
    complaints = Validator(made()).complaints(example, content["schema"])
    assert {one.split(":")[0] for one in complaints} == {"$", "$.lines[0].netAmount"}
    assert len(complaints) == 3
