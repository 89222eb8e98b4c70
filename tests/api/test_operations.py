"""Changing, calling off and reversing a document that is there: from the body to the line, and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.port import Operation
from gateway.api.domains import RESOURCES
from gateway.api.examples import CANCELLATION, REVERSAL
from gateway.api.resources import Resource
from gateway.domain.caller import DataScope
from gateway.domain.plan import CALLED_OFF, SERVED
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.transactions.commands import Cancel, Change, Reverse
from tests.api.conftest import HttpClient, World
from tests.api.fakes import an_id, transaction

DOC = an_id("doc", 1)
KEY = {"Idempotency-Key": "k-1"}
MERGE_PATCH = "application/merge-patch+json"
METHODS = {
    Operation.CHANGE: ("PATCH", ""),
    Operation.CANCEL: ("POST", "/cancel"),
    Operation.REVERSE: ("POST", "/reverse"),
}
EVERY = [(resource, one) for resource in RESOURCES for one in resource.operations if one is not Operation.CREATE]
EVERY += [(resource, Operation.CANCEL) for resource in RESOURCES if resource.only_called_off]


def _body(resource: Resource, operation: Operation) -> dict[str, Any]:
    bodies = {Operation.CHANGE: resource.change, Operation.CANCEL: CANCELLATION, Operation.REVERSE: REVERSAL}
    return dict(bodies[operation] or {})


@pytest.fixture
def held(world: World) -> World:
    """One document of each domain, all under one id: the reads find the first, so each test holds its own."""
    world.reads.hold(transaction(1))
    return world


def _hold(world: World, domain: str, **changes: Any) -> None:
    world.reads.hold(transaction(1, domain=domain))
    world.reads.documents_held[-1] = replace(world.reads.documents_held[-1], **changes)


@pytest.mark.parametrize(("resource", "operation"), EVERY, ids=lambda one: getattr(one, "domain", one))
async def test_done(client: HttpClient, world: World, resource: Resource, operation: Operation) -> None:
    _hold(world, resource.domain)
    method, tail = METHODS[operation]
    path, body = f"/v1/{resource.domain}/{DOC}", _body(resource, operation)
    answer = await client.request(method, path + tail, json=body, headers=world.token("documents:submit"))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["operation"], found["status"], found["documentUrl"]) == (operation.value, "posted", path)
    assert answer.headers["location"] == path
    command = world.line.operations_seen[0]
    assert type(command) is {"change": Change, "cancel": Cancel, "reverse": Reverse}[operation.value]
    assert (command.domain, command.document_id) == (resource.domain, DOC)
    assert command.idempotency_key == body["idempotencyKey"]
    assert command.traceparent == answer.headers["traceparent"]
    assert command.if_match == body.get("ifMatch")
    if isinstance(command, Change):
        beside = {"ifMatch", "idempotencyKey"}
        assert command.patch == {name: value for name, value in body.items() if name not in beside}
    else:
        assert command.reason == body["reason"]
    if isinstance(command, Reverse):
        assert str(command.posting_date) == "2026-11-30"


def test_the_routes_are_what_the_line_serves() -> None:
    assert {(operation.value, one.domain) for one, operation in EVERY} == {
        (operation, domain) for operation, domains in {**SERVED, "cancel": CALLED_OFF}.items() for domain in domains
    }


async def test_a_key_and_a_version_may_travel_in_headers(client: HttpClient, held: World) -> None:
    headers = held.token() | KEY | {"If-Match": '"v1"', "Content-Type": MERGE_PATCH, "Prefer": "wait=2"}
    body = json.dumps({"shipTo": None, "quoteReference": "Q-9"})
    answer = await client.patch(f"/v1/orders/{DOC}", content=body, headers=headers)
    assert answer.status_code == 200
    command = held.line.operations_seen[0]
    assert (command.idempotency_key, command.if_match, command.wait_s) == ("k-1", "v1", 2.0)
    assert isinstance(command, Change)
    assert command.patch == {"shipTo": None, "quoteReference": "Q-9"}
    assert answer.headers["preference-applied"] == answer.json()["preferenceApplied"] == "wait=2"


@pytest.mark.parametrize(
    ("header", "member", "demanded"),
    [
        ('"v1"', None, "v1"),
        (None, "v1", "v1"),
        (None, '"v1"', "v1"),
        ('"v1"', "v1", "v1"),
        ('"v7"', None, "v7"),
        ('"v7", "v1"', None, "v1"),
        ('"v7","v8"', None, "v7"),
        ("*", None, "v1"),
        (None, "*", "v1"),
        ('W/"v1"', None, 'W/"v1"'),
        ('W/"v1", "v7"', None, "v7"),
        ('"v1.0123abcd"', None, "v1.0123abcd"),
    ],
)
async def test_versions(client: HttpClient, held: World, header: str | None, member: str | None, demanded: str) -> None:
    """The line compares one tag: a weak one never matches, `*` and a list become the version that is there."""
    headers = held.token() | KEY | ({} if header is None else {"If-Match": header})
    body = {"quoteReference": "Q-9", "ifMatch": member}
    answer = await client.patch(f"/v1/orders/{DOC}", json=body, headers=headers)
    assert answer.status_code == 200
    assert held.line.operations_seen[0].if_match == demanded


@pytest.mark.parametrize(
    ("header", "member", "field"),
    [
        ('"v1"', "v2", "ifMatch"),
        ("*", "v1", "ifMatch"),
        ("v1", None, "If-Match"),
        ("", None, "If-Match"),
        ('"v1" "v2"', None, "If-Match"),
        (", ".join(['"v1"'] * 51), None, "If-Match"),
        (None, "", "ifMatch"),
        (None, 1, "ifMatch"),
        (None, "v1\n", "ifMatch"),
        (None, "v" * 65, "ifMatch"),
    ],
)
async def test_versions_out_of_form(
    client: HttpClient, held: World, header: str | None, member: Any, field: str
) -> None:
    headers = held.token() | KEY | ({} if header is None else {"If-Match": header})
    answer = await client.patch(f"/v1/orders/{DOC}", json={"quoteReference": "Q-9", "ifMatch": member}, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert held.line.operations_seen == []


async def test_a_change_without_a_version_is_refused(client: HttpClient, held: World) -> None:
    answer = await client.patch(f"/v1/orders/{DOC}", json={"quoteReference": "Q-9"}, headers=held.token() | KEY)
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition-required")
    assert "ifMatch" in answer.json()["remedy"]
    cancelled = await client.post(f"/v1/orders/{DOC}/cancel", json={"reason": "r"}, headers=held.token() | KEY)
    assert cancelled.status_code == 200, "a cancellation may leave it out"
    assert held.line.operations_seen[0].if_match is None


@pytest.mark.parametrize(("resource", "operation"), EVERY, ids=lambda one: getattr(one, "domain", one))
async def test_a_key_is_required(client: HttpClient, world: World, resource: Resource, operation: Operation) -> None:
    _hold(world, resource.domain)
    method, tail = METHODS[operation]
    body = _body(resource, operation) | {"idempotencyKey": None}
    answer = await client.request(method, f"/v1/{resource.domain}/{DOC}{tail}", json=body, headers=world.token())
    assert (answer.status_code, answer.json()["code"]) == (400, "missing-idempotency-key")
    assert world.line.operations_seen == []


@pytest.mark.parametrize(("resource", "operation"), EVERY, ids=lambda one: getattr(one, "domain", one))
async def test_bodies_are_closed(client: HttpClient, world: World, resource: Resource, operation: Operation) -> None:
    _hold(world, resource.domain)
    method, tail = METHODS[operation]
    body = _body(resource, operation) | {"unheardOf": 1}
    answer = await client.request(method, f"/v1/{resource.domain}/{DOC}{tail}", json=body, headers=world.token())
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-document")
    assert answer.json()["errors"][0]["field"] == "unheardOf"
    assert world.line.operations_seen == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 257}, "reason"),
        ({"reason": "two\nlines"}, "reason"),
        ({"reason": "r", "postingDate": "yesterday"}, "postingDate"),
    ],
)
async def test_reasons(client: HttpClient, world: World, body: Any, field: str) -> None:
    _hold(world, "invoices")
    answer = await client.post(f"/v1/invoices/{DOC}/reverse", json=body, headers=world.token() | KEY)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize(
    ("media_type", "method", "tail", "code"),
    [
        (MERGE_PATCH, "PATCH", "", 200),
        ("application/json", "PATCH", "", 200),
        ("application/merge-patch+json; charset=utf-8", "PATCH", "", 200),
        ("application/json-patch+json", "PATCH", "", 415),
        (MERGE_PATCH, "POST", "/cancel", 415),
    ],
)
async def test_media_types(client: HttpClient, held: World, media_type: str, method: str, tail: str, code: int) -> None:
    body: dict[str, Any] = {"quoteReference": "Q-9", "ifMatch": "v1"} if method == "PATCH" else {"reason": "r"}
    headers = held.token() | KEY | {"Content-Type": media_type}
    answer = await client.request(method, f"/v1/orders/{DOC}{tail}", content=json.dumps(body), headers=headers)
    assert answer.status_code == code
    if code == 415:
        kinds = ", ".join(answer.json()["acceptedMediaTypes"])
        assert answer.headers["accept"] == kinds
        assert answer.headers.get("accept-patch") == (kinds if method == "PATCH" else None)


@pytest.mark.parametrize("body", [b'{"a":', b"[1]", b'{"ifMatch": "v1", "ifMatch": "v2"}', b"{" * 50])
async def test_malformed_bodies(client: HttpClient, held: World, body: bytes) -> None:
    headers = held.token() | KEY | {"Content-Type": MERGE_PATCH}
    answer = await client.patch(f"/v1/orders/{DOC}", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")


@pytest.mark.parametrize("scope", [DataScope(None, frozenset({"US"})), DataScope(frozenset(), None)])
async def test_what_is_not_visible_is_not_there(client: HttpClient, held: World, scope: DataScope) -> None:
    for path, body in ((f"/v1/orders/{DOC}/cancel", {"reason": "r"}),):
        hidden = await client.post(path, json=body, headers=held.token(data=scope) | KEY)
        missing = await client.post(path.replace("0001", "0009"), json=body, headers=held.token() | KEY)
        assert hidden.status_code == missing.status_code == 404
        assert hidden.json()["detail"] == missing.json()["detail"]
    assert held.line.operations_seen == []


async def test_a_document_of_another_domain_is_not_there(client: HttpClient, held: World) -> None:
    answer = await client.post(f"/v1/contracts/{DOC}/cancel", json={"reason": "r"}, headers=held.token() | KEY)
    assert answer.status_code == 404


@pytest.mark.parametrize("path", [f"/v1/invoices/{DOC}", f"/v1/customers/{DOC}/cancel", f"/v1/orders/{DOC}/reverse"])
async def test_what_cannot_be_done_has_no_address(client: HttpClient, held: World, path: str) -> None:
    method = "POST" if path.endswith(("cancel", "reverse")) else "PATCH"
    answer = await client.request(method, path, json={"reason": "r"}, headers=held.token() | KEY)
    assert answer.status_code in {404, 405}


PENDING = [Status.ACCEPTED, Status.HELD, Status.DISPATCHED, Status.UNKNOWN, Status.IN_DOUBT]


@pytest.mark.parametrize("status", PENDING)
async def test_pending(client: HttpClient, held: World, status: Status) -> None:
    held.line.status, held.line.retry_after_s = status, 4
    answer = await client.post(f"/v1/orders/{DOC}/cancel", json={"reason": "r"}, headers=held.token() | KEY)
    assert answer.status_code == 202
    assert answer.headers["location"] == answer.json()["statusUrl"]
    assert answer.headers["retry-after"] == str(answer.json()["retryAfterS"]) == "4"


async def test_refused_by_the_erp(client: HttpClient, held: World) -> None:
    held.line.status = Status.REJECTED
    held.line.problem = json.dumps({"code": "rejected-by-erp", "detail": "delivered already"})
    answer = await client.post(f"/v1/orders/{DOC}/cancel", json={"reason": "r"}, headers=held.token() | KEY)
    body = answer.json()
    assert (answer.status_code, body["code"], body["operation"]) == (422, "rejected-by-erp", "cancel")
    assert body["transactionStatus"] == "rejected"


@pytest.mark.parametrize(
    ("slug", "status"),
    [("stale", 412), ("document-busy", 409), ("has-follow-ups", 409), ("operation-not-served", 422)],
)
async def test_refused_by_the_line(client: HttpClient, held: World, slug: str, status: int) -> None:
    held.line.failure = Problem(slug, "No.", extra={"systemId": "legacy-main"})
    answer = await client.post(f"/v1/orders/{DOC}/cancel", json={"reason": "r"}, headers=held.token() | KEY)
    assert (answer.status_code, answer.json()["code"], answer.json()["systemId"]) == (status, slug, "legacy-main")
