"""What openapi-diff sees of a break, and what only our own rules see."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from tests.contracts.conftest import cut
from tests.contracts.test_breaking import ADDITIONS, BREAKS, Change, Document
from tools.contract.breaking import breaks
from tools.contract.openapi_diff import OpenapiDiffFailed, differences, requests_closed
from tools.node.installation import NodeTools

pytestmark = pytest.mark.timeout(900)  # one process judges all copies in one go

OPENAPI = Path(__file__).parents[2] / "docs" / "openapi"

SEEN_BY_BOTH = {
    "an operation is gone": "method.remove",
    "an address is renamed": "path.remove",
    "an answer's member is gone": "response.body.scope.add",
    "an answer's member is renamed": "response.body.scope.add",
    "an answer's member may be missing": "response.body.scope.add",
    "an answer's type changed": "response.body.scope.add",
    "a request's member is gone": "request.body.scope.remove",
    "a nested request's member is renamed": "request.body.scope.remove",
    "a request's member is required": "request.body.scope.remove",
    "a text must be shorter": "request.body.scope.remove",
    "a status is gone": "response.status-code.remove",
    "a problem's status is gone": "response.status-code.remove",
}
SEEN_BY_OURS_ALONE = (
    "an operation id is renamed",
    "a schema is renamed",
    "one value more in an answer",
    "a filter may say less",
    "a filter is gone",
    "a new parameter is required",
    "a free text is enumerated",
    "a pattern changed",
    "a format changed",
    "a page must be smaller",
    "a body is gone",
)
SAMPLED = {("/v1/orders", "post"), ("/v1/payments", "post"), ("/v1/transactions/{transactionId}", "get")}
HARMLESS = ("a member of an answer", "a required member of an answer", "an optional member of a request")


def _one_value_more(document: Document) -> None:
    document["components"]["schemas"]["RoutedTo"]["properties"]["side"]["enum"].append("both")


CHANGES: dict[str, Change] = {
    **{name: change for name, (_, change) in BREAKS.items()},
    **ADDITIONS,
    "one value more in an answer": _one_value_more,
}
CASES = (*SEEN_BY_BOTH, *SEEN_BY_OURS_ALONE, *HARMLESS)

Judged = dict[str, tuple[set[str], set[str]]]


@pytest.fixture(scope="module")
def judged(installed: NodeTools) -> Judged:
    """For each change (the rules of ours that see it, the codes of openapi-diff)."""
    released = cut(flat=True)
    touched = (("/v1/orders", "post"), ("/v1/transactions", "get"))
    released["paths"] = {path: {method: released["paths"][path][method]} for path, method in touched}
    # The flat document has no enumeration in an answer, for the very reason that is tried here.
    released["components"]["schemas"]["RoutedTo"]["properties"]["side"]["enum"] = ["legacy", "cloud"]
    changed = {}
    for name in CASES:
        changed[name] = copy.deepcopy(released)
        CHANGES[name](changed[name])
    theirs = differences(installed, released, list(changed.values()))
    return {
        name: ({one.rule for one in breaks(released, document)}, {one.rule for one in found})
        for (name, document), found in zip(changed.items(), theirs, strict=True)
    }


@pytest.mark.parametrize(("name", "code"), SEEN_BY_BOTH.items(), ids=list(SEEN_BY_BOTH))
def test_both_see_it(name: str, code: str, judged: Judged) -> None:
    ours, theirs = judged[name]
    assert ours
    assert code in theirs


@pytest.mark.parametrize("name", SEEN_BY_OURS_ALONE)
def test_only_our_own_rules_see_it(name: str, judged: Judged) -> None:
    ours, theirs = judged[name]
    assert ours
    assert theirs == set(), "openapi-diff has learnt something: move the case up"


@pytest.mark.parametrize("name", HARMLESS)
def test_both_let_it_pass(name: str, judged: Judged) -> None:
    assert judged[name] == (set(), set())


def test_nothing_that_is_released_is_broken(installed: NodeTools) -> None:
    """A sample of it: its time grows with the product of sizes; our own rules compare the whole documents."""
    released, present = (
        _answers_of_success(json.loads((OPENAPI / name).read_text(encoding="utf-8")))
        for name in ("released/v1-salesforce.json", "openapi-salesforce.json")
    )
    assert [str(one) for one in differences(installed, released, [present])[0]] == []


def _answers_of_success(document: Document) -> Document:
    paths = {
        path: {
            method: body | {"responses": {name: one for name, one in body["responses"].items() if name[0] == "2"}}
            for method, body in document["paths"][path].items()
            if (path, method) in SAMPLED
        }
        for path, _ in SAMPLED
    }
    return document | {"paths": paths}


def test_a_document_that_it_does_not_read_is_no_clean_bill(document: Document, installed: NodeTools) -> None:
    with pytest.raises(OpenapiDiffFailed, match=r"Unsupported OpenAPI version: 3\.1"):
        differences(installed, document, [document])


def test_requests_are_closed_and_answers_stay_open(flat: Document) -> None:
    schemas = requests_closed(flat)["components"]["schemas"]
    assert schemas["OrderRequest"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["TransactionAnswer"]
    assert "additionalProperties" not in flat["components"]["schemas"]["OrderRequest"]
