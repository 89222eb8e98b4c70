"""The stream of documents on their way in: any number of senders, one durable consumer that all processes share.

Its messages stay for a while after they were taken in (the record is the database), so that what was wiped with a
server can be sent again by nobody but its sender, and does nothing twice. Sources: as `gateway.messaging.jetstream`;
ADR-15 of nats-architecture-and-design (acknowledgements), docs.nats.io on consumers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.canonical import DOMAINS
from gateway.messaging.errors import NatsUnavailable, StreamContradicts, StreamMoved
from gateway.messaging.nats import Delivery, Inbox, NatsConnection

STREAM: Final = "ERP_INTAKE"
PREFIX: Final = "erp.intake"
REFUSED: Final = f"{PREFIX}.refused"
DOCUMENTS: Final = tuple(f"{PREFIX}.{domain}{tail}" for domain in DOMAINS for tail in ("", ".*"))
"""`erp.intake.<domain>`, and `erp.intake.<domain>.<sender>` for senders whose rights to publish are told apart."""
CONSUMER: Final = "gateway"

_API: Final = "$JS.API"
_NS: Final = 1_000_000_000
_MICROS_NS: Final = 1_000
_STREAM_NOT_FOUND: Final = 10059
_KEPT_S: Final = 7 * 24 * 3600
_MOST_BYTES: Final = 4 * 1024**3
TAKE_AGAIN_S: Final = 60
"""After so long without a word about a message, another process gets it."""
_UNDER_WAY: Final = -1
"""Messages that were delivered and not decided, those that are put off included: any number. At a bound nothing is
delivered any more, not even the document that they all wait for."""
_GRACE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class IntakeMessage:
    """A message to be decided. `stored_at`: µs since 1970, by the server; `delivered`: how often by now, from 1;
    `behind`: messages in the stream that nobody had been given yet at that time."""

    subject: str
    body: bytes
    stream_sequence: int
    stored_at: int
    delivered: int
    reply: str
    behind: int = 0


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages of the shared consumer. `new`: nobody was given them yet; `put_off`: delivered and not decided."""

    new: int
    put_off: int


