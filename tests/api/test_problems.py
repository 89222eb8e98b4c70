"""One table of problems; the same body for every caller; never a stack trace or a library's prose."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.api.operations import OPERATION
from gateway.api.payments import EXAMPLE
from gateway.api.problems import KINDS
from gateway.app import routes
from gateway.auth import KeysUnavailable
from gateway.domain.caller import DataScope
from gateway.domain.transaction import Status
from gateway.errors import CommitUnknown, FieldError, Problem, StoreUnavailable
from routing_rules import DomainNotServed, UnknownNode
from tests.api.conftest import HttpClient, World
from tests.api.fakes import WAIT, a_problem

WORDS = """invalid-document totals-disagree unknown-node unknown-reference domain-not-served no-rule
missing-idempotency-key idempotency-key-reused in-flight natural-key-conflict lineage-spans-systems lineage-closed
parent-rejected duplicate-master document-busy document-closed has-follow-ups operation-not-served
precondition-required policy-check-failed frozen paused rejected-by-erp erp-unavailable out-of-scope
unauthenticated forbidden rate-limited too-large not-found stale not-ready""".split()
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "remedy", "errors", "traceId", "retryAfterS"}
MEMBERS |= {"rateLimit"}


def test_the_contract_is_in_the_table() -> None:
    assert set(WORDS) <= set(KINDS)
    for slug, kind in KINDS.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", slug)
        assert 400 <= kind.status < 600
        assert kind.title
        assert kind.remedy.endswith(".")


def _raised(folder: str) -> Iterator[tuple[Path, str | None]]:
    """File and slug of every Problem that is made below a folder; None for a slug that is no plain text."""
    for file in (Path(__file__).parents[2] / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Problem":
                first = node.args[0] if node.args else None
                for one in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
                    yield file, one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else None


def test_no_slug_is_raised_that_the_table_lacks() -> None:
    found = list(_raised("gateway"))
    assert {slug for _, slug in found if slug is not None} <= set(KINDS)
    # Made from what was recorded, where a slug of an older version becomes rejected-by-erp.
    # And passed on, told of the member in which it lies.
    assert {file.name for file, slug in found if slug is None} == {"outcome.py", "complaints.py"}
    assert len(found) > 40


def test_recorded_refusals_have_slugs_of_the_table() -> None:
    root = Path(__file__).parents[2] / "gateway" / "transactions"
    codes = {one for file in root.glob("*.py") for one in re.findall(r'"code": "([a-z-]+)"', file.read_text())}
    assert codes
    assert codes <= set(KINDS)


def test_what_the_line_refuses_is_declared(world: World) -> None:
    parts = world.parts()
    declared = {
        slug
        for handler in routes(parts)
        if handler.opt[OPERATION].body is not None
        for slug in (*handler.opt[OPERATION].problems, "invalid-request")
    }
    assert {slug for _, slug in _raised("gateway/transactions")} <= declared


@pytest.mark.parametrize("slug", KINDS)
async def test_every_problem_of_the_line(
    world: World, submit: Callable[..., Any], client: HttpClient, order: Any, slug: str
) -> None:
    world.line.failure = a_problem(slug)
    client.is_described = False
    answer = await submit(order)
    problem, kind = answer.json(), KINDS[slug]
    assert set(problem) == MEMBERS
    assert answer.status_code == problem["status"] == kind.status
    assert answer.headers["content-type"] == "application/problem+json"
    if kind.status in WAIT:
        assert answer.headers["retry-after"] == str(problem["retryAfterS"]) == "7"
    assert (problem["code"], problem["type"]) == (slug, f"/problems/{slug}")
    assert (problem["title"], problem["remedy"], problem["detail"]) == (kind.title, kind.remedy, "Because.")
    assert problem["instance"] == "/v1/orders"
    assert problem["traceId"] == answer.headers["traceparent"][3:35]
    page = await client.get(problem["type"])
    told = {"code": slug, "title": kind.title, "status": kind.status, "remedy": kind.remedy}
    assert page.json() == told | {"traceId": page.headers["traceparent"][3:35], "rateLimit": None}


async def test_no_page_for_other_slugs(client: HttpClient) -> None:
    answer = await client.get("/problems/nonsense")
    assert answer.status_code == 404
    assert "frozen" in answer.json()["remedy"]


async def test_extensions_and_complaints(world: World, submit: Callable[..., Any], order: Any) -> None:
    world.line.failure = Problem(
        "frozen",
        "Until Monday.",
        remedy="Wait.",
        errors=(FieldError("postingDate", "is in the window", "Move it."),),
        extra={"windowId": "w1", "status": 200, "transactionId": "txn_1"},
    )
    problem = (await submit(order)).json()
    assert (problem["windowId"], problem["transactionId"], problem["remedy"]) == ("w1", "txn_1", "Wait.")
    assert problem["status"] == 409, "an extension cannot change what a problem is"
    assert problem["errors"] == [{"field": "postingDate", "message": "is in the window", "remedy": "Move it."}]


EXCEPTIONS: dict[str, tuple[Exception, int, str]] = {
    "store": (StoreUnavailable("secret path /var/x"), 503, "not-ready"),
    "commit": (CommitUnknown("secret path /var/x"), 503, "not-ready"),
    "keys": (KeysUnavailable("secret path /var/x"), 503, "not-ready"),
    "node": (UnknownNode("business_unit", "x"), 422, "unknown-node"),
    "domain": (DomainNotServed("x"), 422, "domain-not-served"),
    "defect": (KeyError("secret path /var/x"), 500, "internal-error"),
    "slug that nobody knows": (Problem("no-such-slug", "secret path /var/x"), 500, "internal-error"),
}


@pytest.mark.parametrize("name", EXCEPTIONS)
async def test_exceptions(
    world: World, submit: Callable[..., Any], order: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.line.failure, status, slug = EXCEPTIONS[name]
    answer = await submit(order)
    assert (answer.status_code, answer.json()["code"]) == (status, slug)
    for leak in ("secret", "Traceback", "KeyError", ".py"):
        assert leak not in answer.text
    if status == 503:
        assert int(answer.headers["retry-after"]) == answer.json()["retryAfterS"] > 0


async def test_the_unknown_node_is_named_in_wire_words(world: World, submit: Callable[..., Any], order: Any) -> None:
    world.line.failure = UnknownNode("business_unit", "x")
    assert (await submit(order)).json()["errors"][0]["field"] == "businessUnit"


ACCEPTS = {
    None: "application/problem+json",
    "*/*": "application/problem+json",
    "application/*": "application/problem+json",
    "application/problem+json": "application/problem+json",
    "application/json, application/problem+json": "application/problem+json",
    "application/json, */*": "application/problem+json",
    "application/json": "application/json",
    "Application/JSON; charset=utf-8": "application/json",
    "application/json, text/html": "application/json",
    "application/json, application/problem+json;q=0": "application/json",
    "text/html": "application/problem+json",
}


async def _every_refusal(world: World, client: HttpClient, accept: dict[str, str]) -> dict[int, Any]:
    token, large = world.token(), {"X-Much": "y" * 20_000}
    world.line.failure = KeyError("x")
    return {
        401: await client.get("/v1/orders", headers=accept),
        404: await client.get("/nope", headers=accept),
        405: await client.delete("/v1/orders", headers=accept),
        413: await client.get("/health/live", headers=accept | large),
        415: await client.post("/v1/orders", content=b"x", headers={"content-type": "text/plain", **accept, **token}),
        400: await client.get("/v1/orders?x=1", headers=accept | token),
        403: await client.get("/metrics", headers=accept | world.token("documents:read")),
        500: await client.post("/v1/payments", json=EXAMPLE, headers=accept | token),
    }


@pytest.mark.parametrize("accept", ACCEPTS)
async def test_media_type_of_problems(world: World, client: HttpClient, accept: str | None) -> None:
    client.headers.pop("accept", None)
    headers = {} if accept is None else {"Accept": accept}
    for status, answer in (await _every_refusal(world, client, headers)).items():
        assert answer.status_code == status
        assert answer.headers["content-type"] == ACCEPTS[accept], status
        assert set(answer.json()) >= MEMBERS
        assert answer.headers["cache-control"] == "no-store"


async def test_members_are_called_as_on_the_wire(world: World, submit: Callable[..., Any], order: Any) -> None:
    """Rules and models speak of them by Python's names; what stands in quotation marks is the caller's own."""
    said = "business_unit 'posting_date' is not in the rulebook; lines[0].net_amount of journal_entries in_doubt"
    heard = "businessUnit 'posting_date' is not in the rulebook; lines[0].netAmount of journal_entries in_doubt"
    error = FieldError("businessUnit", said, "give another business_unit")
    world.line.failure = Problem("unknown-node", said, remedy="give another business_unit", errors=(error,))
    body = (await submit(order)).json()
    assert (body["detail"], body["errors"][0]["message"]) == (heard, heard)
    assert body["remedy"] == body["errors"][0]["remedy"] == "give another businessUnit"


async def test_every_field_error_has_a_remedy(
    world: World, client: HttpClient, submit: Callable[..., Any], order: Any
) -> None:
    unnamed = (FieldError("orderReference", "belongs to legacy-main"),)
    world.line.failure = Problem("lineage-spans-systems", "No.", remedy="Split it.", errors=unnamed)
    assert (await submit(order)).json()["errors"][0]["remedy"] == "Split it."
    world.line.failure = Problem("lineage-spans-systems", "No.", errors=unnamed)
    assert (await submit(order)).json()["errors"][0]["remedy"] == KINDS["lineage-spans-systems"].remedy
    world.line.failure = None
    nobody = world.token(data=DataScope(frozenset(), frozenset()))
    for path in ("/v1/orders?geography=atlantis", "/v1/routing/explain?domain=orders&geography=DE"):
        errors = (await client.get(path, headers=nobody)).json()["errors"]
        assert errors
        assert all(one["remedy"] for one in errors)


async def test_the_refusal_of_a_kept_transaction_has_remedies_too(
    world: World, submit: Callable[..., Any], order: Any
) -> None:
    world.line.status = Status.REJECTED
    recorded = {"code": "unknown-reference", "detail": "No.", "errors": [{"field": "f", "message": "m", "remedy": ""}]}
    world.line.problem = json.dumps(recorded)
    body = (await submit(order)).json()
    assert body["errors"] == [{"field": "f", "message": "m", "remedy": KINDS["unknown-reference"].remedy}]
