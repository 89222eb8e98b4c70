"""What is done to a gateway in a soak, one thing after the other, none of which ends its process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from tests.faults.callers import Asked
from tests.faults.cutting_proxy import SHARE, CuttingProxy
from tests.faults.soak_load import SteadyCallers
from tests.faults.world import World

USUAL: Final = {"fine": 0.9, "slow": 0.08, "refused": 0.02}
BAD_REQUESTS: Final = 60
VANISHING: Final = 30
TOO_LARGE: Final = 3_000_000


@dataclass(frozen=True, slots=True)
class Scene:
    """The world of a soak. `callers`: its load. `of_callers`, `to_erps`: what its connections pass through. `lasts_s`:
    how long a fault is."""

    world: World
    callers: SteadyCallers
    of_callers: CuttingProxy
    to_erps: CuttingProxy
    lasts_s: float


def _erp(**weights: float) -> Callable[[Scene], Awaitable[None]]:
    async def behaves(scene: Scene) -> None:
        await scene.world.behave(weights)
        await asyncio.sleep(scene.lasts_s)
        await scene.world.behave(USUAL)

    return behaves


async def _erp_is_down(scene: Scene) -> None:
    scene.to_erps.is_down = True
    await asyncio.sleep(scene.lasts_s)
    scene.to_erps.is_down = False


async def _nats_dies(scene: Scene) -> None:
    if (pid := scene.world.nats.pid) is not None:
        os.kill(pid, signal.SIGKILL)


async def _connections_are_cut(scene: Scene) -> None:
    scene.of_callers.share = scene.to_erps.share = SHARE
    await asyncio.sleep(scene.lasts_s)
    scene.of_callers.share = scene.to_erps.share = 0.0


async def _bad_requests(scene: Scene) -> None:
    """Each is answered, and none with a 5xx."""
    salesforce = {"Authorization": f"Bearer {scene.callers.tokens['salesforce']}"}
    bad: tuple[tuple[dict[str, str], bytes], ...] = (
        (salesforce, b"{"),
        (salesforce, b'{"externalId": "X", "surprise": true}'),
        (salesforce, b"[" * 20_000),
        (salesforce, b'{"externalId": "' + b"x" * TOO_LARGE + b'"}'),
        (salesforce | {"Idempotency-Key": "k" * 5_000}, b"{}"),
        (salesforce | {"Content-Type": "text/xml"}, b"<order/>"),
        ({"Authorization": "Bearer nobody"}, b"{}"),
        ({}, b"{}"),
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{scene.world.port}", timeout=10) as http:
        for number in range(BAD_REQUESTS):
            headers, body = bad[number % len(bad)]
            try:
                answer = await http.post(
                    "/v1/orders", content=body, headers={"Content-Type": "application/json"} | headers
                )
            except httpx.TransportError:
                continue  # an answer before the end of a body that is too large may end the connection
            if not 400 <= answer.status_code < 500:
                scene.callers.violations.append(f"bad request {number % len(bad)} was answered {answer.status_code}")


async def _callers_vanish(scene: Scene) -> None:
    """In the middle of their request, or right after it; some of them go without ending their connection at first."""
    writers = []
    for number in range(VANISHING):
        whole = _request(scene.callers, scene.callers.nobody_waits_for())
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", scene.world.port)
        except OSError:
            continue
        writer.write(whole[: len(whole) // 2] if number % 2 else whole)
        writers.append(writer)
        if number % 3:
            writer.transport.abort()
        await asyncio.sleep(0.02)
    await asyncio.sleep(scene.lasts_s)
    for writer in writers:
        writer.transport.abort()


def _request(callers: SteadyCallers, one: Asked) -> bytes:
    headers = callers.headers(one, "wait=1")
    return bytes(_raw(httpx.Request("POST", f"http://127.0.0.1/v1/{one.domain}", headers=headers, json=one.body)))


def _raw(request: httpx.Request) -> bytes:
    head = [f"POST {request.url.path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    return "\r\n".join([*head, "", ""]).encode() + request.content


FAULTS: Final[Mapping[str, Callable[[Scene], Awaitable[None]]]] = {
    "ERPs are slow": _erp(slow=0.7, late=0.3),
    "answers are lost": _erp(fine=0.4, answer_lost=0.3, half_an_answer=0.3),
    "502 after posting": _erp(fine=0.4, bad_gateway=0.6),
    "ERPs are busy": _erp(busy=0.7, fine=0.3),
    "ERPs say 503": _erp(unavailable=1.0),
    "ERPs are down": _erp_is_down,
    "NATS dies": _nats_dies,
    "connections are cut": _connections_are_cut,
    "bad requests": _bad_requests,
    "callers vanish": _callers_vanish,
}
"""In the order of their turns. What an ERP does not do any more when a fault ends, the gateway still has to mend."""
