"""All seven domains have addresses; one that the rulebook does not serve says so."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from adapters.canonical import DOMAINS
from adapters.port import Operation
from gateway.api.domains import RESOURCES
from gateway.api.examples import CANCELLATION, REVERSAL
from gateway.api.resources import Resource
from tests.api.conftest import World
from tests.api.fakes import an_id, transaction
from tests.api.rules import rulebook


def test_every_domain_is_a_resource() -> None:
    assert {one.domain for one in RESOURCES} == set(DOMAINS)
    assert all(DOMAINS[one.domain] is one.model for one in RESOURCES)
    assert len({one.name.lower() for one in RESOURCES} | {one.plural.lower() for one in RESOURCES}) == 14


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.domain)
async def test_a_domain_that_is_not_served(world: World, resource: Resource) -> None:
    """422 and not 404: the address is right, the rulebook has no table. What is on record can be read all the same."""
    others = tuple(domain for domain in DOMAINS if domain != resource.domain)
    world.reads.hold(transaction(1, domain=resource.domain))
    path, token = f"/v1/{resource.domain}/{an_id('doc', 1)}", world.token()
    asked: dict[Operation, tuple[str, str, Any]] = {
        Operation.CREATE: ("POST", f"/v1/{resource.domain}", resource.example),
        Operation.CHANGE: ("PATCH", path, resource.change),
        Operation.CANCEL: ("POST", f"{path}/cancel", CANCELLATION),
        Operation.REVERSE: ("POST", f"{path}/reverse", REVERSAL),
    }
    book = rulebook(others)
    async with world.client(rulebook=lambda: book) as client:
        for operation in resource.operations:
            method, address, body = asked[operation]
            answer = await client.request(method, address, json=copy.deepcopy(dict(body)), headers=token)
            assert (answer.status_code, answer.json()["code"]) == (422, "domain-not-served"), operation
        assert (await client.get(path, headers=token)).status_code == 200
        assert (await client.get(f"/v1/{resource.domain}", headers=token)).status_code == 200
    assert world.line.seen == []
    assert world.line.operations_seen == []
