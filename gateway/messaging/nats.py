"""The only mouth to NATS: one connection that heals, and exchanges on it that always end.

What the client library leaves open is closed here: a request whose server was killed never resolves, publications made
while disconnected are sent at some later time, a connection may be closed for good by an error of the server, and a
cancellation may be swallowed (`asyncio.wait_for` of Python 3.11, the library's own closing).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from gateway.cancellation import cancellable, ended_within
from gateway.messaging.errors import NatsUnavailable, StreamMoved

_USER_INFO: Final = re.compile(r"//[^/@]*@")
"""RFC 3986 section 3.2.1; NATS takes user, password or token there."""


@dataclass(frozen=True, slots=True)
class NatsSettings:
    """Where NATS is, who we are there, and how long we wait (seconds).

    Attributes:
        servers: addresses such as `nats://127.0.0.1:4222`; `tls://` for TLS.
        name: shown in the server's list of connections.
        tls_ca_file: PEM of the authority that signed the servers' certificates; also switches TLS on.
        answer_timeout_s: the longest wait for one exchange, a whole batch included.
        reconnect_wait_s: between two attempts to connect again.
    """

    servers: tuple[str, ...]
    name: str = "erp-gateway"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    tls_ca_file: str | None = None
    connect_timeout_s: float = 2.0
    answer_timeout_s: float = 5.0
    reconnect_wait_s: float = 0.2
    ping_interval_s: int = 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that was delivered. `status` is NATS's own word about the delivery, empty for a message."""

    subject: str
    reply: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def status(self) -> str:
        return self.headers.get("Status", "")


class Inbox:
    """A subscription of our own to which a server delivers."""

    def __init__(self, address: str, subscription: Subscription, waits: set[asyncio.Timeout]) -> None:
        self.address = address
        self._subscription = subscription
        self._waits = waits

    @property
    def waiting(self) -> int:
        """Deliveries that can be taken without waiting."""
        return self._subscription.pending_msgs

    async def next(self, timeout_s: float) -> Delivery | None:
        """The next delivery; None when there is none in time, or the connection is lost. Raises `NatsUnavailable`."""
        try:
            with cancellable():
                async with asyncio.timeout(timeout_s) as wait:
                    self._waits.add(wait)
                    try:
                        message = await self._subscription.next_msg(timeout=None)
                    finally:
                        self._waits.discard(wait)
        except TimeoutError:
            return None
        except NatsError as error:
            raise NatsUnavailable(f"the subscription ended: {error}") from error
        return Delivery(message.subject, message.reply, message.headers or {}, message.data)

    async def close(self) -> None:
        # Over a lost connection there is nothing to unsubscribe.
        with contextlib.suppress(NatsError, OSError):
            await self._subscription.unsubscribe()


