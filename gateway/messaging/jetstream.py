"""The stream of events on JetStream: one writer, any number of readers.

JetStream's API is spoken in plain JSON, so that nothing of an operator's configuration is lost on the way through typed
objects. Sources: https://docs.nats.io/reference/reference-protocols/nats_api_reference (requests, error codes), ADR-50
of nats-architecture-and-design (atomic batches), ADR-13 (pull requests), ADR-17 (ordered consumers).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from gateway.domain.records import OutboxRecord
from gateway.messaging.errors import BatchRefused, EventRefused, NatsUnavailable, StreamContradicts, StreamMoved
from gateway.messaging.nats import Exchange, Inbox, NatsConnection
from gateway.messaging.ports import Published
from gateway.messaging.publisher import StreamEnd
from gateway.messaging.stream import StreamSettings, contradictions, updated, wanted

_API: Final = "$JS.API"
_NS: Final = 1_000_000_000
_STREAM_NOT_FOUND: Final = 10059
_STREAM_MOVED: Final = frozenset({10060, 10071, 10164})
"""Another stream takes the subject; the last sequence is another one (two codes, by server version)."""
_TOO_LARGE: Final = 10054
_BATCH_REFUSED: Final = frozenset({10174, 10175, 10176, 10177, 10179, 10199, 10201})
"""Batches switched off; or this one is malformed, has a gap, is one too many, too large, or holds a duplicate."""
_BATCHES_SINCE: Final = (2, 12)
_HEADER_BYTES: Final = 512
"""Room for our headers, which count towards the server's payload limit."""
_READER_KEPT_S: Final = 60
"""Seconds after which the server forgets a reader that asks no more."""
_GRACE_S: Final = 2.0
"""Seconds that an answer may be later than the server's own end of a pull."""


