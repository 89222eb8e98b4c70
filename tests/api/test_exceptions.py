"""Exceptions over HTTP, on a real store: who sees them, who moves them, and what is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from gateway.api.parts import AppParts
from gateway.auth import Client, EmbeddedIssuer
from gateway.domain.caller import DataScope
from gateway.telemetry import Metrics
from tests.api.conftest import in_this_loop
from tests.api.test_acts import issuer_of
from tests.line.dead_ends import desk, left_behind
from tests.line.rig import Rig, invoice, order

EVERYTHING = DataScope(None, None)
WESTERN = DataScope(frozenset({"Western"}), None)
UNKNOWN = "exc_00000000000000000000000000"


class Office:
    """A gateway over HTTP, with tokens for people."""

    def __init__(self, rig: Rig, issuer: EmbeddedIssuer, http: httpx.AsyncClient) -> None:
        self.rig, self.issuer, self.http = rig, issuer, http
        self.keys = 0

    def token(
        self, person: str | None = "ann", *scopes: str, data: DataScope = EVERYTHING, client: str = ""
    ) -> dict[str, str]:
        name = client or f"console-{person}"
        made = Client(name, "console", frozenset(scopes or {"operations:act"}), data, person=person)
        return {"Authorization": f"Bearer {self.issuer.mint(made)}"}

    async def get(self, path: str = "", *scopes: str, data: DataScope = EVERYTHING) -> httpx.Response:
        headers = self.token("eve", *(scopes or ("ledger:read",)), data=data)
        return await self.http.get(f"/v1/exceptions{path}", headers=headers)

    async def post(self, path: str, body: dict[str, Any], person: str | None = "ann", **headers: str) -> httpx.Response:
        self.keys += 1
        sent = self.token(person) | {"Idempotency-Key": f"k-{self.keys}"} | headers
        return await self.http.post(f"/v1/exceptions{path}", headers=sent, json=body)

    async def the_one(self) -> dict[str, Any]:
        [found] = (await self.get("?state=open")).json()["items"]
        return found  # type: ignore[no-any-return]


@pytest.fixture
async def office(store: Any) -> AsyncIterator[Office]:
    async with office_of(await Rig.on(store)) as made:
        yield made


@asynccontextmanager
async def office_of(rig: Rig) -> AsyncIterator[Office]:
    """The desk of a rig."""
    issuer = issuer_of(rig)
    parts = AppParts(
        submissions=rig.line,
        reads=rig.store.reads,
        authenticator=issuer.verifier(),
        rulebook=lambda: rig.rules.current.rulebook,
        clock=rig.clock,
        metrics=Metrics(),
        capabilities=dict,
        exceptions=desk(rig),
        metrics_public=True,
    )
    async with in_this_loop(parts) as http:
        yield Office(rig, issuer, http)


async def refuse(rig: Rig, *external_ids: str) -> None:
    for one in external_ids:
        rig.legacy.script = ["reject"]
        await rig.send(order(one), wait_s=5.0)


async def test_an_exception_says_what_a_person_must_know(office: Office):
    await refuse(office.rig, "10248")
    office.rig.clock.forward(90.0)
    shown = await office.the_one()
    assert (shown["reasonCode"], shown["transactionStatus"], shown["state"]) == ("rejected-by-erp", "rejected", "open")
    assert shown["erpSaid"] == {
        "messageCode": "V1/152",
        "field": "customer",
        "message": "the credit limit is exceeded",
    }
    assert (shown["allowedMoves"], shown["secondPerson"]) == (["retry", "resubmit", "cancel"], [])
    assert (shown["amount"], shown["currencyCode"], shown["systemId"]) == ("168.00", "USD", "legacy-main")
    assert 90 <= shown["ageS"] <= 91
    one = (await office.get(f"/{shown['exceptionId']}")).json()
    assert one["moves"] == []
    assert {name: one[name] for name in shown} == shown


async def test_who_cares_for_it(office: Office):
    await refuse(office.rig, "10248")
    path = f"/{(await office.the_one())['exceptionId']}"
    mine = (await office.post(f"{path}/claim", {})).json()
    assert (mine["ownerPerson"]["personName"], mine["etag"]) == ("ann", "v2")
    assert len((await office.get("?ownerPerson=ann")).json()["items"]) == 1
    assert (await office.get("?ownerPerson=bob")).json()["items"] == []
    given = await office.http.put(f"/v1/exceptions{path}/owner", headers=office.token(), json={"ownerPerson": "carl"})
    assert (given.json()["ownerPerson"]["personName"], given.json()["ownerTeam"]) == ("carl", None)
    wrong = await office.http.put(f"/v1/exceptions{path}/owner", headers=office.token(), json={"ownerTeam": "nobody"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "ownerTeam")


async def test_a_move_of_one_person(office: Office):
    await refuse(office.rig, "10248")
    shown = await office.the_one()
    body = {"move": "retry", "reason": "The limit was raised", "etag": shown["etag"]}
    moved = await office.post(f"/{shown['exceptionId']}/moves", body, **{"Idempotency-Key": "same"})
    assert (moved.status_code, moved.json()["outcome"], moved.json()["replayed"]) == (200, "replaced", False)
    assert moved.json()["move"]["reason"] == "The limit was raised"
    assert moved.json()["move"]["askedBy"]["personName"] == "ann"
    again = await office.post(f"/{shown['exceptionId']}/moves", body, **{"Idempotency-Key": "same"})
    assert (again.json()["replayed"], again.json()["move"]) == (True, moved.json()["move"])
    late = await office.post(f"/{shown['exceptionId']}/moves", body)
    assert (late.status_code, late.json()["code"]) == (412, "stale")
    child = await office.http.get(
        f"/v1/transactions/{moved.json()['replacedByTransactionId']}", headers=office.token("eve", "documents:read")
    )
    assert child.json()["replaces"] == shown["transactionId"]


async def test_an_approval_that_comes_too_late_is_told_what_happened(office: Office):
    heir, _ = await left_behind(office.rig, order(), posted=False)
    path = f"/{(await office.the_one())['exceptionId']}/moves"
    first = await office.post(path, {"move": "cancel", "reason": "not there"})
    await office.post(path, {"move": "retry", "reason": "look once more"}, "carl")
    late = await office.post(f"{path}/{first.json()['move']['moveId']}/approve", {}, "bob")
    assert (late.status_code, late.json()["code"]) == (412, "stale")
    assert late.json()["detail"].startswith("cancel was not done: carl asked for retry at ")
    assert late.json()["detail"].endswith("and that is under_way")
    assert (await heir.store.reads.exception_moves(path.split("/")[1]))[1].state == "replaced"


async def test_a_number_is_named_by_one_person_and_approved_by_another(office: Office):
    heir, transaction_id = await left_behind(office.rig, order(), posted=True)
    shown = await office.the_one()
    assert shown["secondPerson"] == ["mark_posted", "cancel"]
    number = heir.legacy.book[0].number
    body = {
        "move": "mark_posted",
        "reason": "It is there",
        "erpDocumentType": number.document_type,
        "erpDocumentNumber": number.document_number,
    }
    asked = await office.post(f"/{shown['exceptionId']}/moves", body)
    assert (asked.status_code, asked.json()["move"]["state"]) == (202, "asked")
    assert asked.json()["move"]["erpNumber"]["documentNumber"] == number.document_number
    approve = f"/{shown['exceptionId']}/moves/{asked.json()['move']['moveId']}/approve"
    assert (await office.post(approve, {})).json()["code"] == "policy-check-failed"
    assert (await office.post(approve, {}, None)).json()["code"] == "policy-check-failed"
    done = await office.post(approve, {}, "bob")
    assert (done.status_code, done.json()["state"], done.json()["outcome"]) == (200, "closed", "posted")
    assert done.json()["move"]["approvedBy"]["personName"] == "bob"
    assert (await heir.record(transaction_id)).erp_document_number == number.document_number


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"move": "forget"}, "move"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 257}, "reason"),
        ({"erpDocumentNumber": "1"}, "erpDocumentNumber"),
        ({"move": "resubmit", "document": {}}, "document.businessUnit"),
        ({"etag": "1"}, "etag"),
        ({"more": 1}, "more"),
    ],
)
async def test_what_cannot_be_asked(office: Office, changes: dict[str, Any], field: str):
    await refuse(office.rig, "10248")
    path = f"/{(await office.the_one())['exceptionId']}/moves"
    answer = await office.post(path, {"move": "retry", "reason": "x"} | changes)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_move_needs_a_key(office: Office):
    await refuse(office.rig, "10248")
    path = f"/v1/exceptions/{(await office.the_one())['exceptionId']}/moves"
    bare = await office.http.post(path, headers=office.token(), json={"move": "retry", "reason": "x"})
    assert bare.json()["code"] == "missing-idempotency-key"


async def test_nobody_sees_or_moves_outside_the_data_scope(office: Office):
    await refuse(office.rig, "10248")
    shown = await office.the_one()
    path = f"/{shown['exceptionId']}"
    assert (await office.get("", data=WESTERN)).json()["items"] == []
    assert (await office.get(path, data=WESTERN)).status_code == 404
    western = office.token("ann", data=WESTERN) | {"Idempotency-Key": "w"}
    for tail, body in (("/moves", {"move": "cancel", "reason": "x"}), ("/claim", {})):
        answer = await office.http.post(f"/v1/exceptions{path}{tail}", headers=western, json=body)
        assert answer.status_code == 404
    assert (await office.get("", "documents:read")).status_code == 403
    reader = await office.http.post(f"/v1/exceptions{path}/claim", headers=office.token("eve", "ledger:read"), json={})
    assert reader.status_code == 403
    assert (await office.get(f"/{UNKNOWN}")).status_code == 404
    assert (await office.get("/x")).json()["code"] == "invalid-request"


async def test_lists_are_filtered_and_paged(office: Office):
    rig = office.rig
    await rig.send(order(), wait_s=5.0)
    rig.legacy.script = ["reject"]
    await rig.send(invoice(), "invoices", wait_s=5.0)
    await refuse(rig, "1", "2")
    assert len((await office.get()).json()["items"]) == 3
    [money] = (await office.get("?domain=invoices&reasonCode=rejected-by-erp&geography=EMEA")).json()["items"]
    assert money["secondPerson"] == ["retry", "resubmit", "cancel"]
    # not only when the second person approves it
    empty = {"move": "resubmit", "reason": "x", "document": {}}
    assert (await office.post(f"/{money['exceptionId']}/moves", empty)).status_code == 422
    assert (await office.get("?systemId=cloud-main")).json()["items"] == []
    assert (await office.get(f"?transactionId={money['transactionId']}")).json()["items"] == [money]
    assert (await office.get("?openedFrom=2023-11-14T22:13:20Z&openedUntil=2023-11-14T22:13:21Z")).json()["items"]
    first = (await office.get("?pageSize=2")).json()
    second = (await office.get(f"?pageSize=2&cursor={first['nextCursor']}")).json()
    ids = [one["exceptionId"] for one in first["items"] + second["items"]]
    assert (ids, second["nextCursor"]) == (sorted(ids), None)
    assert (await office.get("?geography=Mars")).json()["code"] == "unknown-node"


async def test_one_move_for_many(office: Office):
    await refuse(office.rig, "1", "2")
    body = {"move": "retry", "reason": "The limits were raised", "filter": {"domain": "orders", "geography": "EMEA"}}
    shown = (await office.post("/bulk-moves", body)).json()
    assert (shown["exceptions"], shown["left"], shown["notAllowed"]) == (2, 2, 0)
    assert shown["money"] == [{"amount": "336.00", "currencyCode": "USD"}]
    assert [one["reasonCode"] for one in shown["first"]] == ["rejected-by-erp"] * 2
    assert (await office.get()).json()["items"][0]["state"] == "open"
    wrong = await office.post(f"/bulk-moves/{shown['bulkId']}/run", {"digest": "0" * 64})
    assert (wrong.status_code, wrong.json()["code"]) == (412, "stale")
    ran = (await office.post(f"/bulk-moves/{shown['bulkId']}/run", {"digest": shown["digest"]})).json()
    assert (ran["results"], ran["left"], ran["startedBy"]["personName"]) == ({"done": 2}, 0, "ann")
    told = (await office.get(f"/bulk-moves/{shown['bulkId']}")).json()
    assert (told["results"], told["reason"]) == ({"done": 2}, "The limits were raised")
    assert (await office.get("?state=open")).json()["items"] == []


async def test_open_ones_are_numbers_of_the_gateway(office: Office):
    await refuse(office.rig, "1", "2")
    office.rig.clock.forward(30.0)
    text = (await office.http.get("/metrics")).text
    assert 'erp_gateway_exceptions_open{owner="order-to-cash-team",reason="rejected-by-erp"} 2.0' in text
    assert 'erp_gateway_exceptions_oldest_seconds{owner="order-to-cash-team",reason="rejected-by-erp"} 30.' in text
    for one in (await office.get()).json()["items"]:
        await office.post(f"/{one['exceptionId']}/moves", {"move": "cancel", "reason": "x"})
    assert "exceptions_open{" not in (await office.http.get("/metrics")).text
