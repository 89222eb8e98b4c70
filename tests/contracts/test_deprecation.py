"""A deprecated operation says so in its description and in headers of the right form."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from litestar import post

from adapters.canonical import Customer
from gateway.api.answer import Answer
from gateway.api.contract.deprecation import DEPRECATION_HEADERS, Deprecation
from gateway.api.contract.flat import flat_document
from gateway.api.guard import any_scope_of
from gateway.api.limits import Limits
from gateway.api.openapi import describe
from gateway.api.operations import Operation, described
from gateway.api.schemas import LineageAnswer
from tests.contracts.conftest import made

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
OURS = Deprecation(SINCE, SINCE + timedelta(days=365), "`getLineage`", "/docs/deprecated")


def _document(deprecation: Deprecation | None) -> dict[str, Any]:
    access = any_scope_of("documents:read")
    operation = Operation(body=Customer, answers={200: LineageAnswer}, deprecation=deprecation)

    @post("/v1/old", operation_id="sendOld", summary="Old", opt=described(access, operation))
    async def old() -> Answer:
        return Answer(200, b"{}", b"application/json")

    return describe([old], Limits())


def test_the_headers_have_the_form_of_their_standards() -> None:
    headers = {name.decode(): value.decode() for name, value in OURS.headers}
    assert headers["deprecation"] == "@1793491200"
    assert parsedate_to_datetime(headers["sunset"]) == OURS.sunset
    assert headers["sunset"].endswith(" GMT")
    assert re.fullmatch(r'</docs/deprecated>; rel="deprecation"', headers["link"])


def test_the_description_tells_it() -> None:
    operation = _document(OURS)["paths"]["/v1/old"]["post"]
    assert operation["deprecated"] is True
    assert operation["description"].startswith(
        "Deprecated since 2026-11-01, may be gone on 2027-11-01: use `getLineage`. Needs one"
    )
    assert {"Deprecation", "Sunset", "Link"} <= set(operation["responses"]["200"]["headers"])
    flat = flat_document(_document(OURS))["paths"]["/v1/old"]["post"]
    assert flat["deprecated"] is True
    assert flat["description"] == operation["description"]


def test_what_is_not_deprecated_says_nothing_of_it() -> None:
    operation = _document(None)["paths"]["/v1/old"]["post"]
    assert operation["deprecated"] is False
    assert "Deprecation" not in operation["responses"]["200"]["headers"]


@pytest.mark.parametrize(
    "changes",
    [
        {"sunset": SINCE - timedelta(seconds=1)},
        {"since": SINCE.replace(tzinfo=None)},
        {"sunset": datetime(2028, 1, 1, tzinfo=timezone(timedelta(hours=1)))},
        {"link": "https://elsewhere.test"},
        {"link": "/a>b"},
    ],
)
def test_nonsense_is_refused(changes: dict[str, Any]) -> None:
    given = {"since": SINCE, "sunset": OURS.sunset, "instead": "x", "link": "/x", **changes}
    with pytest.raises(ValueError, match=r"UTC|before|address"):
        Deprecation(**given)


def test_the_page_for_operations_tells_how_an_operation_is_withdrawn() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    section = text.partition("## How an operation is withdrawn")[2].partition("\n## ")[0]
    for name in (*DEPRECATION_HEADERS, "`deprecated`", "`x-sunset`", "`deprecation`", *OURS.member):
        assert name in section, name
    paths = made()["paths"].values()
    withdrawn = [one["operationId"] for item in paths for one in item.values() if one.get("deprecated")]
    assert ("None of v1 is today" in section) == (not withdrawn)