class NatsStream:
    """A `Publisher` for the relay, and what `tail` reads."""

    def __init__(self, connection: NatsConnection, settings: StreamSettings | None = None) -> None:
        self._connection = connection
        self._settings = settings or StreamSettings()
        self._batches = False

    @property
    def stream(self) -> str:
        return self._settings.name

    @property
    def session(self) -> int:
        return self._connection.session

    async def prepare(self) -> StreamEnd:
        try:
            async with self._connection.exchange() as exchange:
                self._batches = exchange.server_version >= _BATCHES_SINCE
            want = wanted(self._settings, batches=self._batches)
            answer = await self._api(f"STREAM.INFO.{self.stream}")
            if _code(answer) == _STREAM_NOT_FOUND:
                answer = await self._api(f"STREAM.CREATE.{self.stream}", want)
            elif "error" not in answer:
                found = contradictions(answer["config"])
                if found:
                    raise StreamContradicts(f"stream {self.stream} is not usable: {'; '.join(found)}")
                change = updated(answer["config"], want)
                if change is not None:
                    answer = await self._api(f"STREAM.UPDATE.{self.stream}", change)
        except NatsUnavailable:
            # A connection that looks alive and answers nothing is not worth keeping.
            await self._connection.close()
            raise
        if "error" in answer:
            error = answer["error"]
            words = f"stream {self.stream}: {error.get('description')} ({error.get('err_code')})"
            raise NatsUnavailable(words) if error.get("code") == 503 else StreamContradicts(words)
        return _end(answer)

    async def end(self) -> StreamEnd:
        """Where the stream ends now. Raises `StreamMoved` if there is none, `NatsUnavailable`."""
        answer = await self._api(f"STREAM.INFO.{self.stream}")
        if "error" in answer:
            raise StreamMoved(f"stream {self.stream}: {answer['error'].get('description')}")
        return _end(answer)

    async def publish(self, event: OutboxRecord, after: int) -> int:
        async with self._connection.exchange() as exchange:
            _check_size(event, exchange)
            headers = {**self._headers(event), "Nats-Expected-Last-Sequence": str(after)}
            answer = await exchange.request(event.subject, event.body, headers)
        return self._acknowledged(answer, event.event_id)

    async def publish_batch(self, events: Sequence[OutboxRecord], after: int) -> int:
        if not self._batches:
            raise BatchRefused("the server takes no atomic batches")
        batch, last = secrets.token_hex(8), len(events)
        answer: dict[str, Any] = {}
        async with self._connection.exchange() as exchange:
            for event in events:
                _check_size(event, exchange)
            for number, event in enumerate(events, start=1):
                headers = {**self._headers(event), "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
                if number == 1:
                    headers["Nats-Expected-Last-Sequence"] = str(after)
                if number == last:
                    headers["Nats-Batch-Commit"] = "1"
                if 1 < number < last:
                    await exchange.publish(event.subject, event.body, headers)
                    continue
                # The first is asked, so that a server which refuses batches is noticed before the rest is sent.
                answer = await exchange.request(event.subject, event.body, headers)
                if "error" in answer:
                    break
        return self._acknowledged(answer, events[0].event_id)

    async def stored_after(self, sequence: int, limit: int) -> Sequence[Published]:
        try:
            reader = await self.read_after(sequence, headers_only=True)
            try:
                found: list[Published] = []
                while len(found) < limit:
                    messages = await reader.next(limit - len(found), wait_s=0)
                    if not messages:
                        break
                    found += [Published(message.event_id, message.stream_sequence) for message in messages]
                return found
            finally:
                await reader.close()
        except StreamMoved as error:
            raise NatsUnavailable(f"the stream changed while it was read: {error}") from error

    async def read_after(
        self, sequence: int, *, subjects: Sequence[str] = (), headers_only: bool = False
    ) -> StreamReader:
        """Read in order what the stream holds, and will hold, above `sequence`; `subjects` filter, none for all.

        Raises:
            StreamMoved: there is no such stream.
            NatsUnavailable
        """
        name = f"read-{secrets.token_hex(8)}"
        config: dict[str, Any] = {
            "name": name,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": sequence + 1,
            "ack_policy": "none",
            "headers_only": headers_only,
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": _READER_KEPT_S * _NS,
        }
        if subjects:
            config["filter_subjects"] = list(subjects)
        answer = await self._api(
            f"CONSUMER.CREATE.{self.stream}.{name}", {"stream_name": self.stream, "config": config}
        )
        if "error" in answer:
            raise StreamMoved(f"stream {self.stream}: {answer['error'].get('description')}")
        async with self._connection.exchange() as exchange:
            session = self.session
            inbox = await exchange.inbox()
        return StreamReader(self._connection, f"{self.stream}.{name}", inbox, session)

    async def _api(self, operation: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            async with self._connection.exchange() as exchange:
                return await exchange.request(f"{_API}.{operation}", json.dumps(body).encode() if body else b"")
        except StreamMoved as error:
            raise NatsUnavailable("JetStream does not answer") from error

    def _headers(self, event: OutboxRecord) -> dict[str, str]:
        return {"Nats-Msg-Id": event.event_id, "Nats-Expected-Stream": self.stream}

    def _acknowledged(self, answer: Mapping[str, Any], event_id: str) -> int:
        if "error" in answer:
            code, words = _code(answer), str(answer["error"].get("description"))
            if code in _STREAM_MOVED:
                raise StreamMoved(words)
            if code in _BATCH_REFUSED:
                raise BatchRefused(words)
            if code == _TOO_LARGE:
                raise EventRefused(event_id, words)
            raise NatsUnavailable(f"{words} ({code})")
        sequence = answer.get("seq")
        if answer.get("stream") != self.stream or not isinstance(sequence, int):
            raise NatsUnavailable("the answer is no acknowledgement of the stream")
        return sequence


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message of the stream. `event_id` is its message id, empty if its sender gave none."""

    subject: str
    body: bytes
    event_id: str
    stream_sequence: int


class StreamReader:
    """Reads on in order until something is missing; then its owner opens another where this one stopped."""

    def __init__(self, connection: NatsConnection, path: str, inbox: Inbox, session: int) -> None:
        self._connection = connection
        self._path = path
        self._inbox = inbox
        self._session = session
        self._owed = 0
        self._delivered = 0

    async def next(self, limit: int, *, wait_s: float) -> list[StoredMessage]:
        """What has come, at most `limit`; empty when nothing came in `wait_s` seconds (0: look only).

        Raises:
            StreamMoved: a message was lost on the way, or the reader is no more.
            NatsUnavailable
        """
        if self._session != self._connection.session:
            raise StreamMoved("the connection was lost")
        if self._owed == 0:
            pull = {"batch": limit, "expires": int(wait_s * _NS)} if wait_s else {"batch": limit, "no_wait": True}
            async with self._connection.exchange() as exchange:
                await exchange.publish(
                    f"{_API}.CONSUMER.MSG.NEXT.{self._path}", json.dumps(pull).encode(), reply=self._inbox.address
                )
            self._owed = limit
        found: list[StoredMessage] = []
        while self._owed > 0 and len(found) < limit and (not found or self._inbox.waiting):
            delivery = await self._inbox.next(wait_s + _GRACE_S)
            if delivery is None:
                raise StreamMoved("the server does not answer this reader")
            if delivery.status in ("404", "408"):
                self._owed = 0
            elif delivery.status:
                raise StreamMoved(f"the reader ended: {delivery.status} {delivery.headers.get('Description', '')}")
            else:
                # $JS.ACK.[<domain>.<account hash>.]<stream>.<consumer>.<delivered>.<stream>.<consumer>.<time>...
                fields = delivery.reply.split(".")
                offset = 5 if len(fields) < 11 else 7
                stream_sequence, consumer_sequence = int(fields[offset]), int(fields[offset + 1])
                self._delivered += 1
                self._owed -= 1
                if consumer_sequence != self._delivered:
                    raise StreamMoved("a message was lost on the way")
                event_id = delivery.headers.get("Nats-Msg-Id", "")
                found.append(StoredMessage(delivery.subject, delivery.body, event_id, stream_sequence))
        return found

    async def close(self) -> None:
        """Let the server forget this reader; never fails."""
        await self._inbox.close()
        if self._session == self._connection.session:
            try:
                async with self._connection.exchange() as exchange:
                    await exchange.publish(f"{_API}.CONSUMER.DELETE.{self._path}", b"")
            except (NatsUnavailable, StreamMoved):
                return  # the server forgets it by itself


def _check_size(event: OutboxRecord, exchange: Exchange) -> None:
    if len(event.body) + _HEADER_BYTES > exchange.max_payload:
        raise EventRefused(
            event.event_id, f"{len(event.body)} bytes, and the server takes {exchange.max_payload} with headers"
        )


def _code(answer: Mapping[str, Any]) -> int | None:
    error = answer.get("error")
    return error.get("err_code") if error else None


def _end(answer: Mapping[str, Any]) -> StreamEnd:
    created = datetime.fromisoformat(answer["created"]).astimezone(UTC)
    micros = int(created.timestamp()) * 1_000_000 + created.microsecond
    return StreamEnd(micros, int(answer["state"]["last_seq"]))
