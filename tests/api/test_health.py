"""Live and ready."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.api.health import REMEMBERED_S, Readiness
from gateway.api.leaving import Leaving
from gateway.api.limits import Limits
from tests.api.conftest import HttpClient, World


async def _yes() -> bool:
    return True


async def _no() -> bool:
    return False


async def _broken() -> bool:
    raise RuntimeError("secret")


async def _slow() -> bool:
    await asyncio.sleep(60)
    return True


async def test_live(client: HttpClient) -> None:
    assert (await client.get("/health/live")).json() == {"alive": True}


async def test_ready(world: World) -> None:
    async with world.client(readiness={"store": _yes, "events": _yes}) as client:
        answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["parts"] == [
        {"name": "store", "ready": True, "needed": True},
        {"name": "events", "ready": True, "needed": True},
    ]


async def test_a_process_that_is_about_to_end_says_so_and_keeps_no_connection(world: World) -> None:
    leaving = Leaving()
    async with world.client(readiness={"store": _yes}, leaving=leaving) as client:
        before = await client.get("/health/ready")
        assert (before.status_code, before.headers.get("connection")) == (200, None)
        leaving.begin()
        after = await client.get("/health/ready")
        assert after.status_code == 503
        assert after.json()["code"] == "not-ready"
        # it goes on serving, until nobody sends anything here any more
        alive = await client.get("/health/live")
        assert (alive.status_code, alive.headers["connection"]) == (200, "close")


@pytest.mark.parametrize("check", [_no, _broken, _slow])
async def test_not_ready(world: World, check: Any) -> None:
    readiness = {"store": _yes, "events": check}
    async with world.client(readiness=readiness, limits=Limits(check_seconds=0.05)) as client:
        answer = await client.get("/health/ready")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (503, "not-ready")
    assert [(part["name"], part["ready"]) for part in problem["parts"]] == [("store", True), ("events", False)]
    assert "events" in problem["detail"]
    assert "secret" not in answer.text


async def test_a_part_that_is_only_watched_is_shown_and_leaves_the_gateway_ready(world: World) -> None:
    async with world.client(readiness={"record": _yes}, watched={"events": _no}) as client:
        answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "parts": [
            {"name": "record", "ready": True, "needed": True},
            {"name": "events", "ready": False, "needed": False},
        ],
    }


async def test_the_parts_are_not_asked_at_every_request(world: World) -> None:
    asked = 0
    at = 100.0

    async def count() -> bool:
        nonlocal asked
        asked += 1
        return True

    readiness = Readiness(replace(world.parts(), readiness={"store": count}), lambda: at)
    await asyncio.gather(*(readiness.answers() for _ in range(50)))
    assert asked == 1
    at += REMEMBERED_S
    assert await readiness.answers() == [("store", True)]
    assert asked == 2


async def test_hooks_of_the_lifespan(world: World) -> None:
    said: list[str] = []

    async def started() -> None:
        said.append("started")

    async def stopped() -> None:
        said.append("stopped")

    async with world.client(on_startup=(started,), on_shutdown=(stopped,)) as client:
        assert said == ["started"]
        await client.get("/health/live")
    assert said == ["started", "stopped"]
