"""A small ERP that does to its callers what real ones do, over real sockets: it posts late, loses answers, answers 502
after it posted, and never notices that it was told the same twice.

It speaks as much of OData V2 as orders and journal entries need, and shares no line with the driver that it tests. Its
books lie on disk, one for each first part of the address: `/w3/legacy` is the book `w3/legacy.jsonl`.

Run as `python -m tests.faults.fault_erp DIRECTORY`; the port is told on stdout. `POST /control` with
`{"world", "seed", "weights"}` says how a world's ERPs behave from now on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from tests.faults.books import Book

POSTING_WAYS: Final = (
    *("fine", "slow", "late", "answer_lost", "half_an_answer", "bad_gateway", "busy", "unavailable", "cut", "refused"),
)
"""What may become of a posting. Posted: fine, slow, late, answer_lost, half_an_answer, bad_gateway."""
SLOW_S: Final = (0.2, 0.4)
LATE_S: Final = (0.8, 2.6)
LATEST_S: Final = 2.7
"""Nothing is posted later than this after its request came, however busy the machine: longest_execution of the
gateways under fault is longer."""
BEAT_S: Final = 0.02
ASKING_FAILS: Final = 0.25
"""Of a faulty world's inquiries."""
_CONDITION: Final = re.compile(r"\A([A-Za-z]+) eq '((?:[^']|'')*)'\Z")


class _Cut(Exception):
    """The connection is to be ended now."""


class FaultErp:
    """All ERPs of all worlds."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._books: dict[str, Book] = {}
        self._worlds: dict[str, tuple[Random, dict[str, float]]] = {}
        self._told: Counter[str] = Counter()
        self._postings: set[asyncio.Task[Any]] = set()
        self._beats = (time.monotonic(), time.monotonic())

    async def beat(self) -> None:
        """For ever: note when requests were looked at. What is read after a stall may have come as it began."""
        while True:
            self._beats = (self._beats[1], time.monotonic())
            await asyncio.sleep(BEAT_S)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, _Cut):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, target, _ = head[0].split(" ")
                await self._answer(method, target, body, writer)
        writer.transport.abort()

    async def _answer(self, method: str, target: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        address = urlsplit(target)
        path = unquote(address.path)
        if path == "/control":
            asked = json.loads(body)
            self._worlds[asked["world"]] = (Random(asked["seed"]), dict(asked["weights"]))
            await _send(writer, 200, {"told": dict(self._told)})
            return
        _, world, system, *rest = path.split("/")
        name = rest[-1]
        if name == "token":
            token = {"access_token": "token", "token_type": "Bearer", "expires_in": 3600}
            await _send(writer, 200, token)
        elif method == "POST":
            await self._create(world, system, name, json.loads(body), writer)
        elif name in {"A_SalesOrder", "A_JournalEntry"}:
            await self._find(world, system, name, parse_qs(address.query), writer)
        else:
            await _send(writer, 200, {"d": {"EntitySets": []}}, {"x-csrf-token": "csrf"})

    def _book(self, world: str, system: str) -> Book:
        name = f"{world}/{system}"
        if name not in self._books:
            path = self._directory / world / f"{system}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._books[name] = Book.opened(path)
        return self._books[name]

    def _chance(self, world: str) -> tuple[Random, dict[str, float]]:
        return self._worlds.get(world, (Random(0), {"fine": 1.0}))

    async def _create(
        self, world: str, system: str, entity_set: str, sent: dict[str, Any], writer: asyncio.StreamWriter
    ) -> None:
        chance, weights = self._chance(world)
        (way,) = chance.choices(list(weights), list(weights.values()))
        self._told[way] += 1
        if way == "cut":
            raise _Cut
        if way == "busy":
            await _send(writer, 503, _problem("/IWFND/CM_MGW_RT", "too many requests"), {"retry-after": "0"})
        elif way == "unavailable":
            await _send(writer, 503, "<html>not now</html>")
        elif way == "refused":
            await _send(writer, 400, _problem("V1/555", "the period is not open"))
        else:
            wait = {"slow": chance.uniform(*SLOW_S), "late": chance.uniform(*LATE_S)}.get(way, 0.0)
            # of its own: who asked may be gone by then
            posting = asyncio.create_task(self._post(self._book(world, system), entity_set, sent, wait))
            self._postings.add(posting)
            posting.add_done_callback(self._postings.discard)
            made = await asyncio.shield(posting)
            if made is None or way == "answer_lost":
                raise _Cut
            if way == "bad_gateway":
                await _send(writer, 502, "<html>bad gateway</html>")
            else:
                await _send(writer, 201, {"d": made}, half=way == "half_an_answer")

    async def _post(self, book: Book, entity_set: str, sent: dict[str, Any], wait: float) -> dict[str, Any] | None:
        came_at = self._beats[0]  # or later
        await asyncio.sleep(wait)
        if time.monotonic() - came_at > LATEST_S:
            return None  # the machine slept; an ERP that kept its word would not post any more
        return book.post(entity_set, sent)

    async def _find(
        self, world: str, system: str, entity_set: str, query: Mapping[str, list[str]], writer: asyncio.StreamWriter
    ) -> None:
        chance, weights = self._chance(world)
        if set(weights) != {"fine"} and chance.random() < ASKING_FAILS:
            way = chance.choice(("unavailable", "cut", "slow"))
            self._told[f"inquiry {way}"] += 1
            if way == "cut":
                raise _Cut
            if way == "unavailable":
                await _send(writer, 503, "<html>not now</html>")
                return
            await asyncio.sleep(chance.uniform(*SLOW_S))
        matches = [_CONDITION.match(one) for one in query["$filter"][0].split(" and ")]
        conditions = [(one[1], one[2].replace("''", "'")) for one in matches if one is not None]
        assert len(conditions) == len(matches), query["$filter"]
        await _send(writer, 200, {"d": {"results": self._book(world, system).found(entity_set, conditions)}})


def _problem(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": {"lang": "en", "value": message}}}


async def _send(
    writer: asyncio.StreamWriter,
    status: int,
    said: object,
    headers: Mapping[str, str] | None = None,
    *,
    half: bool = False,
) -> None:
    body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
    kind = "text/html" if isinstance(said, str) else "application/json"
    lines = [f"HTTP/1.1 {status} -", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body[: len(body) // 2 if half else None])
    await writer.drain()
    if half:
        raise _Cut


async def _serve(directory: Path) -> None:
    erp = FaultErp(directory)
    beating = asyncio.create_task(erp.beat())
    listener = await asyncio.start_server(erp.serve, "127.0.0.1", 0, limit=1_000_000)
    print(listener.sockets[0].getsockname()[1], flush=True)
    # its starter holds the other end: when that ends, so does this
    await asyncio.to_thread(sys.stdin.read)
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
