"""Overlays and periods over HTTP, on a real store: two persons, two processes, and what callers meet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.api.parts import AppParts
from gateway.auth import Client, EmbeddedIssuer
from gateway.domain.caller import DataScope
from gateway.telemetry import Metrics
from tests.api.conftest import in_this_loop
from tests.line.acts import act_parts
from tests.line.rig import Rig, order

EVERYTHING = DataScope(None, None)
SETTING = {"overlay": "hold", "slice": "orders.Inland.EMEA", "reason": "The warehouse is counted"}


class Console:
    """A gateway process over HTTP, with tokens for people and for Salesforce."""

    def __init__(self, rig: Rig, issuer: EmbeddedIssuer, http: httpx.AsyncClient) -> None:
        self.rig, self.issuer, self.http = rig, issuer, http
        self.keys = 0

    def token(self, name: str, *scopes: str, person: str | None = None, data: DataScope = EVERYTHING) -> dict[str, str]:
        client = Client(name, "salesforce", frozenset(scopes or {"operations:act"}), data, person=person)
        return {"Authorization": f"Bearer {self.issuer.mint(client)}"}

    async def act(self, path: str, body: dict[str, Any], person: str | None = "ann", **headers: str) -> httpx.Response:
        self.keys += 1
        sent = self.token(f"console-{person}", person=person) | {"Idempotency-Key": f"k-{self.keys}"} | headers
        return await self.http.post(f"/v1/cutover/{path}", headers=sent, json=body)

    async def ask(self, path: str, *scopes: str) -> httpx.Response:
        return await self.http.get(f"/v1/cutover/{path}", headers=self.token("auditor", *(scopes or ("ledger:read",))))

    async def submit(self, external_id: str = "10248", **changes: Any) -> httpx.Response:
        headers = self.token("salesforce", "documents:submit") | {"Prefer": "respond-async"}
        return await self.http.post("/v1/orders", headers=headers, json=order(external_id, **changes))

    async def transaction(self, transaction_id: str) -> dict[str, Any]:
        headers = self.token("salesforce", "documents:read")
        found: dict[str, Any] = (await self.http.get(f"/v1/transactions/{transaction_id}", headers=headers)).json()
        return found


@asynccontextmanager
async def console_of(rig: Rig, issuer: EmbeddedIssuer) -> AsyncIterator[Console]:
    app = AppParts(
        submissions=rig.line,
        reads=rig.store.reads,
        authenticator=issuer.verifier(),
        rulebook=lambda: rig.rules.current.rulebook,
        clock=rig.clock,
        metrics=Metrics(),
        capabilities=dict,
        acts=act_parts(rig),
        overlays=lambda: rig.rules.current.acts.overlays,
        refresh=rig.rules.refresh,
    )
    async with in_this_loop(app) as http:
        yield Console(rig, issuer, http)


def issuer_of(rig: Rig) -> EmbeddedIssuer:
    key = ec.generate_private_key(ec.SECP256R1())
    return EmbeddedIssuer(key, "urn:test", "gateway", lambda: rig.clock.now() / 1_000_000, demo=True)


@pytest.fixture
async def console(store: Any) -> AsyncIterator[Console]:
    rig = await Rig.on(store)
    async with console_of(rig, issuer_of(rig)) as found:
        yield found


async def test_held_at_one_process_and_released_at_another(store: Any):
    here = await Rig.on(store)
    there = await here.another_process("prc_2")
    issuer = issuer_of(here)
    async with console_of(here, issuer) as one, console_of(there, issuer) as other:
        answer = await one.act("overlays", SETTING | {"expectedUntil": "2023-11-15T00:00:00Z"})
        assert answer.status_code == 201, answer.text
        overlay = answer.json()
        assert (overlay["state"], overlay["setBy"]["personName"]) == ("set", "ann")
        assert answer.headers["location"] == f"/v1/cutover/overlays/{overlay['overlayId']}"
        held = await other.submit()
        assert (held.status_code, held.json()["status"]) == (202, "held")
        lift = f"overlays/{overlay['overlayId']}/lift"
        asked = await other.act(lift, {"reason": "Counted"}, "ann")
        assert (asked.status_code, asked.json()["state"]) == (202, "lift_asked")
        assert (await other.act(lift, {"reason": "Counted, I say"}, "ann")).status_code == 202
        assert (await other.transaction(held.json()["transactionId"]))["status"] == "held"
        lifted = await other.act(lift, {"reason": "Yes"}, "bob")
        assert (lifted.status_code, lifted.json()["state"]) == (200, "lifted")
        assert (lifted.json()["liftedBy"]["personName"], lifted.json()["liftReason"]) == ("bob", "Counted")
        await here.settle()
        ended = await one.transaction(held.json()["transactionId"])
        assert (ended["status"], ended["routedTo"]["systemId"]) == ("posted", "legacy-main")


async def test_a_freeze_answers_with_its_window_and_when_to_come_again(console: Console):
    overlay = (await console.act("overlays", SETTING | {"overlay": "freeze"})).json()
    answer = await console.submit()
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "frozen")
    assert (problem["windowId"], problem["retryAfterS"]) == (overlay["overlayId"], 3_600)
    assert answer.headers["retry-after"] == "3600"


@pytest.mark.parametrize(
    ("kind", "does"),
    [("hold", "everything is accepted"), ("paused", "new roots are accepted"), ("freeze", "nothing new is accepted")],
)
async def test_what_was_set_is_told_to_who_asks_before_submitting(console: Console, kind: str, does: str):
    headers = console.token("salesforce", "documents:read")
    explained = "/v1/routing/explain?domain=orders&businessUnit=Northern&geography=FR"
    assert (await console.http.get(explained, headers=headers)).json()["overlayInForce"] is None
    overlay = (await console.act("overlays", SETTING | {"overlay": kind})).json()
    told = (await console.http.get(explained, headers=headers)).json()["overlayInForce"]
    assert (told["overlay"], told["overlayId"], told["row"]) == (kind, overlay["overlayId"], None)
    assert told["effect"].startswith(does)
    slices = (await console.http.get("/v1/capabilities?domain=orders", headers=headers)).json()["slices"]
    assert {shown["overlayId"] for one in slices for shown in one["overlaysInForce"]} == {overlay["overlayId"]}


async def test_a_key_names_one_overlay_and_must_be_there(console: Console):
    first = await console.act("overlays", SETTING, **{"Idempotency-Key": "same"})
    again = await console.act("overlays", SETTING, **{"Idempotency-Key": "same"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json()["replayed"], again.json()["overlayId"]) == (True, first.json()["overlayId"])
    other = await console.act("overlays", SETTING | {"overlay": "freeze"}, **{"Idempotency-Key": "same"})
    assert other.json()["code"] == "idempotency-key-reused"
    bare = await console.http.post("/v1/cutover/overlays", headers=console.token("c", person="ann"), json=SETTING)
    assert bare.json()["code"] == "missing-idempotency-key"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"slice": "orders.Atlantis.DE"}, "unknown-node", "businessUnit"),
        ({"slice": "quotes.Inland.DE"}, "domain-not-served", None),
        ({"slice": "orders.Inland"}, "invalid-document", "slice"),
        ({"overlay": "halt"}, "invalid-document", "overlay"),
        ({"reason": ""}, "invalid-document", "reason"),
        ({"expectedUntil": "2001-01-01T00:00:00Z"}, "invalid-document", "expectedUntil"),
        ({"expectedUntil": "2999-01-01T00:00:00Z"}, "invalid-document", "expectedUntil"),
        ({"expectedUntil": "tomorrow"}, "invalid-document", "expectedUntil"),
        ({"forever": True}, "invalid-document", "forever"),
    ],
)
async def test_what_cannot_be_set_is_refused(console: Console, changes: dict[str, Any], code: str, field: str | None):
    problem = (await console.act("overlays", SETTING | changes)).json()
    assert problem["code"] == code, problem
    assert [one["field"] for one in problem.get("errors", [])] == ([field] if field else [])


async def test_who_may_act_and_who_may_look(console: Console):
    reader = console.token("auditor", "ledger:read")
    answer = await console.http.post("/v1/cutover/overlays", headers=reader, json=SETTING)
    assert (answer.status_code, answer.json()["requiredScopes"]) == (403, ["operations:act"])
    western = console.token("w", person="w", data=DataScope(frozenset({"Western"}))) | {"Idempotency-Key": "w"}
    answer = await console.http.post("/v1/cutover/overlays", headers=western, json=SETTING)
    assert answer.json()["code"] == "out-of-scope"
    assert (await console.ask("overlays", "documents:read")).status_code == 403
    overlay = (await console.act("overlays", SETTING)).json()
    nobody = await console.act(f"overlays/{overlay['overlayId']}/lift", {"reason": "x"}, None)
    assert nobody.json()["code"] == "policy-check-failed"


async def test_overlays_are_listed_the_newest_first_and_read(console: Console):
    made = [(await console.act("overlays", SETTING)).json()["overlayId"] for _ in range(3)]
    for person in ("ann", "bob"):
        await console.act(f"overlays/{made[2]}/lift", {"reason": "x"}, person)
    page = (await console.ask("overlays?pageSize=1")).json()
    assert [one["overlayId"] for one in page["items"]] == [made[1]]
    following = (await console.ask(f"overlays?pageSize=1&cursor={page['nextCursor']}")).json()
    assert ([one["overlayId"] for one in following["items"]], following["nextCursor"]) == ([made[0]], None)
    everything = (await console.ask("overlays?lifted=true")).json()
    assert [one["state"] for one in everything["items"]] == ["lifted", "set", "set"]
    assert (await console.ask(f"overlays/{made[0]}")).json()["reason"] == SETTING["reason"]
    assert (await console.ask("overlays/ovl_00000000000000000000000000")).status_code == 404
    assert (await console.ask("overlays/x")).json()["code"] == "invalid-request"


async def test_a_period_is_closed_refuses_and_is_reopened(console: Console):
    closed = await console.act("periods/NW01/1996-07/close", {"reason": "July is closed"})
    assert (closed.status_code, closed.json()["state"], closed.json()["endsBefore"]) == (200, "closed", "1996-08-01")
    answer = await console.submit()
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["errors"][0]["field"]) == (
        422,
        "policy-check-failed",
        "postingDate",
    )
    assert (problem["companyCode"], problem["period"]) == ("NW01", "1996-07")
    assert (await console.act("periods/NW01/1996-07/reopen", {"reason": "forgotten"}, "bob")).json()["state"] == "open"
    assert (await console.submit()).status_code == 202
    await console.act("periods/NW01/1996-08/close", {"reason": "August is closed"})
    page = (await console.ask("periods?companyCode=NW01&pageSize=1")).json()
    assert [one["period"] for one in page["items"]] == ["1996-08"]
    following = (await console.ask(f"periods?companyCode=NW01&pageSize=1&cursor={page['nextCursor']}")).json()
    assert [(one["period"], one["reason"]) for one in following["items"]] == [("1996-07", "forgotten")]
    assert following["nextCursor"] is None


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("periods/NW01/1996-13/close", "not-found"),
        ("periods/NW99/1996-07/close", "not-found"),
        ("periods/NW01/1996-07/reopen", "not-found"),
        ("periods/NW01/July/close", "invalid-request"),
        ("periods/a.b/1996-07/close", "invalid-request"),
    ],
)
async def test_what_is_no_period_is_refused(console: Console, path: str, code: str):
    assert (await console.act(path, {"reason": "x"})).json()["code"] == code
