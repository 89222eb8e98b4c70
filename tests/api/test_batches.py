"""Batches over HTTP, on the real line and record."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.api.batch_schemas import BatchAnswer
from gateway.auth import Client
from gateway.domain.caller import SCOPES
from gateway.intake.parts import IntakeParts
from gateway.store.store import open_store
from tests.api.conftest import EVERYTHING, HttpClient, World, in_this_loop
from tests.intake.batches import body, line
from tests.line.rig import Rig, order
from tests.migrated import migrated_file

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    url = migrated_file(tmp_path / "gateway.db")
    store = await open_store(url)
    yield await Rig.on(store)
    await store.close()


@pytest.fixture
async def http(world: World, rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    parts = replace(
        world.parts(),
        submissions=rig.line,
        reads=rig.store.reads,
        rulebook=lambda: rig.parts.rules.rulebook,
        intake=IntakeParts(rig.store, rig.store.reads, rig.line, rig.parts.tools),
    )
    async with in_this_loop(parts) as client:
        client.headers.update(world.token())
        yield client


def _body() -> bytes:
    return body(line("orders", order("1")), b"broken", line("orders", order("2")))


async def _results(http: httpx.AsyncClient, address: str, **query: str) -> list[Any]:
    answer = await http.get(address, params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(one) for one in answer.text.splitlines()]


async def test_a_batch_is_sent_and_read(http: httpx.AsyncClient, rig: Rig) -> None:
    sent = await http.post("/v1/batches", content=_body(), headers=NDJSON)
    assert sent.status_code == 201, sent.text
    BatchAnswer.model_validate(sent.json(), by_alias=True, by_name=False)
    assert sent.headers["location"] == sent.json()["statusUrl"]
    found = {name: sent.json()[name] for name in ("batchState", "received", "accepted", "refused", "waiting")}
    assert found == {"batchState": "complete", "received": 3, "accepted": 2, "refused": 1, "waiting": 0}
    assert sent.json()["money"] == [{"currencyCode": "USD", "acceptedAmount": "336.00", "postedAmount": "0.00"}]
    first, second, third = await _results(http, sent.json()["resultsUrl"])
    assert (first["lineNumber"], first["result"], first["status"]) == (1, "accepted", "accepted")
    assert (second["problem"]["code"], second["problem"]["instance"]) == ("invalid-request", sent.json()["statusUrl"])
    assert (await http.get(third["statusUrl"])).json()["externalId"] == "2"
    assert await _results(http, sent.json()["resultsUrl"], after="2") == [third]
    assert await _results(http, sent.json()["resultsUrl"], result="refused") == [second]
    await rig.settle()
    stands = (await http.get(sent.json()["statusUrl"])).json()
    assert (stands["byStatus"], stands["money"][0]["postedAmount"]) == ([{"status": "posted", "count": 2}], "336.00")


async def test_a_repeated_line_counts_its_transaction_once_and_an_empty_one_nothing(
    http: httpx.AsyncClient, rig: Rig
) -> None:
    same = line("orders", order("1"))
    sent = await http.post("/v1/batches", content=body(same, b"", b" ", b"broken", same, same), headers=NDJSON)
    counts = {name: sent.json()[name] for name in ("received", "accepted", "replayed", "refused", "waiting")}
    assert counts == {"received": 4, "accepted": 3, "replayed": 2, "refused": 1, "waiting": 0}
    assert [one["lineNumber"] for one in await _results(http, sent.json()["resultsUrl"])] == [1, 4, 5, 6]
    await rig.settle()
    stands = (await http.get(sent.json()["statusUrl"])).json()
    assert stands["byStatus"] == [{"status": "posted", "count": 1}]
    assert stands["money"] == [{"currencyCode": "USD", "acceptedAmount": "168.00", "postedAmount": "168.00"}]


async def test_more_results_than_are_read_at_once(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.api.batches.RESULTS_AT_ONCE", 2)
    lines = [line("orders", order(str(n))) for n in range(5)]
    sent = await http.post("/v1/batches", content=body(*lines), headers=NDJSON)
    assert [one["lineNumber"] for one in await _results(http, sent.json()["resultsUrl"])] == [1, 2, 3, 4, 5]


async def test_packed_and_sent_again(http: httpx.AsyncClient) -> None:
    headers = {**NDJSON, "Content-Encoding": "gzip", "Idempotency-Key": "run-1"}
    sent = await http.post("/v1/batches", content=gzip.compress(_body()), headers=headers)
    assert (sent.status_code, sent.json()["accepted"]) == (201, 2)
    again = await http.post("/v1/batches", content=_body(), headers={**NDJSON, "Idempotency-Key": "run-1"})
    assert (again.status_code, again.json()["batchId"]) == (200, sent.json()["batchId"])
    other = await http.post("/v1/batches", content=_body() + b"more", headers={**NDJSON, "Idempotency-Key": "run-2"})
    assert (other.status_code, other.json()["replayed"], other.json()["refused"]) == (201, 2, 2)


async def test_what_is_not_lines_is_refused(http: httpx.AsyncClient) -> None:
    for headers in ({"Content-Type": "application/json"}, {**NDJSON, "Content-Encoding": "br"}):
        refused = await http.post("/v1/batches", content=_body(), headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (415, "unsupported-media-type")
    broken = await http.post("/v1/batches", content=b"x", headers={**NDJSON, "Content-Encoding": "gzip"})
    assert (broken.status_code, broken.json()["code"]) == (400, "invalid-request")


async def test_a_batch_is_its_clients_own(http: httpx.AsyncClient, world: World) -> None:
    sent = (await http.post("/v1/batches", content=_body(), headers=NDJSON)).json()
    stranger = world.issuer.mint(Client("billing", "billing", frozenset(SCOPES), EVERYTHING))
    for address in (sent["statusUrl"], sent["resultsUrl"]):
        answer = await http.get(address, headers={"Authorization": f"Bearer {stranger}"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_a_process_without_intake_says_so(client: HttpClient, world: World) -> None:
    answer = await client.post("/v1/batches", content=_body(), headers={**NDJSON, **world.token()})
    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
