"""Simulations and dark observation over HTTP, on a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.api.parts import AppParts
from gateway.auth import Client, EmbeddedIssuer
from gateway.cutover.dark import BEHIND_S, DarkObserver
from gateway.cutover.simulation_desk import SimulationDesk
from gateway.cutover.simulator import Simulator
from gateway.domain.caller import DataScope
from gateway.store.store import Store
from gateway.telemetry import Metrics
from tests.api.conftest import in_this_loop
from tests.cutover.drafted import save
from tests.line.rig import Rig, order

EVERYTHING = DataScope(None, None)
GERMANY = DataScope(None, frozenset({"DE"}))
WINDOW = {"since": "2023-11-01T00:00:00Z", "until": "2023-11-15T00:00:00+01:00"}


class Console:
    """A gateway process over HTTP, with a draft."""

    def __init__(self, rig: Rig, desk: SimulationDesk, issuer: EmbeddedIssuer, http: httpx.AsyncClient) -> None:
        self.rig, self.desk, self.issuer, self.http = rig, desk, issuer, http
        self.draft_id = rig.parts.tools.ids.new("drf")

    def headers(self, scope: str, data: DataScope = EVERYTHING) -> dict[str, str]:
        client = Client("console", "console", frozenset({scope}), data)
        return {"Authorization": f"Bearer {self.issuer.mint(client)}"}

    async def post(self, path: str, body: Any = None, scope: str = "rules:edit", **who: Any) -> httpx.Response:
        address = f"/v1/drafts/{self.draft_id}/{path}"
        return await self.http.post(address, headers=self.headers(scope, **who), json=body)

    async def get(self, path: str, scope: str = "ledger:read", **who: Any) -> httpx.Response:
        return await self.http.get(f"/v1/{path}", headers=self.headers(scope, **who))

    async def ended(self, address: str) -> dict[str, Any]:
        """The simulation once it does not run any more."""
        async with asyncio.timeout(60):
            while True:
                body: dict[str, Any] = (await self.get(address.removeprefix("/v1/"))).json()
                if body["state"] != "running":
                    return body
                await asyncio.sleep(0.01)


@pytest.fixture
async def console(store: Store) -> AsyncIterator[Console]:
    """An order was posted, then some days passed."""
    rig = await Rig.on(store)
    await rig.send(order(), wait_s=5.0)
    rig.clock.forward(30 * 86_400)
    tools = rig.parts.tools
    desk = SimulationDesk(
        Simulator(store, store.reads, tools, lambda: rig.rules.current),
        DarkObserver(store, store.reads, tools),
        store.reads,
    )
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = EmbeddedIssuer(key, "https://issuer.test", "erp-gateway", lambda: rig.clock.micros / 1_000_000, demo=True)
    parts = AppParts(
        submissions=rig.line,
        reads=store.reads,
        authenticator=issuer.verifier(),
        rulebook=lambda: rig.rules.current.rulebook,
        clock=rig.clock,
        metrics=Metrics(),
        capabilities=dict,
        simulations=desk,
    )
    async with in_this_loop(parts) as http:
        made = Console(rig, desk, issuer, http)
        await save(rig, made.draft_id)
        yield made
        await desk.simulator.stop()


async def test_a_draft_is_simulated_and_read_back_as_json_and_report(console: Console) -> None:
    begun = await console.post("simulations", WINDOW)
    assert begun.status_code == 202
    body = begun.json()
    assert (body["state"], body["result"], body["reportUrl"]) == ("running", None, None)
    assert begun.headers["location"] == body["statusUrl"]
    assert body["window"] == {"since": "2023-11-01T00:00:00.000000Z", "until": "2023-11-14T23:00:00.000000Z"}
    done = await console.ended(body["statusUrl"])
    assert (done["state"], done["entriesRead"]) == ("done", 1)
    assert done["result"]["found"]["movedDocuments"] == 1
    assert done["result"]["resultHash"] == done["resultHash"]
    report = await console.get(done["reportUrl"].removeprefix("/v1/"))
    assert report.headers["content-type"] == "text/html; charset=utf-8"
    assert report.headers["content-security-policy"].startswith("default-src 'none'")
    assert done["resultHash"] in report.text
    listed = (await console.get(f"drafts/{console.draft_id}/simulations", "rules:approve")).json()
    assert [one["simulationId"] for one in listed["items"]] == [done["simulationId"]]
    entries = await console.rig.store.reads.entries(done["simulationId"])
    assert [one.kind for one in entries] == ["simulated"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"since": "2023-11-01T00:00:00Z"}, 422, "invalid-document"),
        (WINDOW | {"until": "2023-11-15T00:00:00"}, 422, "invalid-document"),
        (WINDOW | {"more": 1}, 422, "invalid-document"),
        (WINDOW | {"until": WINDOW["since"]}, 400, "invalid-request"),
        (WINDOW | {"until": "2031-01-01T00:00:00Z"}, 400, "invalid-request"),
    ],
)
async def test_a_window_that_is_none_is_refused(console: Console, body: Any, status: int, code: str) -> None:
    refused = await console.post("simulations", body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_who_may_and_what_is_not_there(console: Console) -> None:
    assert (await console.post("simulations", WINDOW, "ledger:read")).status_code == 403
    nothing = "sim_" + "0" * 26
    assert (await console.get(f"simulations/{nothing}", "documents:read")).status_code == 403
    for answer in (
        await console.post("simulations", WINDOW, data=GERMANY),
        await console.get(f"simulations/{nothing}", data=GERMANY),
        await console.get(f"drafts/{console.draft_id}/dark", data=GERMANY),
    ):
        assert answer.json()["code"] == "out-of-scope"
    for path in (f"simulations/{nothing}", f"simulations/{nothing}/report", f"drafts/{console.draft_id}/dark"):
        assert (await console.get(path)).status_code == 404
    assert (await console.get("simulations/none")).status_code == 400
    console.draft_id = "drf_" + "0" * 26
    assert (await console.post("simulations", WINDOW)).status_code == 404
    assert (await console.post("dark")).status_code == 404
    assert (await console.post("dark/end")).status_code == 404
    assert (await console.get(f"drafts/{console.draft_id}/simulations")).status_code == 404


async def test_a_draft_is_observed_beside_live_traffic(console: Console) -> None:
    begun = await console.post("dark")
    assert (begun.status_code, begun.json()["state"], begun.json()["documents"]) == (200, "watching", 0)
    await console.rig.send(order("live"), wait_s=5.0)
    console.rig.clock.forward(BEHIND_S + 1)
    assert await console.desk.observer.look() == 1
    body = (await console.get(f"drafts/{console.draft_id}/dark")).json()
    assert (body["documents"], body["differentDocuments"], body["isCurrent"]) == (1, 1, True)
    assert body["slices"][0]["samples"][0]["candidate"]["systemId"] == "cloud-main"
    ended = (await console.post("dark/end")).json()
    assert (ended["state"], ended["documents"]) == ("ended", 1)


async def test_a_process_without_simulations_says_so(console: Console) -> None:
    parts = AppParts(
        submissions=console.rig.line,
        reads=console.rig.store.reads,
        authenticator=console.issuer.verifier(),
        rulebook=lambda: console.rig.rules.current.rulebook,
        clock=console.rig.clock,
        metrics=Metrics(),
        capabilities=dict,
    )
    async with in_this_loop(parts) as http:
        answer = await http.get(f"/v1/drafts/{console.draft_id}/dark", headers=console.headers("ledger:read"))
    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
