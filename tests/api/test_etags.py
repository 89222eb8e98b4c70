"""The ETag of a document: what it names, and 304 for a copy that still holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.transaction import ENDS, Status
from gateway.errors import StoreUnavailable
from tests.api.conftest import HttpClient, World
from tests.api.fakes import an_id, transaction

PATH = "/v1/orders/" + an_id("doc", 1)


def _stands(world: World, status: Status = Status.POSTED, **changes: Any) -> None:
    world.reads.__init__()  # type: ignore[misc]
    world.reads.hold(transaction(1, status=status))
    world.reads.documents_held[0] = replace(world.reads.documents_held[0], **changes)


async def _tag(client: HttpClient, world: World) -> str:
    answer = await client.get(PATH, headers=world.token())
    assert answer.headers["etag"] == f'"{answer.json()["etag"]}"'
    return str(answer.json()["etag"])


async def test_a_document_at_rest_is_named_by_its_version(client: HttpClient, world: World) -> None:
    _stands(world, version=3)
    answer = await client.get(PATH, headers=world.token())
    body = answer.json()
    assert (answer.headers["etag"], body["etag"], body["version"]) == ('"v3"', "v3", 3)
    assert (body["state"], body["busyWithTransactionId"]) == ("active", None)


@pytest.mark.parametrize("status", [Status.WAITING, Status.HELD, Status.POSTED])
async def test_the_tag_of_any_answer_can_be_demanded(client: HttpClient, world: World, status: Status) -> None:
    """An order that is held can be called off by who has read it."""
    _stands(world, status)
    tag = await _tag(client, world)
    body = {"reason": "too late", "ifMatch": tag, "idempotencyKey": "k"}
    assert (await client.post(f"{PATH}/cancel", json=body, headers=world.token())).status_code == 200
    assert world.line.operations_seen[0].if_match == "v1"


async def test_a_tag_from_before_something_happened_cannot(client: HttpClient, world: World) -> None:
    _stands(world, Status.WAITING)
    tag = await _tag(client, world)
    _stands(world, Status.DISPATCHED)
    await client.post(
        f"{PATH}/cancel", json={"reason": "r", "ifMatch": tag, "idempotencyKey": "k"}, headers=world.token()
    )
    assert world.line.operations_seen[0].if_match == tag, "which is no version, so the line refuses it as stale"


async def test_while_something_happens_to_it_the_tag_follows_all_of_it(client: HttpClient, world: World) -> None:
    """A 304 that rested on the version alone would hide that the document was posted."""
    seen = set()
    for status in sorted(set(Status) - ENDS):
        _stands(world, status)
        seen.add(await _tag(client, world))
    for busy_with in (an_id("txn", 8), an_id("txn", 9)):
        _stands(world, busy_with=busy_with)
        seen.add(await _tag(client, world))
    _stands(world)
    seen.add(await _tag(client, world))
    assert len(seen) == len(set(Status) - ENDS) + 3
    assert all(one == "v1" or one.startswith("v1.") for one in seen)


async def test_the_same_answer_has_the_same_tag(client: HttpClient, world: World) -> None:
    _stands(world, Status.WAITING)
    assert await _tag(client, world) == await _tag(client, world)


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ('"v1"', 304),
        ('W/"v1"', 304),
        ('"v0", "v1"', 304),
        ("*", 304),
        ('"v2"', 200),
        ('"v1.0123abcd"', 200),
        ("v1", 400),
        ('"v1', 400),
    ],
)
async def test_copies_that_hold(client: HttpClient, world: World, condition: str, code: int) -> None:
    _stands(world)
    answer = await client.get(PATH, headers=world.token() | {"If-None-Match": condition})
    assert answer.status_code == code
    if code == 304:
        assert answer.headers["etag"] == '"v1"'
        assert answer.content == b""
        assert "content-type" not in answer.headers
        assert "content-length" not in answer.headers


async def test_a_copy_from_before_it_was_posted_does_not_hold(client: HttpClient, world: World) -> None:
    _stands(world, Status.DISPATCHED)
    before = await _tag(client, world)
    _stands(world)
    answer = await client.get(PATH, headers=world.token() | {"If-None-Match": f'"{before}"'})
    assert (answer.status_code, answer.json()["status"]) == (200, "posted")


async def test_no_tag_tells_of_what_is_not_visible(client: HttpClient, world: World) -> None:
    _stands(world)
    answer = await client.get("/v1/invoices/" + an_id("doc", 1), headers=world.token() | {"If-None-Match": "*"})
    assert answer.status_code == 404


async def test_what_a_change_answers_is_what_the_next_one_demands(client: HttpClient, world: World) -> None:
    _stands(world)
    body = {"quoteReference": "Q", "ifMatch": "v1", "idempotencyKey": "k"}
    answer = await client.patch(PATH, json=body, headers=world.token())
    assert (answer.json()["etag"], answer.json()["documentVersion"], answer.headers["etag"]) == ("v2", 2, '"v2"')
    world.line.replayed = True
    again = await client.patch(PATH, json=body, headers=world.token())
    assert (again.json()["etag"], "etag" in again.headers) == ("v2", False), "the document may have gone on since"


async def test_what_a_submission_answers(client: HttpClient, world: World, order: Any) -> None:
    answer = await client.post("/v1/orders", json=order, headers=world.token())
    assert (answer.status_code, answer.json()["etag"], answer.headers["etag"]) == (201, "v1", '"v1"')
    world.line.replayed = True
    again = await client.post("/v1/orders", json=order, headers=world.token())
    assert (again.json()["etag"], again.json()["documentVersion"], "etag" in again.headers) == ("v1", 1, False)


@pytest.mark.parametrize("status", [Status.DISPATCHED, Status.CANCELLED])
async def test_what_made_no_version_names_none(client: HttpClient, world: World, status: Status) -> None:
    _stands(world)
    world.line.status = status
    body = {"reason": "r", "ifMatch": "v1", "idempotencyKey": "k"}
    answer = await client.post(f"{PATH}/cancel", json=body, headers=world.token())
    assert answer.status_code < 300
    assert {"etag", "documentVersion"}.isdisjoint(answer.json())


async def test_a_cancellation_tells_the_version_in_a_header_too(client: HttpClient, world: World) -> None:
    """That of the document that Location names, so that whoever goes on with it needs no look at it first."""
    _stands(world)
    answer = await client.post(f"{PATH}/cancel", json={"reason": "r", "idempotencyKey": "k"}, headers=world.token())
    assert (answer.json()["etag"], answer.headers["etag"]) == ("v2", '"v2"')
    assert answer.headers["location"] == PATH


async def test_a_transaction_tells_the_version_that_it_made(client: HttpClient, world: World) -> None:
    world.reads.__init__()  # type: ignore[misc]
    for number, changes in enumerate(
        ({}, {"operation": "change"}, {"operation": "change", "status": Status.REJECTED}), start=1
    ):
        world.reads.hold(transaction(number, **changes))
    bodies = [
        (await client.get(f"/v1/transactions/{an_id('txn', number)}", headers=world.token())).json()
        for number in (1, 2, 3)
    ]
    assert [one.get("etag") for one in bodies] == ["v1", "v2", None]


async def test_what_is_done_does_not_fail_for_its_version(client: HttpClient, world: World) -> None:
    """The database goes away between the commit and the answer: the change is done all the same."""
    _stands(world)

    async def gone(trace: str) -> Any:
        raise StoreUnavailable("gone")

    world.reads.entries = gone  # type: ignore[method-assign]
    try:
        body = {"quoteReference": "Q", "ifMatch": "v1", "idempotencyKey": "k"}
        answer = await client.patch(PATH, json=body, headers=world.token())
    finally:
        del world.reads.entries
    assert (answer.status_code, answer.json()["status"], answer.json().get("etag")) == (200, "posted", None)
