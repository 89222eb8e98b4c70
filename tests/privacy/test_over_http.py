"""Erasing and holding over HTTP; and whatever is asked about what was erased answers, and says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.api.parts import AppParts
from gateway.auth import Client, EmbeddedIssuer
from gateway.domain.caller import SCOPES, DataScope
from gateway.domain.privacy import RetentionRule
from gateway.store.store import Store
from gateway.telemetry import Metrics
from tests.api.conftest import in_this_loop
from tests.privacy.desk import Desk

ASKING = {"customer": {"externalId": "VINET", "source": "salesforce"}, "reason": "Asked by letter"}


class Console:
    """Requests of two persons."""

    def __init__(self, desk: Desk, issuer: EmbeddedIssuer, http: httpx.AsyncClient) -> None:
        self.desk, self.issuer, self.http = desk, issuer, http
        self.keys = 0

    def token(self, person: str, data: DataScope | None = None) -> dict[str, str]:
        client = Client("operations", "salesforce", SCOPES, data or DataScope(None, None), person=person)
        return {"Authorization": f"Bearer {self.issuer.mint(client)}"}

    async def post(self, path: str, body: dict[str, Any], person: str = "ann", **more: Any) -> httpx.Response:
        self.keys += 1
        headers = self.token(person, **more) | {"Idempotency-Key": f"k-{self.keys}"}
        return await self.http.post(f"/v1/ledger/{path}", headers=headers, json=body)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get(path, headers=self.token("ann", **more))


@pytest.fixture
async def console(store: Store) -> AsyncIterator[Console]:
    desk = await Desk.on(store)
    clock = desk.rig.clock
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = EmbeddedIssuer(key, "urn:test", "gateway", lambda: clock.now() / 1_000_000, demo=True)
    app = AppParts(
        submissions=desk.rig.line,
        reads=store.reads,
        authenticator=issuer.verifier(),
        rulebook=lambda: desk.rig.rules.current.rulebook,
        clock=clock,
        metrics=Metrics(),
        capabilities=dict,
        privacy=desk.parts,
    )
    async with in_this_loop(app) as http:
        yield Console(desk, issuer, http)


async def test_two_persons_erase_and_every_read_says_erased(console: Console) -> None:
    chain = await console.desk.chain()
    asked = await console.post("erasures", ASKING)
    assert asked.status_code == 201
    assert asked.headers["location"] == f"/v1/ledger/erasures/{asked.json()['erasureId']}"
    assert (asked.json()["state"], asked.json()["erasable"], asked.json()["kept"]) == ("asked", 3, [])
    address = f"erasures/{asked.json()['erasureId']}"
    alone = await console.post(f"{address}/approve", {})
    assert alone.json()["code"] == "policy-check-failed"
    done = await console.post(f"{address}/approve", {}, person="ben")
    assert done.status_code == 200
    assert (done.json()["state"], done.json()["erased"], done.json()["erasable"]) == ("finished", 3, 0)
    assert (await console.get(f"/v1/ledger/{address}")).json()["state"] == "finished"
    for transaction_id in chain:
        record = await console.desk.rig.record(transaction_id)
        document = await console.get(f"/v1/{record.domain}/{record.document_id}")
        assert (document.status_code, document.json()["contentState"], document.json()["content"]) == (
            200,
            "erased",
            None,
        )
        for path in (
            f"/v1/transactions/{transaction_id}",
            f"/v1/transactions/{transaction_id}/entries",
            f"/v1/transactions/{transaction_id}/explanation",
            f"/v1/lineages/{record.lineage_id}",
            f"/v1/{record.domain}",
        ):
            assert (await console.get(path)).status_code in {200, 404}, path


async def test_who_asks_again_is_told_of_the_first_request_until_it_is_finished(console: Console) -> None:
    await console.desk.chain()
    first = await console.post("erasures", ASKING)
    again = await console.post("erasures", ASKING)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json()["erasureId"], again.json()["replayed"]) == (first.json()["erasureId"], True)
    assert "location" not in again.headers
    others = [
        await console.post("erasures", ASKING, person="cid"),  # may be meant as another request: he approves the first
        await console.post("erasures", ASKING | {"reason": "Asked by another letter"}),
    ]
    ids = {one.json()["erasureId"] for one in (first, *others)}
    assert [one.status_code for one in others] == [201, 201]
    assert len(ids) == 3
    done = await console.post(f"erasures/{first.json()['erasureId']}/approve", {}, person="ben")
    assert done.json()["state"] == "finished"
    later = await console.post("erasures", ASKING)
    assert (later.status_code, later.json()["erasureId"] in ids) == (201, False)


async def test_what_must_be_kept_is_listed_with_its_reason(console: Console) -> None:
    await console.desk.chain(postingDate="2022-07-04")
    console.desk.rules.append(RetentionRule("invoices", "FR", 3_650, 3_650))
    console.desk.rules.append(RetentionRule(None, "FR", 0, 1))
    asked = await console.post("erasures", ASKING)
    assert [(one["domain"], one["keptFor"], one["keptUntil"]) for one in asked.json()["kept"]] == [
        ("invoices", "retention", "2032-12-28")
    ]
    retention = (await console.get("/v1/ledger/retention")).json()
    assert (retention["due"], retention["more"], len(retention["rules"])) == (2, False, 2)


async def test_a_hold_is_set_by_one_and_lifted_by_two(console: Console) -> None:
    await console.desk.chain()
    hold = await console.post("holds", ASKING)
    assert (hold.status_code, hold.json()["state"]) == (201, "set")
    address = f"holds/{hold.json()['holdId']}"
    assert [one["holdId"] for one in (await console.get("/v1/ledger/holds")).json()["items"]] == [hold.json()["holdId"]]
    asked = await console.post("erasures", ASKING)
    assert {one["keptFor"] for one in asked.json()["kept"]} == {"legal-hold"}
    first = await console.post(f"{address}/lift", {"reason": "over"})
    assert (first.status_code, first.json()["state"]) == (202, "lift_asked")
    second = await console.post(f"{address}/lift", {"reason": "over"}, person="ben")
    assert (second.status_code, second.json()["state"]) == (200, "lifted")
    assert (await console.get("/v1/ledger/holds")).json()["items"] == []
    assert (await console.get(f"/v1/ledger/{address}")).json()["reason"] == "Asked by letter"
    assert len((await console.get("/v1/ledger/holds?lifted=true")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("erasures", {"customer": {"externalId": "VINET"}, "reason": "x"}, 422, "invalid-document"),
        (
            "erasures",
            {"customer": {"externalId": "NOBODY", "source": "salesforce"}, "reason": "x"},
            404,
            "not-found",
        ),
        ("holds", {"reason": "x"}, 422, "invalid-document"),
        ("holds", {"lineageId": "lin_01JD9Q5V8W2M4N6P8R0S2T4V6W", "reason": "x"}, 404, "not-found"),
        ("holds/hld_01JD9Q5V8W2M4N6P8R0S2T4V6W/lift", {"reason": "x"}, 404, "not-found"),
        ("erasures/era_01JD9Q5V8W2M4N6P8R0S2T4V6W/approve", {}, 404, "not-found"),
    ],
)
async def test_what_is_refused(console: Console, path: str, body: dict[str, Any], status: int, code: str) -> None:
    refused = await console.post(path, body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_a_part_of_the_business_sees_nothing(console: Console) -> None:
    part = DataScope(frozenset({"Western"}), None)
    assert (await console.post("erasures", ASKING, data=part)).json()["code"] == "out-of-scope"
    assert (await console.post("holds", ASKING, data=part)).json()["code"] == "out-of-scope"
    for path in ("holds", "retention", "erasures/era_01JD9Q5V8W2M4N6P8R0S2T4V6W"):
        assert (await console.get(f"/v1/ledger/{path}", data=part)).json()["code"] == "out-of-scope"
