"""/health: whether the process answers, and whether each part of it can work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.serialization import encode_json

from gateway.api.answer import JSON, Answer
from gateway.api.examples import LIVENESS, READINESS
from gateway.api.guard import public
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts, ReadinessCheck
from gateway.api.query import read_query
from gateway.api.schemas import LivenessAnswer, ReadinessAnswer
from gateway.errors import Problem

AnyRequest = Request[Any, Any, Any]

REMEMBERED_S: Final = 1.0
"""For this long an answer is given again: the route is public, and each check costs a part some work."""

_ALIVE: Final = b'{"alive":true}'
_log = structlog.get_logger("gateway.api")


class Readiness:
    """Asks every part at most once in `REMEMBERED_S`."""

    def __init__(self, parts: AppParts, monotonic: Callable[[], float] | None = None) -> None:
        self._checks = {**parts.readiness, **parts.watched}
        self._needed = frozenset(parts.readiness)
        self._seconds = parts.limits.check_seconds
        self._monotonic = monotonic
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._answers: list[tuple[str, bool]] = []

    def needs(self, name: str) -> bool:
        """Whether the gateway cannot serve without this part."""
        return name in self._needed

    async def answers(self) -> list[tuple[str, bool]]:
        """Part and whether it is ready, in the order in which they were handed in."""
        now = self._monotonic or asyncio.get_running_loop().time
        async with self._asking:
            if now() - self._asked_at >= REMEMBERED_S:
                ready = await asyncio.gather(
                    *(_is_ready(name, check, self._seconds) for name, check in self._checks.items())
                )
                self._answers = list(zip(self._checks, ready, strict=True))
                self._asked_at = now()
            return self._answers


async def _is_ready(name: str, check: ReadinessCheck, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await check()
    except Exception as error:  # whatever a part raises, it is not ready
        _log.warning("part_not_ready", part=name, exc_info=error)
        return False


def health_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """Live and ready."""
    readiness = Readiness(parts)

    @get(
        "/health/live",
        operation_id="getLiveness",
        summary="Whether the process answers",
        tags=["health"],
        opt=described(public(), Operation(answers={200: LivenessAnswer}, answer_examples={200: LIVENESS})),
    )
    async def live(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        return Answer(200, _ALIVE, JSON)

    @get(
        "/health/ready",
        operation_id="getReadiness",
        summary="Whether requests can be served, and how each part is",
        tags=["health"],
        opt=described(public(), Operation(answers={200: ReadinessAnswer}, answer_examples={200: READINESS})),
    )
    async def ready(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        if parts.leaving.begun:
            raise Problem("not-ready", "Not ready: this process is about to end.", retry_after_s=5)
        answers = await readiness.answers()
        listed = [{"name": name, "ready": is_ready, "needed": readiness.needs(name)} for name, is_ready in answers]
        missing = [name for name, is_ready in answers if not is_ready and readiness.needs(name)]
        if missing:
            raise Problem("not-ready", f"Not ready: {', '.join(missing)}.", retry_after_s=5, extra={"parts": listed})
        return Answer(200, encode_json({"ready": True, "parts": listed}), JSON)

    return [live, ready]
