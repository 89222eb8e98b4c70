"""A TCP proxy of the tests, which cuts connections half-way: through a request, through an answer, before either."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Final

SHARE: Final = 0.35
"""Of the pieces that pass are cut."""


class CuttingProxy:
    """Between two peers of which neither knows. `port`: where the far one listens. `share`: of the pieces that pass
    are cut. `is_down`: whoever comes is turned away."""

    def __init__(self, port: int, chance: Random, share: float = SHARE) -> None:
        self._port = port
        self._chance = chance
        self.share = share
        self.is_down = False
        self.cuts: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if self.is_down:
            writer.transport.abort()
            return
        try:
            theirs, to_them = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        there = asyncio.create_task(self._pipe(reader, to_them, "request"))
        back = asyncio.create_task(self._pipe(theirs, writer, "answer"))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.cancel()
            back.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            writer.transport.abort()
            to_them.transport.abort()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, what: str) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if self._chance.random() < self.share:
                    # what was written before the end is sent; the rest never is
                    writer.write(data[: self._chance.randrange(len(data))])
                    await writer.drain()
                    await asyncio.sleep(0.01)
                    self.cuts[what] += 1
                    return
                if self.is_down:
                    return
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def cutting(port: int, chance: Random, share: float = SHARE) -> AsyncIterator[tuple[CuttingProxy, int]]:
    """A proxy in front of that port, and its own port."""
    proxy = CuttingProxy(port, chance, share)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        yield proxy, listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
