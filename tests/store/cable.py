"""A cable between client and server that can be cut at a chosen moment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

SOCKET = ".s.PGSQL.5432"


class Cable:
    """Between client and server; is cut when the client has said `cut_after`, and its answer is lost."""

    def __init__(self, server_socket: Path, directory: Path) -> None:
        self._server_socket = server_socket
        self.directory = directory
        self.cut_after: bytes | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def ended(self) -> None:
        """After the last connection has gone."""
        await asyncio.gather(*self._connections)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = asyncio.current_task()
        assert this is not None
        self._connections.add(this)
        server_reader, server_writer = await asyncio.open_unix_connection(self._server_socket)
        cutting = False

        def sees(data: bytes) -> bytes:
            nonlocal cutting
            cutting = cutting or (self.cut_after is not None and self.cut_after in data)
            return data

        def answers(data: bytes) -> bytes:
            return b"" if cutting else data

        there = asyncio.create_task(_pass_on(reader, server_writer, sees))
        back = asyncio.create_task(_pass_on(server_reader, writer, answers))
        await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        for task in (there, back):
            task.cancel()
        await asyncio.gather(there, back, return_exceptions=True)
        for end in (writer, server_writer):
            end.close()
            with contextlib.suppress(ConnectionError):
                await end.wait_closed()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, through: Callable[[bytes], bytes]
) -> None:
    while data := through(await reader.read(65_536)):
        writer.write(data)
        await writer.drain()
