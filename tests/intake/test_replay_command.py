"""`erp-gateway events replay`: the command, the application and a real NATS server; only the socket between the first
two is spared."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from gateway.auth import Client
from gateway.cli import app
from gateway.cli import events_replay as replay_module
from gateway.cli.console import Failure
from gateway.cli.gateway_http import GatewayHttp
from gateway.domain.caller import DataScope
from tests.api.conftest import World
from tests.intake.test_replays import SUBJECT, Listener, http, rig, world
from tests.line.rig import Rig, order
from tests.messaging.conftest import Bench, bench

__all__ = ["bench", "http", "rig", "world"]


class Bridge(httpx.BaseTransport):
    """Carries what the command asks from its thread to the application in the loop."""

    def __init__(self, http: httpx.AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self._http = http
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = self._http.request(
            request.method, str(request.url), content=request.read(), headers=dict(request.headers)
        )
        answer = asyncio.run_coroutine_threadsafe(asked, self._loop).result(20)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
async def replay(http: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command as the client salesforce."""
    token = world.issuer.mint(Client("salesforce", "salesforce", frozenset({"documents:read"}), DataScope(None, None)))
    bridge = Bridge(http, asyncio.get_running_loop())

    def gateway(_data: Any, _url: str | None, _token: str | None, _client: str) -> GatewayHttp:
        return GatewayHttp("http://gateway", token, bridge)

    monkeypatch.setattr(replay_module, "gateway_of", gateway)

    async def command(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["events", "replay", *words])

    return command


async def test_the_option_that_is_missing_is_named(replay: Any) -> None:
    refused = await replay(SUBJECT)
    assert isinstance(refused.exception, Failure)
    assert str(refused.exception).startswith("--from is missing, and so is --lineage")


async def test_the_events_of_a_lineage_come_again(replay: Any, rig: Rig, bench: Bench) -> None:
    lineage_id = (await rig.send(order("1"))).transaction.lineage_id
    await rig.send(order("2"))
    await rig.settle()
    wanted = [one.body for one in await rig.store.outbox.pending(100) if one.lineage_id == lineage_id]
    ears = await Listener.on(bench.connection())
    done = await replay(SUBJECT, "--lineage", lineage_id, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["events"], told["natsSubject"]) == (len(wanted), SUBJECT)
    assert await ears.heard(len(wanted)) == wanted
    (entry,) = await rig.store.reads.entries(told["replayId"])
    assert entry.kind == "replayed"
    shown = await replay(SUBJECT, "--from", "2001-01-01T00:00:00Z", "--domain", "orders")
    assert shown.exit_code == 0
    assert f"events sent to {SUBJECT} (" in shown.output
    assert int(shown.output.split()[0]) > len(wanted)


async def test_a_subject_of_somebody_else_is_refused(replay: Any, rig: Rig) -> None:
    await rig.send(order("1"))
    refused = await replay("erp.replay.billing.mine", "--from", "2001-01-01T00:00:00Z")
    assert refused.exit_code != 0
    assert isinstance(refused.exception, Failure)
    assert "natsSubject" in str(refused.exception)
