"""What the application answers holds the description, and the flat one that Salesforce registers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.api.domains import RESOURCES
from gateway.domain.records import PayloadRecord
from gateway.domain.transaction import Status
from gateway.errors import Problem
from tests.api.conftest import World
from tests.api.fakes import an_id, transaction
from tests.contracts.conftest import made
from tests.contracts.json_schema import Validator

READS = {
    "getTransaction": f"/v1/transactions/{an_id('txn', 1)}",
    "getTransactionTrace": f"/v1/transactions/{an_id('txn', 1)}/trace",
    "listTransactions": "/v1/transactions?status=held",
    "getLineage": f"/v1/lineages/{an_id('lin', 1)}",
    "listOrders": "/v1/orders",
    "explainRouting": "/v1/routing/explain?domain=orders&businessUnit=Western&geography=DE",
    "getProblemType": "/problems/no-rule",
    "getLiveness": "/health/live",
    "getReadiness": "/health/ready",
}


def _hold(documents: tuple[dict[str, Any], ...], operation_id: str, answer: Any) -> None:
    """The answer's status and media type are declared, and its body holds the schema there."""
    for document in documents:
        operation = next(
            (one for item in document["paths"].values() for one in item.values() if one["operationId"] == operation_id),
            None,
        )
        if operation is None:
            assert operation_id in {"getLiveness", "getReadiness"}, (
                "left out of the flat document only if for operators"
            )
            continue
        content = operation["responses"][str(answer.status_code)]["content"]
        media_type = answer.headers["content-type"].split(";")[0]
        if document["openapi"].startswith("3.1"):
            assert media_type in content
        schema = content.get(media_type, content["application/json"])["schema"]
        assert Validator(document).complaints(answer.json(), schema) == []


@pytest.fixture
def world() -> World:
    found = World()
    found.reads.hold(transaction(1))
    refused = json.dumps({"code": "rejected-by-erp", "detail": "No."})
    found.reads.hold(
        transaction(2, status=Status.HELD, retry_after_s=60, erp_document_number=None, system_id=None, problem=refused)
    )
    return found


@pytest.mark.parametrize(("operation_id", "path"), READS.items())
async def test_what_is_read(operation_id: str, path: str, world: World, flat: dict[str, Any]) -> None:
    async with world.client() as client:
        answer = await client.get(path, headers=world.token())
        if operation_id != "explainRouting":  # the rulebook here serves no domain
            assert answer.status_code == 200, answer.text
        _hold((made(), flat), operation_id, answer)
        unknown = await client.get(path.split("?", maxsplit=1)[0], headers={"Accept": "application/json"})
        if unknown.status_code >= 400:
            assert unknown.headers["content-type"].startswith("application/json")
            _hold((made(), flat), operation_id, unknown)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.domain)
@pytest.mark.parametrize("is_erased", [False, True])
async def test_a_document_that_is_read(resource: Any, is_erased: bool, world: World, flat: dict[str, Any]) -> None:
    record = transaction(3, domain=resource.domain)
    world.reads.hold(record)
    document = resource.model.model_validate_json(json.dumps(dict(resource.example)))
    body = None if is_erased else document.model_dump_json(exclude_none=True).encode()
    world.reads.payloads[record.payload_id] = PayloadRecord(record.payload_id, b"salt", body, 1 if is_erased else None)
    async with world.client() as client:
        answer = await client.get(f"/v1/{resource.domain}/{record.document_id}", headers=world.token())
    assert answer.json()["contentState"] == ("erased" if is_erased else "present")
    _hold((made(), flat), f"get{resource.name}", answer)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.domain)
@pytest.mark.parametrize("case", ["posted", "pending", "replayed", "refused", "frozen", "malformed"])
async def test_what_is_submitted(resource: Any, case: str, world: World, flat: dict[str, Any]) -> None:
    body = dict(resource.example)
    line = world.line
    if case == "pending":
        line.status, line.retry_after_s = Status.WAITING, 4
    elif case == "replayed":
        line.replayed = True
    elif case == "refused":
        line.status, line.problem = Status.REJECTED, json.dumps({"code": "rejected-by-erp", "detail": "No."})
    elif case == "frozen":
        line.failure = Problem("frozen", "Frozen.", retry_after_s=60)
    elif case == "malformed":
        body["unknown"] = 1
    async with world.client() as client:
        for accept in ("application/json", "*/*"):
            headers = {**world.token(), "Accept": accept}
            answer = await client.post(f"/v1/{resource.domain}", json=body, headers=headers)
            assert (answer.status_code < 400) == (case in {"posted", "pending", "replayed"})
            _hold((made(), flat), f"create{resource.name}", answer)
