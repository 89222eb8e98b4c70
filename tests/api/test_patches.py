"""What a change may name: a merge patch of the members that can be changed, read as strictly as a document."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.transactions.commands import Change
from tests.api.conftest import HttpClient, World
from tests.api.fakes import an_id, transaction

DOC = an_id("doc", 1)
KEY = {"Idempotency-Key": "k-1"}


@pytest.fixture
def held(world: World) -> World:
    """An order."""
    world.reads.hold(transaction(1))
    return world


PATCHES: dict[str, tuple[Any, str, str]] = {
    "nothing": ({}, "", "names no member"),
    "its external id": ({"externalId": "SO-2"}, "externalId", "cannot be changed"),
    "its place": ({"geography": "FR"}, "geography", "cannot be changed"),
    "its customer": ({"customer": {"externalId": "ACC-2"}}, "customer", "cannot be changed"),
    "a required member taken away": ({"postingDate": None}, "postingDate", "is not a date"),
    "an unknown member inside": ({"shipTo": {"planet": "Mars"}}, "shipTo.planet", "not a member that is known"),
    "a wrong value inside": ({"shipTo": {"countryCode": "XX"}}, "shipTo.countryCode", "ISO 3166"),
    "a line that is half there": ({"lines": [{"lineNumber": 10}]}, "lines[0].product", "is missing"),
    "no lines": ({"lines": []}, "lines", "fewer than 1"),
    "a number for an amount": ({"totals": {"netAmount": 39}}, "totals.netAmount", "decimal string"),
    "Python's name": ({"posting_date": "2026-12-01"}, "posting_date", "not a member that is known"),
}


@pytest.mark.parametrize("name", PATCHES)
async def test_patches_that_are_refused(client: HttpClient, held: World, name: str) -> None:
    body, field, said = PATCHES[name]
    answer = await client.patch(f"/v1/orders/{DOC}", json=body | {"ifMatch": "v1"}, headers=held.token() | KEY)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid-document"), problem
    assert said in (problem["detail"] if not field else problem["errors"][0]["message"])
    assert field == "" or problem["errors"][0]["field"] == field
    assert problem["remedy"]
    assert held.line.operations_seen == []


@pytest.mark.parametrize(
    "patch",
    [
        {"shipTo": {"city": "Potsdam"}},
        {"shipTo": {"city": None}},
        {"shipTo": None, "freight": None},
        {"totals": {"netAmount": "39.00"}},
        {"requestedDeliveryDate": "2026-12-24"},
    ],
)
async def test_patches_go_into_objects(client: HttpClient, held: World, patch: Any) -> None:
    answer = await client.patch(f"/v1/orders/{DOC}", json=patch | {"ifMatch": "v1"}, headers=held.token() | KEY)
    assert answer.status_code == 200, answer.text
    command = held.line.operations_seen[0]
    assert isinstance(command, Change)
    assert command.patch == patch
