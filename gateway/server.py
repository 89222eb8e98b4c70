"""The HTTP server: granian inside our own uvloop, one process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar import Litestar

BACKLOG = 8_192
"""Connections that the kernel keeps for us."""
BACKPRESSURE = 8_000
"""Requests in work at once. With granian's default 1,030 silent connections made every request time out; with this
3,000 of them were harmless."""
HEAD_TIMEOUT_MS = 5_000
"""For the head of a request; bodies have a limit of their own."""
HEAD_BYTES = 65_536

_log = structlog.get_logger("gateway.server")


def run(build: Callable[[], Awaitable[Litestar]], host: str, port: int) -> None:
    """Build the application and serve it until SIGTERM or SIGINT, on uvloop, in this process."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_build_and_serve(build, host, port))


async def _build_and_serve(build: Callable[[], Awaitable[Litestar]], host: str, port: int) -> None:
    await serve(await build(), host, port)


async def serve(app: Litestar, host: str, port: int) -> None:
    """Serve until a signal asks to stop; then the lifespan's shutdown hooks have run when this returns."""
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_TIMEOUT_MS, max_buffer_size=HEAD_BYTES),
        websockets=False,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, server.stop)
    try:
        _log.info("serving", host=host, port=port)
        await server.serve()
        _log.info("stopped")
    finally:
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(one)