class IntakeStream:
    """Takes messages, and says what became of each. Not for several tasks at once."""

    def __init__(self, connection: NatsConnection) -> None:
        self._connection = connection
        self._inbox: Inbox | None = None
        self._session = -1
        self._owed = 0

    async def prepare(self) -> None:
        """Make sure that stream and consumer are there. Raises NatsUnavailable, StreamContradicts."""
        await self.close()
        answer = await self._api(f"STREAM.INFO.{STREAM}")
        if _code(answer) == _STREAM_NOT_FOUND:
            answer = await self._api(f"STREAM.CREATE.{STREAM}", _STREAM)
        _check(answer)
        lacking = {*DOCUMENTS, REFUSED} - set(answer["config"].get("subjects") or ())
        if lacking or answer["config"].get("retention") != "limits":
            answer = await self._api(f"STREAM.UPDATE.{STREAM}", {**answer["config"], "subjects": _STREAM["subjects"]})
            _check(answer)
        body = {"stream_name": STREAM, "config": _CONSUMER}
        _check(await self._api(f"CONSUMER.CREATE.{STREAM}.{CONSUMER}", body))
        async with self._connection.exchange() as exchange:
            self._session = self._connection.session
            self._inbox = await exchange.inbox()

    async def take(self, most: int, wait_s: float) -> list[IntakeMessage]:
        """What has come, at most so many; empty when nothing came in time.

        Raises StreamMoved, NatsUnavailable: `prepare` comes first.
        """
        inbox = self._inbox
        if inbox is None or self._session != self._connection.session:
            raise StreamMoved("the connection was lost")
        if self._owed == 0:
            pull = json.dumps({"batch": most, "expires": int(wait_s * _NS)}).encode()
            async with self._connection.exchange() as exchange:
                await exchange.publish(f"{_API}.CONSUMER.MSG.NEXT.{STREAM}.{CONSUMER}", pull, reply=inbox.address)
            self._owed = most
        found: list[IntakeMessage] = []
        while self._owed > 0 and len(found) < most and (not found or inbox.waiting):
            delivery = await inbox.next(wait_s + _GRACE_S)
            if delivery is None:
                raise StreamMoved("the server does not answer this consumer")
            if delivery.reply.startswith("$JS.ACK."):
                # whatever its headers say: those are the sender's
                self._owed -= 1
                found.append(_message(delivery))
            elif delivery.status in ("404", "408"):
                self._owed = 0
            else:
                raise StreamMoved(f"the pull ended: {delivery.status} {delivery.headers.get('Description', '')}")
        return found

    async def backlog(self) -> Backlog:
        """What is left for all processes together. Raises NatsUnavailable, StreamContradicts."""
        answer = await self._api(f"CONSUMER.INFO.{STREAM}.{CONSUMER}")
        _check(answer)
        return Backlog(int(answer["num_pending"]), int(answer["num_ack_pending"]))

    async def done(self, messages: Sequence[IntakeMessage]) -> None:
        """They were decided, and come no more. Lost on the way, they come again."""
        async with self._connection.exchange() as exchange:
            for one in messages:
                await exchange.publish(one.reply, b"+ACK")

    async def put_off(self, messages: Sequence[IntakeMessage], seconds: float) -> None:
        """They come again after so long."""
        body = b"-NAK " + json.dumps({"delay": int(seconds * _NS)}).encode()
        async with self._connection.exchange() as exchange:
            for one in messages:
                await exchange.publish(one.reply, body)

    async def refuse(self, event_id: str, body: bytes) -> None:
        """Publish why a message was refused; stored when this returns. The same id again is stored once."""
        headers = {"Nats-Msg-Id": event_id, "Nats-Expected-Stream": STREAM}
        async with self._connection.exchange() as exchange:
            answer = await exchange.request(REFUSED, body, headers)
        if answer.get("stream") != STREAM:
            raise NatsUnavailable(f"the refusal was not stored: {answer}")

    async def close(self) -> None:
        """Take no more; never fails."""
        inbox, self._inbox = self._inbox, None
        self._owed = 0
        if inbox is not None:
            await inbox.close()

    async def _api(self, operation: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            async with self._connection.exchange() as exchange:
                return await exchange.request(f"{_API}.{operation}", json.dumps(body).encode() if body else b"")
        except StreamMoved as error:
            raise NatsUnavailable("JetStream does not answer") from error


_STREAM: Final[Mapping[str, Any]] = {
    "name": STREAM,
    "description": "ERP coexistence gateway: documents on their way in, and what was refused of them",
    "subjects": [*DOCUMENTS, REFUSED],
    "storage": "file",
    "retention": "limits",
    "discard": "new",
    "max_age": _KEPT_S * _NS,
    "max_bytes": _MOST_BYTES,
    "num_replicas": 1,
}
"""`discard` new: a full stream refuses its senders, who then know, instead of forgetting what was not taken in."""
_CONSUMER: Final[Mapping[str, Any]] = {
    "name": CONSUMER,
    "durable_name": CONSUMER,
    "deliver_policy": "all",
    "ack_policy": "explicit",
    "ack_wait": TAKE_AGAIN_S * _NS,
    "max_deliver": -1,
    "max_ack_pending": _UNDER_WAY,
    "filter_subjects": list(DOCUMENTS),
}


def _message(delivery: Delivery) -> IntakeMessage:
    # $JS.ACK.[<domain>.<account hash>.]<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<ns>.<behind>...
    fields = delivery.reply.split(".")
    first = 4 if len(fields) < 11 else 6
    delivered, stream_sequence, _, stored_ns, behind = (int(one) for one in fields[first : first + 5])
    return IntakeMessage(
        delivery.subject, delivery.body, stream_sequence, stored_ns // _MICROS_NS, delivered, delivery.reply, behind
    )


def _code(answer: Mapping[str, Any]) -> int | None:
    error = answer.get("error")
    return error.get("err_code") if error else None


def _check(answer: Mapping[str, Any]) -> None:
    if "error" not in answer:
        return
    error = answer["error"]
    words = f"stream {STREAM}: {error.get('description')} ({error.get('err_code')})"
    raise NatsUnavailable(words) if error.get("code") == 503 else StreamContradicts(words)
