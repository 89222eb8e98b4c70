"""Every member that a problem of ours can carry is described: found by reading the code, and in real problems."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.api.problem_schemas import RefusedTransaction
from gateway.api.schemas import TransactionAnswer
from gateway.domain.transaction import Status
from gateway.errors import FieldError, Problem
from tests.api.conftest import World
from tests.contracts.conftest import made
from tests.contracts.undeclared import undeclared

GATEWAY = Path(__file__).parents[2] / "gateway"
SCHEMA = {"$ref": "#/components/schemas/ProblemDocument"}


def _members() -> dict[str, Any]:
    found: dict[str, Any] = made()["components"]["schemas"]["ProblemDocument"]["properties"]
    return found


def _extras(tree: ast.AST) -> Iterator[ast.expr]:
    """What is handed over as `extra` wherever a Problem is made."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Problem":
            yield from (one.value for one in node.keywords if one.arg == "extra")


def _names(extra: ast.expr) -> Iterator[str]:
    """Names of a dictionary that is written out; a choice has two. Anything else cannot be read, and is refused."""
    if isinstance(extra, ast.IfExp):
        yield from _names(extra.body)
        yield from _names(extra.orelse)
    elif isinstance(extra, ast.Dict):
        for key in extra.keys:
            assert isinstance(key, ast.Constant), ast.dump(extra)
            yield str(key.value)
    elif isinstance(extra, ast.Attribute) and extra.attr == "extra":
        return  # passed on from a problem, whose members are read where it is made
    else:
        assert ast.dump(extra) == "Constant(value=None)", f"write the members out: {ast.dump(extra)}"


def test_every_extra_member_is_described() -> None:
    found = {
        (file.name, name)
        for file in GATEWAY.rglob("*.py")
        for extra in _extras(ast.parse(file.read_text(encoding="utf-8")))
        for name in _names(extra)
    }
    assert {name for _, name in found} >= {"followUps", "split", "state", "windowId", "allowedMethods", "tokenMissing"}
    missing = sorted((file, name) for file, name in found if name not in _members())
    assert missing == [], "describe it in gateway/api/problem_schemas.py"


def test_what_the_line_records_of_a_refusal_is_described() -> None:
    """`settle` writes it, and a refused submission answers it."""
    tree = ast.parse((GATEWAY / "transactions" / "settle.py").read_text(encoding="utf-8"))
    found = {
        key.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
        if any(isinstance(one, ast.Constant) and one.value == "detail" for one in node.keys)
    }
    assert {"code", "detail", "erp", "remedy"} <= found
    assert found <= set(_members())


def test_a_refused_transaction_shows_all_of_it() -> None:
    """But what the problem has of its own, and what an answer says of itself."""
    names = set(TransactionAnswer.model_json_schema(mode="serialization")["properties"])
    own = {"status", "problem", "traceId", "retryAfterS", "etag", "documentVersion"}
    of_answers = {"rateLimit", "deprecation", "preferenceApplied", "traceState"}
    shown = set(RefusedTransaction.model_json_schema(mode="serialization")["properties"])
    assert shown == names - own - of_answers | {"transactionStatus"}


@pytest.mark.parametrize("accept", ["application/json", "*/*"])
async def test_real_problems_hold_nothing_else(accept: str) -> None:
    world = World()
    refused = {"code": "rejected-by-erp", "detail": "No.", "errors": [{"field": "f", "message": "m", "remedy": ""}]}
    failures = [
        Problem("has-follow-ups", "No.", extra={"followUpCount": 1, "followUps": [
            {"documentId": "doc_1", "domain": "invoices", "transactionId": None}]}),
        Problem("lineage-spans-systems", "No.", extra={"split": [
            {"field": "orderReference", "lineageId": "lin_1", "systemId": "legacy-main"}]},
            errors=(FieldError("orderReference", "belongs to legacy-main"),)),
        Problem("document-busy", "No.", extra={"busyWithTransactionId": "txn_1", "busyWithStatus": "in_doubt"}),
        Problem("document-closed", "No.", extra={"documentId": "doc_1", "state": "reversed"}),
    ]  # fmt: skip
    bodies = []
    async with world.client(readiness={"record": _never}) as client:
        client.is_described = False
        example = made()["paths"]["/v1/orders"]["post"]["requestBody"]["content"]["application/json"]["examples"]
        headers = world.token() | {"Accept": accept}
        for failure in failures:
            world.line.failure = failure
            bodies.append((await client.post("/v1/orders", json=example["plain"]["value"], headers=headers)).json())
        world.line.failure, world.line.status = None, Status.REJECTED
        world.line.problem = json.dumps(refused)
        bodies.append((await client.post("/v1/orders", json=example["plain"]["value"], headers=headers)).json())
        for method, path in (("GET", "/health/ready"), ("DELETE", "/v1/orders"), ("GET", "/v1/nowhere")):
            bodies.append((await client.request(method, path, headers=headers)).json())
        bodies.append((await client.get("/v1/orders")).json())
    for body in bodies:
        assert body["remedy"]
        assert undeclared(made(), SCHEMA, body) == []
        assert all(one["remedy"] for one in body["errors"]), body


async def _never() -> bool:
    return False
