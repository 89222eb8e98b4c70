"""The instant before the first byte: `permit`, connections that ended while idle, answers that nobody asked for."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator

import pytest

from adapters.errors import NotSent, OutcomeUnknown
from adapters.transport import ErpRequest, HttpTransport, TransportLimits
from tests.wire.messages import SeenRequest, answer
from tests.wire.peer import answering, nobody, until


class LeaseLost(Exception):
    """What the gateway may raise."""


@contextlib.contextmanager
def _unaccepted() -> Iterator[tuple[socket.socket, str]]:
    """A listener whose connections nobody accepts but the test itself: the kernel takes connections and bytes, so
    what was sent can be looked at from within the call."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("body", [None, b"", b"{}", b"x" * 3_000_000], ids=["none", "empty", "small", "large"])
@pytest.mark.parametrize(
    "refusal",
    [LeaseLost("held by another"), NotSent("x"), TimeoutError(), ConnectionResetError(104, "x"), ssl.SSLError("x")],
    ids=lambda refusal: type(refusal).__name__,
)
async def test_what_permit_raises_comes_out_unchanged_and_nothing_was_sent(
    body: bytes | None, refusal: Exception
) -> None:
    calls: list[int] = []

    def permit() -> None:
        calls.append(1)
        raise refusal

    with _unaccepted() as (listener, address):
        transport = HttpTransport(address)
        with pytest.raises(type(refusal)) as raised:
            await transport.send(ErpRequest("POST", "/orders", body=body), permit)
        await transport.aclose()
        with listener.accept()[0] as connection:
            connection.settimeout(5)
            received = connection.recv(1)
    assert raised.value is refusal
    assert calls == [1]
    assert received == b""


async def test_permit_is_asked_only_when_a_connection_is_had() -> None:
    async with nobody() as address:
        transport = HttpTransport(address)
        with pytest.raises(NotSent):
            await transport.send(ErpRequest("POST", "/", body=b"{}"), pytest.fail)
        await transport.aclose()


async def test_permit_is_the_last_thing_before_the_first_byte() -> None:
    """Whatever the event loop did between `permit` and the bytes would be time that no lease covers."""
    at_next_turn: list[bytes] = []
    with _unaccepted() as (listener, address):

        def look() -> None:
            with listener.accept()[0] as connection:
                connection.setblocking(False)
                at_next_turn.append(connection.recv(65_536))
                connection.send(answer("200 OK"))

        def permit() -> None:
            asyncio.get_running_loop().call_soon(look)

        transport = HttpTransport(address, TransportLimits(total_s=5))
        for body in (b"{}", b"x" * 3_000_000, None):
            at_next_turn.clear()
            with contextlib.suppress(OutcomeUnknown):
                await transport.send(ErpRequest("POST", "/", body=body), permit)
            assert at_next_turn[0].startswith(b"POST / HTTP/1.1\r\n")
        await transport.aclose()


async def test_an_idle_connection_that_the_peer_closed_is_replaced_before_anything_is_sent() -> None:
    """The end lies unread in the socket: the event loop had no turn to see it."""
    async with answering() as peer:
        transport = HttpTransport(peer.base_url)
        await transport.send(ErpRequest("GET", "/"))
        assert peer.connections == 1
        permits: list[int] = []
        peer.end_connections()
        # No await between here and the request's first byte gives the loop a chance to notice.
        response = await transport.send(ErpRequest("POST", "/orders", body=b"{}"), lambda: permits.append(1))
        assert response.body == b"ok"
        assert permits == [1]
        assert [seen.method for seen in peer.requests] == ["GET", "POST"]
        assert peer.connections == 2
        await transport.aclose()


async def test_a_connection_idle_for_too_long_is_not_used_again() -> None:
    async with answering() as peer:
        transport = HttpTransport(peer.base_url, TransportLimits(idle_s=0.1))
        await transport.send(ErpRequest("GET", "/"))
        await until(lambda: peer.open == 0)
        await transport.send(ErpRequest("POST", "/", body=b"{}"))
        assert peer.connections == 2
        await transport.aclose()


async def test_connections_are_reused() -> None:
    async with answering() as peer:
        transport = HttpTransport(peer.base_url)
        for _ in range(10):
            await transport.send(ErpRequest("POST", "/", body=b"{}"))
        assert peer.connections == 1
        await transport.aclose()


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_request() -> None:
    """A peer or proxy that answers twice must not tell us that the next document has the number of the last."""
    late = asyncio.Event()

    async def serve(request: SeenRequest, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(answer("200 OK", request.body))
        await writer.drain()
        if request.body == b"first":
            await late.wait()
            writer.write(answer("200 OK", b"first again"))
            await writer.drain()
        return True

    async with answering() as peer:
        peer.serve = serve
        transport = HttpTransport(peer.base_url)
        first = await transport.send(ErpRequest("POST", "/", body=b"first"))
        assert first.body == b"first"
        late.set()
        # Long enough for the loop to read it into the idle connection, and once more without that.
        for _ in range(20):
            await asyncio.sleep(0)
        second = await transport.send(ErpRequest("POST", "/", body=b"second"))
        assert second.body == b"second"
        assert [seen.body for seen in peer.requests] == [b"first", b"second"]
        await transport.aclose()
