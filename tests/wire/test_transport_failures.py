"""Every way in which a peer can misbehave, and what the transport makes of it; the peer sees each request once."""

from __future__ import annotations

import asyncio
import socket
import time
import tracemalloc
from dataclasses import replace

import pytest

from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown
from adapters.transport import ErpRequest, HttpTransport, TransportLimits
from tests.wire.misbehaviours import MISBEHAVIOURS, Misbehaviour, by_name, until_left
from tests.wire.peer import answering, misbehaving, nobody, until

LIMITS = TransportLimits(total_s=20.0, connect_s=10.0, pool=4, pool_wait_s=0.2, body_bytes=1_000_000)
HASTY = replace(LIMITS, total_s=0.4)
"""Of calls that only their total time ends."""
SECRET = "c2VjcmV0LXBhc3N3b3Jk"
METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")


def request(method: str = "POST", body: bytes | None = b"<order/>") -> ErpRequest:
    """A request with credentials."""
    return ErpRequest(method, "/sap/orders", headers={"Authorization": f"Basic {SECRET}"}, body=body)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("one", MISBEHAVIOURS, ids=lambda one: one.name)
async def test_each_misbehaviour_has_its_class_and_the_peer_sees_one_request(one: Misbehaviour, method: str) -> None:
    permits: list[int] = []
    limits = LIMITS if one.ends_in_time else HASTY
    async with misbehaving(one.act) as peer:
        transport = HttpTransport(peer.base_url, limits, system_id="legacy-main")
        began = time.monotonic()
        outcome: ErpError | None = None
        try:
            await transport.send(
                request(method, None if method in {"GET", "DELETE"} else b"{}"), lambda: permits.append(1)
            )
        except ErpError as error:
            outcome = error
        took = time.monotonic() - began
        await transport.aclose()
        await until(lambda: peer.open == 0)
    assert type(outcome) is (one.transport or type(None))
    assert len(peer.requests) == 1
    assert len(permits) == 1
    if one.ends_in_time:
        assert took < limits.total_s * 0.9
    else:
        assert limits.total_s * 0.9 <= took < limits.total_s + 10.0
    if outcome is not None:
        assert SECRET not in f"{outcome} {outcome!r} {outcome.__dict__}"
        # aiohttp's errors hold the request's headers; none may hang on ours.
        assert outcome.__cause__ is None
        assert outcome.__context__ is None


async def test_a_cut_on_a_kept_alive_connection_is_not_sent_again() -> None:
    """aiohttp by itself re-sends PUT, DELETE and GET here; this counts what the peer reads."""
    for method in METHODS:
        async with answering() as peer:
            transport = HttpTransport(peer.base_url, LIMITS)
            await transport.send(request("GET", None))
            assert peer.connections == 1

            peer.serve = misbehaving(by_name("reset").act).serve
            with pytest.raises(OutcomeUnknown):
                await transport.send(request(method, None if method in {"GET", "DELETE"} else b"{}"), lambda: None)
            await transport.aclose()
            assert [seen.method for seen in peer.requests] == ["GET", method]
            assert peer.connections == 1


async def test_nobody_listens_is_not_sent() -> None:
    async with nobody() as address:
        transport = HttpTransport(address, LIMITS)
        with pytest.raises(NotSent, match="ECONNREFUSED"):
            await transport.send(request(), pytest.fail)
        await transport.aclose()


async def test_a_name_that_does_not_resolve_is_not_sent() -> None:
    transport = HttpTransport("http://erp.invalid", LIMITS)
    with pytest.raises(NotSent):
        await transport.send(request(), pytest.fail)
    await transport.aclose()


