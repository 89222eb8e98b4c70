"""A raw TCP peer that reads requests, counts exactly what it read, and answers as told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self

from tests.wire.messages import SeenRequest, answer, read_request
from tests.wire.misbehaviours import Act

WAIT_S = 60.0
"""Longest wait for a condition of a test, in seconds."""


async def until(condition: Callable[[], bool], *, within_s: float = WAIT_S) -> None:
    """Wait until `condition` holds; TimeoutError after `within_s` seconds."""
    async with asyncio.timeout(within_s):
        # The conditions are counters of peers and processes, which set no event.
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


Serve = Callable[[SeenRequest, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]
"""Answers one request; True if the connection stays open for another."""


class TcpPeer:
    """Listens on a free port of 127.0.0.1 while its context is open.

    `requests`: every whole request that was read, in order. `connections`: how many were accepted. `open`: how many
    are open now. `serve` may be replaced while it runs.
    """

    def __init__(self, serve: Serve, *, tls: ssl.SSLContext | None = None) -> None:
        self.serve = serve
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.requests: list[SeenRequest] = []
        self.connections = 0
        self.open = 0

    @property
    def base_url(self) -> str:
        """Its address."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def end_connections(self) -> None:
        """Send the end of every open connection at once, without a turn of the event loop."""
        for writer in self._writers:
            writer.get_extra_info("socket").shutdown(socket.SHUT_WR)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        self.open += 1
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            # The caller left, or the test ended: both are what tests do to a peer.
            pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await read_request(reader)) is not None:
            self.requests.append(request)
            if not await self.serve(request, reader, writer):
                return


def misbehaving(act: Act, *, tls: ssl.SSLContext | None = None) -> TcpPeer:
    """A peer that does `act` to every request and then closes."""

    async def serve(_: SeenRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await act(reader, writer)
        return False

    return TcpPeer(serve, tls=tls)


def answering(body: bytes = b"ok", *, tls: ssl.SSLContext | None = None) -> TcpPeer:
    """A peer that answers every request with 200 and keeps the connection."""

    async def serve(_: SeenRequest, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(answer("200 OK", body))
        await writer.drain()
        return True

    return TcpPeer(serve, tls=tls)


@contextlib.asynccontextmanager
async def nobody() -> AsyncIterator[str]:
    """An address where nothing listens while the context is open: connections are refused."""
    # Bound, so that nobody else gets the port, but not listening.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
