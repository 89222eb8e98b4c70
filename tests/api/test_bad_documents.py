"""Documents that are JSON and not valid: each complaint names the member and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import World


def _without(order: Any, *path: Any) -> Any:
    inner = order
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return order


def _with(order: Any, value: Any, *path: Any) -> Any:
    inner = order
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return order


DOCUMENTS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "missing": (lambda one: _without(one, "postingDate"), "postingDate", "is missing"),
    "missing inside": (
        lambda one: _without(one, "lines", 0, "quantity", "value"),
        "lines[0].quantity.value",
        "missing",
    ),
    "unknown": (lambda one: _with(one, 1, "color"), "color", "not a member that is known"),
    "unknown inside": (lambda one: _with(one, 1, "lines", 0, "color"), "lines[0].color", "not a member"),
    "snake case": (lambda one: _with(_without(one, "companyCode"), "1000", "company_code"), "companyCode", "missing"),
    "number for an amount": (lambda one: _with(one, 13.0, "lines", 0, "unitPrice"), "lines[0].unitPrice", "decimal"),
    "negative": (lambda one: _with(one, "-1", "lines", 0, "unitPrice"), "lines[0].unitPrice", "non-negative"),
    "exponent": (lambda one: _with(one, "1e3", "lines", 0, "unitPrice"), "lines[0].unitPrice", "exponent"),
    "text for a number": (lambda one: _with(one, "10", "lines", 0, "lineNumber"), "lines[0].lineNumber", "integer"),
    "number out of range": (lambda one: _with(one, 0, "lines", 0, "lineNumber"), "lines[0].lineNumber", "less than 1"),
    "snake case beside": (
        lambda one: _with(_without(one, "externalId"), "SO-1", "external_id"),
        "external_id",
        "is not a member that is known here",
    ),
    "a fraction": (lambda one: _with(one, 10.5, "lines", 0, "lineNumber"), "lines[0].lineNumber", "integer"),
    "no date": (lambda one: _with(one, "yesterday", "postingDate"), "postingDate", "is not a date"),
    "a day that is none": (lambda one: _with(one, "2026-02-30", "postingDate"), "postingDate", "is not a date"),
    "date with a time": (lambda one: _with(one, "2026-11-23T10:00:00", "postingDate"), "postingDate", "date"),
    "currency that is none": (lambda one: _with(one, "ZZZ", "currencyCode"), "currencyCode", "ISO 4217"),
    "currency form": (lambda one: _with(one, "eur", "currencyCode"), "currencyCode", "form"),
    "node with a dot": (lambda one: _with(one, "re.tail", "businessUnit"), "businessUnit", "form"),
    "line feed at the end": (lambda one: _with(one, "DE\n", "geography"), "geography", "form"),
    "long external id": (lambda one: _with(one, "x" * 65, "externalId"), "externalId", "longer than 64"),
    "no lines": (lambda one: _with(one, [], "lines"), "lines", "fewer than 1"),
    "many lines": (lambda one: _with(one, one["lines"] * 1_001, "lines"), "lines", "more than 1000"),
    "no object": (lambda one: _with(one, "x", "totals"), "totals", "not an object"),
    "no list": (lambda one: _with(one, {}, "lines"), "lines", "not a list"),
    "another value": (lambda one: _with(one, "quote", "documentType"), "documentType", "known here"),
    "two names": (
        lambda one: _with(one, {"externalId": "a", "documentId": "doc_" + "0" * 26}, "customer"),
        "customer",
        "exactly one",
    ),
    "line number twice": (lambda one: _with(one, one["lines"] * 2, "lines"), "lines[1].lineNumber", "used twice"),
    "line of another unit": (
        lambda one: _with(one, "wholesale", "lines", 0, "businessUnit"),
        "lines[0].businessUnit",
        "differs",
    ),
    "too many decimals": (
        lambda one: _with(one, "26.001", "lines", 0, "netAmount"),
        "lines[0].netAmount",
        "more than 2 decimals",
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_invalid_documents(world: World, submit: Callable[..., Any], order: Any, name: str) -> None:
    change, field, said = DOCUMENTS[name]
    answer = await submit(change(order))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid-document"), problem
    complaint = next(one for one in problem["errors"] if one["field"] == field)
    assert said in complaint["message"]
    assert complaint["remedy"]
    if len(problem["errors"]) == 1:
        assert problem["detail"].startswith(field), "the member as the caller spelt it"
    # a list is not called too short because what it holds is wrong
    if field.startswith("lines["):
        assert all("fewer than" not in one["message"] for one in problem["errors"])
    for prose in ("Value error", "Input should", "pydantic", "Traceback"):
        assert prose not in answer.text
    assert world.line.seen == []


async def test_a_number_without_a_fraction_is_an_integer(world: World, submit: Callable[..., Any], order: Any) -> None:
    """JSON has one kind of number, and JSON Schema takes 10.0 for an integer."""
    answer = await submit(_with(order, 10.0, "lines", 0, "lineNumber"))
    assert answer.status_code == 201
    number = world.line.seen[0].document.lines[0].line_number
    assert (number, type(number)) == (10, int)


TOTALS = {
    "line": (("26.02", "lines", 0, "netAmount"), "lines[0].netAmount"),
    "tax": (("5.00", "lines", 0, "tax", "amount"), "lines[0].tax.amount"),
    "net": (("25.99", "totals", "netAmount"), "totals.netAmount"),
    "gross": (("31.94", "totals", "grossAmount"), "totals.grossAmount"),
}


@pytest.mark.parametrize("name", TOTALS)
async def test_totals_that_disagree(submit: Callable[..., Any], order: Any, name: str) -> None:
    change, field = TOTALS[name]
    answer = await submit(_with(order, *change))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "totals-disagree")
    assert problem["errors"][0]["field"] == field
    assert problem["errors"][0]["remedy"]


async def test_the_number_of_complaints_is_bounded(submit: Callable[..., Any], order: Any) -> None:
    answer = await submit(order | {f"x{number}": 1 for number in range(500)})
    assert len(answer.json()["errors"]) == 20
    assert "499 more" in answer.json()["detail"]
