"""A request of aiohttp that is sent at most once, and only if `permit` lets it.

What is decided here is the instant between 'a connection is had' and 'the first byte is out'. aiohttp 3.14 holds the
headers back in its writer until the first piece of the body is written (`StreamWriter.write_headers` only fills a
buffer), in a task of its own on Python 3.11, so for a request with a body that instant is the start of
`ClientRequest.write_bytes`; without a body it is the start of `ClientRequest.send`, which then awaits nothing before
it writes. Trace hooks are no place for this: `on_request_headers_sent` of a reused connection comes before the body's
task starts, and what a hook raises is mapped to errors of aiohttp.
"""

from __future__ import annotations

import asyncio
import functools
import select
import weakref
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import ClientRequest

from adapters.port import Permit

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientResponse
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection


class HeldBack(aiohttp.ClientError):
    """Nothing was sent, on purpose; `Gate` says why."""


class Gate:
    """Stands before the first byte of one request and opens at most once.

    `opened`: the first byte may be out; whatever fails from now on leaves the outcome unknown.
    `refusal`: what `permit` raised. `stale`: the connection had ended while it lay idle.
    """

    def __init__(self, permit: Permit | None, used: weakref.WeakSet[ResponseHandler]) -> None:
        """`used`: the connections of this system that have carried a request; this gate adds its own."""
        self._permit = permit
        self._used = used
        self.opened = False
        self.stale = False
        self.refusal: BaseException | None = None
        self._wire: asyncio.Transport | None = None

    async def attach(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """A middleware of aiohttp that puts this gate before the request."""
        if not isinstance(request, OnceRequest):
            raise TypeError("the session makes requests without a gate")
        request.gate = self
        return await handler(request)

    def check(self, connection: Connection) -> ResponseHandler:
        """Raise `HeldBack` if the connection ended, or holds what aiohttp would take for the answer: it keeps a message
        that arrived on an idle connection, and gives it to the next request, which may be a posting."""
        protocol = connection.protocol
        if protocol is None or not protocol.is_connected() or protocol.should_close:
            self.stale = True
            raise HeldBack
        return protocol

    def open(self, connection: Connection) -> None:
        """Let the first byte out, or raise `HeldBack`."""
        if self.opened:
            # aiohttp's own re-sending is switched off; should it ever come back, it ends here.
            raise HeldBack
        protocol = self.check(connection)
        # A fresh connection is not asked whether bytes wait on it: under TLS 1.3 session tickets do.
        if protocol in self._used and _has_input(protocol):
            self.stale = True
            raise HeldBack
        self._used.add(protocol)
        if self._permit is not None:
            try:
                self._permit()
            except BaseException as refusal:
                self.refusal = refusal
                raise HeldBack from None
        self.opened = True
        self._wire = protocol.transport
        # Called before the connection is given back or closed, while it is nobody else's.
        connection.add_callback(functools.partial(_drop_unsent, protocol))

    def cut(self, answer: ClientResponse | None) -> None:
        """End the connection of a request that failed, with what there is of its answer.

        aiohttp only closes it, and asyncio then goes on sending what was written and the peer has not taken: it would
        leave whenever the process comes to it, long after the call. A connection that a complete answer has given back
        may be another call's by now, and is left alone.
        """
        if self._wire is not None and (answer is None or answer.connection is not None):
            self._wire.abort()
        if answer is not None:
            answer.close()


class OnceRequest(ClientRequest):
    """A request with a gate before its first byte."""

    gate: Gate

    async def send(self, conn: Connection) -> ClientResponse:
        """Send it; without a body nothing is awaited between the gate and the first byte."""
        # Here too, because aiohttp begins to read the answer before it writes the body.
        self.gate.check(conn)
        if not self._body:
            self.gate.open(conn)
        return await super().send(conn)

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> None:
        """Write headers and body; the reader of the answer is told if the gate stays shut."""
        if self._body:
            try:
                self.gate.open(conn)
            except HeldBack as shut:
                if conn.protocol is not None:
                    conn.protocol.set_exception(shut)
                return
        await super().write_bytes(writer, conn, content_length)


def _drop_unsent(protocol: ResponseHandler) -> None:
    """End a connection whose request the peer has not taken whole, though it may have answered already.

    Closed, it would still send the rest; given back, the next request would wait behind it.
    """
    wire = protocol.transport
    if wire is not None and _has_unsent(wire):
        protocol.force_close()
        wire.abort()


def _has_unsent(wire: asyncio.Transport) -> bool:
    """True if bytes that were written have not left the process, as far as it shows.

    Under TLS the encrypted ones lie below the transport that can be asked; only that the socket takes no more tells of
    them.
    """
    if wire.get_write_buffer_size() > 0:
        return True
    socket = wire.get_extra_info("socket")
    if socket is None or socket.fileno() < 0 or not hasattr(select, "poll"):
        return False
    return not _is_ready(socket.fileno(), select.POLLOUT)


def _has_input(protocol: ResponseHandler) -> bool:
    """True if something waits in the socket of an idle connection: its end, or bytes that nobody asked for.

    The event loop may not have had a turn to read it. A request written after the peer's end is lost, and nobody
    could say that it was not executed; so the socket itself is asked, right before the first byte. What is on its way
    over the network can still be missed.
    """
    transport = protocol.transport
    socket = None if transport is None else transport.get_extra_info("socket")
    if socket is None or socket.fileno() < 0:
        return True
    if not hasattr(select, "poll"):
        return False
    return _is_ready(socket.fileno(), select.POLLIN)


def _is_ready(descriptor: int, event: int) -> bool:
    """True if `event` (POLLIN, POLLOUT) or an error is there, right now."""
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(0))
