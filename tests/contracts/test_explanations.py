"""Real explanations of the sample rulebook hold their schema, and say nothing that it does not name."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.api.examples import ROUTING
from gateway.api.wording import explanation_in_wire_words
from gateway.domain.facts import wire_members
from routing_rules import Facts, Row, Rulebook, decide, load_rulebook
from tests.api.conftest import World
from tests.contracts.conftest import made
from tests.contracts.json_schema import Validator
from tests.contracts.undeclared import undeclared

TABLES = Path(__file__).parents[2] / "routing_rules" / "tables"
SCHEMA = {"$ref": "#/components/schemas/RoutingExplanation"}
OF_PROBLEMS = {"$ref": "#/components/schemas/DecisionExplanation"}


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load_rulebook(TABLES)


def _with_rows(book: Rulebook, *rows: Row) -> Rulebook:
    return replace(book, tables={**book.tables, "orders": replace(book.table("orders"), rows=rows)})


def _books(book: Rulebook) -> dict[str, Rulebook]:
    """The sample; without the row that takes what no other one does; with two rows that contradict each other; with a
    cutover date."""
    rows = book.table("orders").rows
    west = book.table("orders").row("o-west")
    dated = replace(west, outcome=replace(west.outcome, cutover_date=date(2026, 12, 1)))
    twin = replace(book.table("orders").row("o-west"), id="o-twin", outcome=book.table("orders").row("o-base").outcome)
    return {
        "decision": book,
        "gap": _with_rows(book, *(one for one in rows if one.id != "o-base")),
        "conflict": _with_rows(book, *rows, twin),
        "dated": _with_rows(book, *(one for one in rows if one.id != "o-west"), dated),
    }


WEST = Facts(domain="orders", operation="create", business_unit="Western", geography="US")
EAST = Facts(
    domain="orders", operation="create", business_unit="Eastern", geography="DE", company_code="NW01",
    document_type="standard_order", customer_segment="vip", amount=Decimal("440.00"), currency="USD",
    posting_date=date(2026, 11, 23), share_key="doc_1", root_external_id="10258",
)  # fmt: skip
CASES = {
    "live": ("decision", WEST),
    "pilot": ("decision", EAST),
    "pilot without a key": ("decision", replace(EAST, share_key=None, root_external_id=None)),
    "large": ("decision", replace(EAST, amount=Decimal("9000.00"))),
    "a master": ("decision", Facts(domain="customers", operation="create")),
    "no row": ("gap", replace(WEST, business_unit="Northern")),
    "two rows": ("conflict", WEST),
    "before the cutover": ("dated", replace(WEST, posting_date=date(2026, 11, 30))),
}


@pytest.mark.parametrize("name", CASES)
def test_an_explanation_is_described(book: Rulebook, name: str, flat: dict[str, Any]) -> None:
    result, facts = CASES[name]
    body = wire_members(decide(_books(book)[result], facts).explanation.as_json())
    assert body["result"] == ("decision" if result == "dated" else result)
    told = explanation_in_wire_words(body)
    assert undeclared(made(), OF_PROBLEMS, told) == []
    for document in (made(), flat):
        assert Validator(document).complaints(told, OF_PROBLEMS) == []
        assert Validator(document).complaints(told | {"activationNumber": 1}, SCHEMA) == []
    text = json.dumps({**told, "matched": None})  # the rows' notes are people's words
    assert not re.search(r"business_unit|company_code|document_type|posting_date|customer_segment", text), text


def test_every_part_of_an_explanation_was_seen(book: Rulebook) -> None:
    """So that no shape is held by nothing but nulls."""
    seen: set[str] = set()
    for result, facts in CASES.values():
        body = wire_members(decide(_books(book)[result], facts).explanation.as_json())
        seen |= {name for name, value in body.items() if value}
    assert seen >= set(made()["components"]["schemas"]["DecisionExplanation"]["properties"]) - {"overlay"}


def test_the_example_is_what_the_sample_rulebook_answers(book: Rulebook) -> None:
    told = explanation_in_wire_words(wire_members(decide(book, WEST).explanation.as_json()))
    assert {name: one for name, one in ROUTING.items() if name in told} == told | {
        "tableVersion": ROUTING["tableVersion"]
    }
    assert set(ROUTING) - set(told) == {"activationNumber", "traceId", "rateLimit"}


async def test_the_answer_of_the_application() -> None:
    world = World()
    async with world.client() as client:
        answer = await client.get("/v1/routing/explain?domain=orders&businessUnit=Western", headers=world.token())
    assert answer.status_code == 200
    assert undeclared(made(), SCHEMA, answer.json()) == []
