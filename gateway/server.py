"""The HTTP server: granian inside our own uvloop, one process.

Asked to stop, it goes on for a while, so that whoever sends requests here sees that it is not ready; then it refuses
new connections, closes the idle ones, and answers what is under way (granian does).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar import Litestar

from gateway.stopping import Stop

BACKLOG = 8_192
"""Connections that the kernel keeps for us."""
BACKPRESSURE = 8_000
"""Requests in work at once. With granian's default 1,030 silent connections made every request time out; with this
3,000 of them were harmless."""
HEAD_TIMEOUT_MS = 5_000
"""For the head of a request; bodies have a limit of their own."""
HEAD_BYTES = 65_536
ANSWERS_S = 10.0
"""How long requests that are under way may take when the process ends; a caller waits at most 8 s."""

_log = structlog.get_logger("gateway.server")


class CannotListen(Exception):
    """Nobody can be served at that address; the text says at which, and the system's own word for it."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(f"cannot listen on {host}:{port}: {why}")


def run(build: Callable[[], Awaitable[Litestar]], host: str, port: int) -> None:
    """Build the application and serve it until SIGTERM or SIGINT, on uvloop, in this process."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_build_and_serve(build, host, port))


async def _build_and_serve(build: Callable[[], Awaitable[Litestar]], host: str, port: int) -> None:
    await serve(await build(), host, port)


async def serve(app: Litestar, host: str, port: int, *, stop: Stop | None = None, leave_s: float = 0.0) -> None:
    """Serve until a signal asks to stop; then the lifespan's shutdown hooks have run when this returns.

    `stop`: how that is heard; its block is the caller's. `leave_s`: how long is served on as before after that.
    Raises CannotListen.
    """
    if stop is None:
        stop = Stop()
        with stop.listening():
            await serve(app, host, port, stop=stop, leave_s=leave_s)
        return
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
    serving = asyncio.create_task(_served(server, host, port))
    asked = asyncio.create_task(stop.wait())
    _log.info("serving", host=host, port=port)
    try:
        await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            await asyncio.sleep(leave_s)
            server.stop()  # type: ignore[no-untyped-call]
            _, late = await asyncio.wait({serving}, timeout=ANSWERS_S)
            if late:
                _log.warning("requests_left_behind", seconds=ANSWERS_S)
    finally:
        asked.cancel()
    if serving.done():
        await serving
    _log.info("stopped")


async def _served(server: Server, host: str, port: int) -> None:
    try:
        await server.serve()
    except RuntimeError as error:  # the system's word; behind it granian puts a trace where RUST_BACKTRACE is set
        why = str(error).partition("\n")[0]
        if "os error" not in why:
            raise
        raise CannotListen(host, port, why) from None
