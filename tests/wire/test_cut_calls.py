"""A call that has ended leaves nothing behind that could leave later: what a sender says of its end must be true."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from adapters.errors import OutcomeUnknown
from adapters.transport import ErpRequest, HttpTransport, TransportLimits
from adapters.transport_once import Gate
from tests.wire.certificates import self_signed

BODY = 500_000
_IN_THE_KERNEL = 50_000
"""More than the narrow buffers of both sides hold, and than what was read before the answer (TLS: whole records)."""


@contextlib.contextmanager
def _who_reads_nothing() -> Iterator[tuple[socket.socket, str]]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(autouse=True)
def _little_room_in_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a slow line: most of the body stays in the process."""
    true_open = Gate.open

    def narrowed(gate: Gate, connection) -> None:  # type: ignore[no-untyped-def]  # aiohttp's, which no test names
        true_open(gate, connection)
        connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)

    monkeypatch.setattr(Gate, "open", narrowed)


async def _received(listener: socket.socket) -> int:
    """All that ever comes of the request."""
    loop = asyncio.get_running_loop()
    count = 0
    with listener.accept()[0] as connection, contextlib.suppress(ConnectionError):
        connection.setblocking(False)
        async with asyncio.timeout(30):
            while piece := await loop.sock_recv(connection, 1 << 20):
                count += len(piece)
    return count


async def test_what_a_peer_did_not_take_before_the_end_of_the_call_never_leaves() -> None:
    with _who_reads_nothing() as (listener, address):
        transport = HttpTransport(address, TransportLimits(total_s=1.0))
        with pytest.raises(OutcomeUnknown):
            await transport.send(ErpRequest("POST", "/orders", body=b"x" * BODY))
        assert 0 < await _received(listener) < BODY / 2
        await transport.aclose()


async def test_nor_does_it_after_the_call_was_cancelled() -> None:
    begun = asyncio.Event()
    with _who_reads_nothing() as (listener, address):
        transport = HttpTransport(address)
        call = asyncio.create_task(transport.send(ErpRequest("POST", "/orders", body=b"x" * BODY), begun.set))
        await asyncio.wait_for(begun.wait(), 30)
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await _received(listener) < BODY / 2
        await transport.aclose()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "erp.pem"
    path.write_bytes(self_signed())
    return path


def _answers_early(listener: socket.socket, tls: ssl.SSLContext | None, answered: threading.Event) -> int:
    """Answers when it has read little of the request, keeps the connection, and reads on; all that ever comes of it."""
    count = 0
    with listener.accept()[0] as plain:
        plain.settimeout(30)
        with (
            contextlib.suppress(ConnectionError, ssl.SSLEOFError),
            tls.wrap_socket(plain, server_side=True) if tls else plain as peer,
        ):
            count += len(peer.recv(1_024))
            peer.sendall(b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 2\r\n\r\n{}")
            # what it does not read yet waits in the gateway, not in the peer
            answered.wait(30)
            while piece := peer.recv(1 << 20):
                count += len(piece)
    return count


@pytest.mark.parametrize("body", [60_000, BODY, 2_000_000])
@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_nor_after_an_answer_that_came_before_the_peer_had_it_all(
    certificate: Path, loop: Callable[[], asyncio.AbstractEventLoop], encrypted: bool, body: int
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if encrypted else None
    if tls is not None:
        tls.load_cert_chain(certificate)

    async def call(listener: socket.socket, address: str) -> int:
        trusted = ssl.create_default_context(cafile=certificate) if encrypted else None
        address = address.replace("http:", "https:") if encrypted else address
        transport = HttpTransport(address, TransportLimits(total_s=30), ssl_context=trusted)
        answered = threading.Event()
        received = asyncio.create_task(asyncio.to_thread(_answers_early, listener, tls, answered))
        response = await transport.send(ErpRequest("POST", "/orders", body=b"x" * body))
        answered.set()
        assert response.status == 504
        count = await received  # and the connection has ended, or this would time out
        await transport.aclose()
        return count

    with _who_reads_nothing() as (listener, address), asyncio.Runner(loop_factory=loop) as runner:
        assert 0 < runner.run(call(listener, address)) < _IN_THE_KERNEL
