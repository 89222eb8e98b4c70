"""The smallest ERP: a raw HTTP/1.1 server that takes any POST and answers with the next document number.

It parses nothing but the length of the body, so that what the benchmark measures is not the ERP. Run as a process:
`python -m benchmarks.erp_stub` prints its port.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from typing import cast

import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Stub(asyncio.Protocol):
    """One connection, kept alive; requests one after the other."""

    _numbers = itertools.count(1)

    def __init__(self) -> None:
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (size := request_size(self._received)) is not None:
            del self._received[:size]
            self.answer()

    def answer(self) -> None:
        """The next document number."""
        body = b'{"documentNumber":"%010d"}' % next(self._numbers)
        head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        assert self._transport is not None
        self._transport.write(head + body)


def request_size(received: bytearray) -> int | None:
    """Bytes of the first request, None while it is incomplete."""
    end = received.find(_HEAD_END)
    if end < 0:
        return None
    head = bytes(received[:end]).lower()
    start = head.find(_LENGTH)
    length = int(head[start + len(_LENGTH) :].split(b"\r\n", 1)[0]) if start >= 0 else 0
    size = end + len(_HEAD_END) + length
    return size if len(received) >= size else None


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
