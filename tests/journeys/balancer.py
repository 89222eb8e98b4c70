"""A small balancer and a small ERP of the tests, both on asyncio's own streams."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

PROBE_S = 0.1


class Balancer:
    """Connections go to the ready processes in turn, and stay there. A request is never sent twice."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._turn = itertools.count()
        self.ready: set[int] = set()
        self.unserved = 0

    async def probe(self) -> None:
        """Until cancelled."""
        while True:
            for port in self._ports:
                (self.ready.add if await answers_ready(port) else self.ready.discard)(port)
            await asyncio.sleep(PROBE_S)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a caller."""
        ports = sorted(self.ready)
        for _ in range(len(ports)):
            port = ports[next(self._turn) % len(ports)]
            try:
                theirs, to_them = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue  # nothing was sent: the next one takes it
            there = asyncio.create_task(_pipe(reader, to_them))
            back = asyncio.create_task(_pipe(theirs, writer))
            try:
                # a caller's silence ends nothing; whichever side leaves, the other one is told
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                there.cancel()
                back.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
            return
        self.unserved += 1


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


async def answers_ready(port: int) -> bool:
    """Whether a gateway there says that it takes requests."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /health/ready HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n")
        line = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in line


class CountingErp:
    """Posts everything, deduplicates nothing; counts what it posted by reference and who was there at once, by path.

    A GET tells the numbers of a reference in the query, `?reference=`, in the order in which they were posted."""

    def __init__(self, answer_s: float) -> None:
        self._answer_s = answer_s
        self.posted: Counter[str] = Counter()
        self._numbers: defaultdict[str, list[str]] = defaultdict(list)
        self._there: Counter[str] = Counter()
        self.most_at_once: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the gateway's."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                await reader.readexactly(int(headers.get("content-length", "0")))
                method, target, _ = head[0].split(" ")
                if method == "GET":
                    (reference,) = parse_qs(urlsplit(target).query)["reference"]
                    await _answer(writer, "200 OK", {"documentNumbers": self._numbers[reference]})
                else:
                    number = await self._post(target, headers["x-reference"])
                    await _answer(writer, "201 Created", {"documentNumber": number})

    async def _post(self, path: str, reference: str) -> str:
        self.posted[reference] += 1
        number = f"{self.posted.total():010d}"
        self._numbers[reference].append(number)
        self._there[path] += 1
        self.most_at_once[path] = max(self.most_at_once[path], self._there[path])
        await asyncio.sleep(self._answer_s)
        self._there[path] -= 1
        return number


async def _answer(writer: asyncio.StreamWriter, status: str, told: object) -> None:
    body = json.dumps(told).encode()
    writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n".encode())
    writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()


@asynccontextmanager
async def listening(server: CountingErp | Balancer) -> AsyncIterator[int]:
    """Its port. At the end every connection is closed."""
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await server.serve(reader, writer)
        except asyncio.CancelledError:
            return
        finally:
            connections.discard(task)
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for one in connections:
            one.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