async def test_a_connection_that_is_not_made_in_time_is_not_sent() -> None:
    """A listener whose queue is full: the handshake never ends."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(address)
            transport = HttpTransport(f"http://127.0.0.1:{address[1]}", TransportLimits(connect_s=0.3, total_s=30))
            began = time.monotonic()
            with pytest.raises(NotSent):
                await transport.send(request(), pytest.fail)
            assert time.monotonic() - began < 20
            await transport.aclose()
        finally:
            for one in waiting:
                one.close()


async def test_the_total_time_ends_a_connection_that_is_not_made_too() -> None:
    async with misbehaving(by_name("never").act) as peer:
        transport = HttpTransport(peer.base_url.replace("http:", "https:"), TransportLimits(connect_s=30, total_s=0.3))
        # The peer waits for the end of a header and never answers the TLS greeting.
        with pytest.raises(NotSent):
            await transport.send(request(), pytest.fail)
        await transport.aclose()
        assert peer.requests == []


async def test_a_full_pool_is_not_sent_and_the_peer_sees_nothing_of_it() -> None:
    async with misbehaving(by_name("never").act) as peer:
        transport = HttpTransport(peer.base_url, TransportLimits(total_s=30, pool=2, pool_wait_s=0.1))
        busy = [asyncio.create_task(transport.send(request())) for _ in range(2)]
        await until(lambda: len(peer.requests) == 2)
        with pytest.raises(NotSent, match="busy"):
            await transport.send(request(), pytest.fail)
        assert len(peer.requests) == 2
        assert peer.connections == 2
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
        await transport.aclose()


async def test_a_pool_grows_for_who_waits_and_shrinks_as_calls_end() -> None:
    async with misbehaving(by_name("never").act) as peer:
        transport = HttpTransport(peer.base_url, TransportLimits(total_s=30, pool=1, pool_wait_s=0.1))
        busy = [asyncio.create_task(transport.send(request()))]
        await until(lambda: len(peer.requests) == 1)
        busy.append(asyncio.create_task(transport.send(request())))
        await asyncio.sleep(0)
        transport.resize(3)
        busy.append(asyncio.create_task(transport.send(request())))
        await until(lambda: len(peer.requests) == 3)
        transport.resize(1)
        for task in busy[:2]:
            task.cancel()
        await asyncio.gather(*busy[:2], return_exceptions=True)
        with pytest.raises(NotSent, match="all 1 connections stayed busy"):
            await transport.send(request(), pytest.fail)
        busy[2].cancel()
        await asyncio.gather(busy[2], return_exceptions=True)
        peer.serve = answering().serve
        assert (await transport.send(request())).body == b"ok"
        await transport.aclose()


async def test_a_slot_is_given_back_after_every_kind_of_end() -> None:
    async with misbehaving(by_name("garbage-status-line").act) as peer:
        transport = HttpTransport(peer.base_url, TransportLimits(total_s=20, pool=1, pool_wait_s=5))
        for _ in range(3):
            with pytest.raises(Garbled):
                await transport.send(request())
        peer.serve = answering().serve
        assert (await transport.send(request())).body == b"ok"
        await transport.aclose()


async def test_cancelling_the_caller_ends_the_call_and_the_connection() -> None:
    gone = asyncio.Event()

    async def act(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await until_left(reader)
        gone.set()

    async with misbehaving(act) as peer:
        transport = HttpTransport(peer.base_url, TransportLimits(total_s=30))
        call = asyncio.create_task(transport.send(request()))
        await until(lambda: len(peer.requests) == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(20):
            await gone.wait()
        await transport.aclose()


async def test_closing_the_transport_leaves_calls_under_way_unknown_and_sends_no_more() -> None:
    async with misbehaving(by_name("never").act) as peer:
        transport = HttpTransport(peer.base_url, TransportLimits(total_s=30))
        call = asyncio.create_task(transport.send(request()))
        await until(lambda: len(peer.requests) == 1)
        await transport.aclose()
        with pytest.raises(OutcomeUnknown):
            await call
        with pytest.raises(NotSent):
            await transport.send(request(), pytest.fail)
        assert len(peer.requests) == 1


@pytest.mark.parametrize("name", ["two-gb", "two-gb-chunked", "two-gb-until-close", "gzip-bomb"])
async def test_what_is_too_long_is_never_held(name: str) -> None:
    async with misbehaving(by_name(name).act) as peer:
        transport = HttpTransport(peer.base_url, TransportLimits(body_bytes=500_000))
        tracemalloc.start()
        try:
            with pytest.raises(Garbled):
                await transport.send(request())
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        await transport.aclose()
    assert most < 8_000_000


async def test_headers_that_are_not_ours_to_set_are_refused_without_their_value() -> None:
    async with answering() as peer:
        transport = HttpTransport(peer.base_url)
        for name, value in (("Host", "x"), ("content-length", "1"), ("X-Key", f"{SECRET}\r\nEvil: 1"), ("Ü", "1")):
            with pytest.raises(Misconfigured) as refused:
                await transport.send(ErpRequest("POST", "/", headers={name: value}), pytest.fail)
            assert SECRET not in str(refused.value)
        await transport.aclose()
        assert peer.connections == 0
