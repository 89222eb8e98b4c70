"""The smallest ERP, in no hurry: it answers after a while, and after another while once it is told so.

Run as a process: `python -m benchmarks.slow_stub SECONDS SECONDS_AFTER_SIGUSR1` prints its port; SIGUSR1 switches.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import uvloop

from benchmarks.erp_stub import Stub, request_size


class SlowStub(Stub):
    """One connection; each request is answered after `latency_s`."""

    latency_s = 0.0

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (size := request_size(self._received)) is not None:
            del self._received[:size]
            asyncio.get_running_loop().call_later(self.latency_s, self._answer_if_there)

    def _answer_if_there(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self.answer()


async def _serve(first_s: float, then_s: float) -> None:
    loop = asyncio.get_running_loop()
    SlowStub.latency_s = first_s

    def switch() -> None:
        SlowStub.latency_s = then_s if SlowStub.latency_s == first_s else first_s

    loop.add_signal_handler(signal.SIGUSR1, switch)
    server = await loop.create_server(SlowStub, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(float(sys.argv[1]), float(sys.argv[2])))