class Exchange:
    """What can be said on a connection inside `NatsConnection.exchange`."""

    def __init__(self, client: Client, timeout_s: float, waits: set[asyncio.Timeout]) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._waits = waits

    @property
    def max_payload(self) -> int:
        """Bytes that the server takes in one message, headers included."""
        return self._client.max_payload

    @property
    def server_version(self) -> tuple[int, int]:
        version = self._client.connected_server_version
        return version.major, version.minor

    async def request(
        self, subject: str, payload: bytes = b"", headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The JSON object that was answered; an empty answer is an empty object."""
        answer = await self._client.request(subject, payload, timeout=self._timeout_s, headers=headers)
        if not answer.data:
            return {}
        parsed = json.loads(answer.data)
        if not isinstance(parsed, dict):
            raise ValueError("the answer is no JSON object")
        return parsed

    async def publish(
        self, subject: str, payload: bytes, headers: dict[str, str] | None = None, reply: str = ""
    ) -> None:
        await self._client.publish(subject, payload, reply=reply, headers=headers)

    async def flush(self) -> None:
        """The server has got all that was published here before."""
        await self._client.flush(timeout=max(1, round(self._timeout_s)))

    async def inbox(self, subject: str | None = None) -> Inbox:
        """A subscription to an address that only we know, or to a subject."""
        address = subject or self._client.new_inbox()
        return Inbox(address, await self._client.subscribe(address), self._waits)


def _shown(servers: tuple[str, ...]) -> str:
    """The addresses for people: without what somebody may have put before an @."""
    return ", ".join(_USER_INFO.sub("//", server) for server in servers)


class _Client(Client):
    """The library's client. A message whose subject is no UTF-8 ends its reading without a word, and that whenever it
    is delivered again; any publisher can send one. Here it is delivered, under a subject that can be read."""

    def _build_message(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: dict[str, str] | None
    ) -> Msg:
        readable = subject.decode("utf-8", "backslashreplace").encode()
        message: Msg = super()._build_message(sid, readable, reply, data, headers)
        return message


class NatsConnection:
    """One connection, opened when first used and again for ever. `session` counts its losses and recoveries."""

    def __init__(self, settings: NatsSettings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._opening = asyncio.Lock()
        self._up = asyncio.Event()
        self._waits: set[asyncio.Timeout] = set()
        self._last_error = ""
        self.session = 0

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    @contextlib.asynccontextmanager
    async def exchange(self) -> AsyncIterator[Exchange]:
        """Talk for at most `answer_timeout_s`; ends at once when the connection is lost.

        Raises:
            NatsUnavailable: no connection, no answer in time, or an answer that is none.
            StreamMoved: nobody listens on the subject of a request.
        """
        with cancellable():
            client = await self._connected_client()
        try:
            with cancellable():
                async with asyncio.timeout(self._settings.answer_timeout_s) as wait:
                    self._waits.add(wait)
                    try:
                        yield Exchange(client, self._settings.answer_timeout_s, self._waits)
                    finally:
                        self._waits.discard(wait)
        except NoRespondersError as error:
            raise StreamMoved("nobody listens on the subject") from error
        except (NatsError, OSError, TimeoutError, ValueError) as error:
            raise NatsUnavailable(f"NATS did not answer: {str(error) or type(error).__name__}") from error

    async def close(self) -> None:
        """Close for now; the next use connects again."""
        client, self._client = self._client, None
        if client is None:
            return
        self._down()
        # Whatever the library meets while it closes, this connection is over.
        with cancellable(), contextlib.suppress(Exception):
            async with asyncio.timeout(self._settings.connect_timeout_s):
                await client.close()

    async def _connected_client(self) -> Client:
        async with self._opening:
            client = self._client
            if client is None or client.is_closed:
                client = await self._open()
        if not client.is_connected:
            try:
                async with asyncio.timeout(self._settings.connect_timeout_s):
                    await self._up.wait()
            except TimeoutError as error:
                raise NatsUnavailable(f"no connection to NATS: {self._last_error or 'lost'}") from error
        return client

    async def _open(self) -> Client:
        settings = self._settings
        await self.close()
        client = self._client = _Client()
        try:
            connecting = client.connect(
                list(settings.servers),
                name=settings.name,
                user=settings.user,
                password=settings.password,
                token=settings.token,
                tls=ssl.create_default_context(cafile=settings.tls_ca_file) if settings.tls_ca_file else None,
                max_reconnect_attempts=-1,
                connect_timeout=max(1, round(settings.connect_timeout_s)),
                reconnect_time_wait=settings.reconnect_wait_s,  # type: ignore[arg-type]
                ping_interval=settings.ping_interval_s,
                # Nothing is kept for a later connection: what is not sent now, the outbox sends.
                pending_size=0,
                error_cb=self._note,
                disconnected_cb=self._lost,
                reconnected_cb=self._found,
                closed_cb=self._lost,
            )
            await ended_within(connecting, settings.connect_timeout_s)
        except (NatsError, OSError, TimeoutError) as error:
            reason = self._last_error or str(error) or "timeout"
            await self.close()
            raise NatsUnavailable(f"no connection to {_shown(settings.servers)}: {reason}") from error
        except BaseException:
            await self.close()
            raise
        await self._found()
        return client

    async def _note(self, error: Exception) -> None:
        self._last_error = str(error) or type(error).__name__

    async def _found(self) -> None:
        self.session += 1
        self._last_error = ""
        self._up.set()

    async def _lost(self) -> None:
        self._down()

    def _down(self) -> None:
        self.session += 1
        self._up.clear()
        now = asyncio.get_running_loop().time()
        for wait in self._waits:
            wait.reschedule(now)
