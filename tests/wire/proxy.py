"""A proxy in front of a real peer that records every request and misbehaves on chosen ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

from tests.wire.messages import SeenRequest, read_answer
from tests.wire.misbehaviours import Act
from tests.wire.peer import TcpPeer


class FaultProxy:
    """Passes requests on to `target` unchanged and their answers back, but for those that `when` picks.

    `requests`: all requests read. `faulted`: those that met the fault. `passed_on`: those that `target` was given.
    """

    def __init__(
        self,
        target: str,
        *,
        when: Callable[[SeenRequest], bool] = lambda _: False,
        do: Act | None = None,
        executed: bool = False,
    ) -> None:
        """`do` is done to the requests that `when` picks, and the connection closed after it.

        With `executed` such a request is first passed on and its answer thrown away: the peer posted, and nobody is
        told. Without it the peer never sees the request.
        """
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        self._when = when
        self._do = do
        self._executed = executed
        self._listener = TcpPeer(self._serve)
        self.faulted: list[SeenRequest] = []
        self.passed_on: list[SeenRequest] = []

    @property
    def requests(self) -> list[SeenRequest]:
        """All requests read, in order."""
        return self._listener.requests

    @property
    def base_url(self) -> str:
        """Its address."""
        return self._listener.base_url

    async def __aenter__(self) -> Self:
        await self._listener.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._listener.__aexit__(*error)

    async def _serve(self, request: SeenRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if self._do is None or not self._when(request):
            given = await self._pass_on(request)
            writer.write(given)
            await writer.drain()
            return b"connection: close" not in given.partition(b"\r\n\r\n")[0].lower()
        self.faulted.append(request)
        if self._executed:
            await self._pass_on(request)
        await self._do(reader, writer)
        return False

    async def _pass_on(self, request: SeenRequest) -> bytes:
        self.passed_on.append(request)
        reader, writer = await asyncio.open_connection(*self._target)
        try:
            writer.write(request.raw)
            await writer.drain()
            return await read_answer(reader, request.method)
        finally:
            writer.close()
            await writer.wait_closed()
