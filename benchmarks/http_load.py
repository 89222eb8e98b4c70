"""The callers: each keeps one connection and sends its next order when the last one is answered.

Raw sockets, because a client library would take more of the machine than what is measured.
Run as a process: `python -m benchmarks.http_load PORT CALLERS SECONDS PREFIX TOKEN [CHANGES]` prints one JSON object.
CHANGES: members of the order that are other than usual, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from typing import cast

import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_MARK = "@external-id@"

PATIENCE_S = 20.0
"""How long after a run's end its last answers may take: longer than the gateway's own 8 s."""

_ORDER = {
    "externalId": _MARK,
    "businessUnit": "Northern",
    "geography": "FR",
    "companyCode": "NW01",
    "postingDate": "1996-07-04",
    "currencyCode": "USD",
    "customer": {"externalId": "VINET"},
    "lines": [
        {
            "lineNumber": 1,
            "product": {"externalId": "11"},
            "quantity": {"value": "12"},
            "unitPrice": "14.00",
            "netAmount": "168.00",
        }
    ],
    "totals": {"netAmount": "168.00", "grossAmount": "168.00"},
}


class Caller(asyncio.Protocol):
    """One connection. `answered` is called with (status, body) for each answer."""

    def __init__(self, done: asyncio.Event, prefix: str, token: str, until: float, changes: dict[str, str]) -> None:
        self.latencies: list[float] = []
        self.refused: dict[int, int] = {}
        self.first_refusal = ""
        self._before, self._after = json.dumps(_ORDER | changes).encode().split(_MARK.encode())
        self._token = token.encode()
        self._prefix = prefix.encode()
        self._done = done
        self._until = until
        self._sent = 0
        self._sent_at = 0.0
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._sent += 1
        body = b"%b%b-%d%b" % (self._before, self._prefix, self._sent, self._after)
        self._sent_at = time.perf_counter()
        self._transport.write(
            b"POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b" % (self._token, len(body), body)
        )

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(_HEAD_END)
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        at = head.find(_LENGTH)
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._received) < end + len(_HEAD_END) + length:
            return
        now = time.perf_counter()
        status = int(head[9:12])
        if status == 201:
            self.latencies.append(now - self._sent_at)
        else:
            self.refused[status] = self.refused.get(status, 0) + 1
            self.first_refusal = self.first_refusal or bytes(self._received[-300:]).decode("utf-8", "replace")
        self._received.clear()
        if now < self._until:
            self._send()
        else:
            self._done.set()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.is_set():
            self.refused[0] = self.refused.get(0, 0) + 1
            self._done.set()


async def _load(
    port: int, callers: int, seconds: float, prefix: str, token: str, changes: dict[str, str]
) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    ends = [asyncio.Event() for _ in range(callers)]
    made = [Caller(end, f"{prefix}-{index}", token, begun + seconds, changes) for index, end in enumerate(ends)]
    for one in made:
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)  # type: ignore[misc]
    async with asyncio.timeout(seconds + PATIENCE_S):
        await asyncio.gather(*(end.wait() for end in ends))
    taken = time.perf_counter() - begun
    ordered = sorted(latency for one in made for latency in one.latencies)
    refused = sum(count for one in made for count in one.refused.values())
    return {
        "answered": len(ordered),
        "rate": len(ordered) / taken,
        "median_ms": statistics.median(ordered) * 1_000 if ordered else None,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1_000 if ordered else None,
        "refused": refused,
        "first_refusal": next((one.first_refusal for one in made if one.first_refusal), ""),
    }


def main() -> None:
    """One run."""
    port, callers, seconds, prefix, token, *rest = sys.argv[1:]
    changes = json.loads(rest[0]) if rest else {}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(_load(int(port), int(callers), float(seconds), prefix, token, changes))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
