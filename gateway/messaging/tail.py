"""Follow the stream as an onlooker: `erp-gateway events tail`.

It goes on over restarts, losses and re-creations of the stream, and shows no event twice that it remembers. It
acknowledges nothing and leaves nothing behind on the server.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.domain.wire import instant
from gateway.messaging.errors import MessagingError, StreamMoved
from gateway.messaging.jetstream import NatsStream, StoredMessage, StreamReader

_READ: Final = 256
"""Messages asked for at a time."""

_WAIT_S: Final = 5.0
"""Seconds of one wait; a wait over a restart of the server ends by itself after these."""

_RETRY_S: Final = 0.5
"""Seconds between two attempts while the stream cannot be read."""

_KNOWN: Final = 20_000
"""Event ids that are remembered to show none twice; about 2 MB."""


@dataclass(frozen=True, slots=True)
class TailedEvent:
    """One event as a consumer gets it. `event` is the parsed CloudEvent, None where the body is no JSON object."""

    subject: str
    stream_sequence: int
    body: bytes
    event: dict[str, Any] | None


async def tail(
    stream: NatsStream,
    *,
    subjects: Sequence[str] = (),
    from_start: bool = False,
    now: Callable[[], int] = lambda: time.time_ns() // 1_000,
    notice: Callable[[str], None] = lambda _: None,
) -> AsyncGenerator[TailedEvent, None]:
    """Events in the stream's order, for ever; close it (`contextlib.aclosing`) when enough was seen.

    Args:
        subjects: NATS filters such as `erp.status.orders.*.DE.>`; none for all. They must not overlap.
        from_start: all that the stream still holds, then what comes; otherwise only what comes from now on.
        now: µs since 1970. Where a new stream is filled again from the outbox, events whose `time` is before the
            start of a tail "from now" are its past, and not shown.
        notice: told, once per change, why nothing can be read (and an empty text when it can again).
    """
    since = "" if from_start else instant(now())
    seen: OrderedDict[str, None] = OrderedDict()
    created: int | None = None
    position = 0
    replaced = False
    trouble = ""
    while True:
        reader: StreamReader | None = None
        try:
            end = await stream.end()
            if created is None:
                position = 0 if from_start else end.last_sequence
            elif created != end.created_at:
                position, replaced = 0, True
            created, position = end.created_at, min(position, end.last_sequence)
            reader = await stream.read_after(position, subjects=subjects)
            if trouble:
                trouble = ""
                notice("")
            while True:
                for message in await reader.next(_READ, wait_s=_WAIT_S):
                    position = message.stream_sequence
                    shown = _event(message)
                    if _is_new(message, shown, seen, since if replaced else ""):
                        yield shown
        except MessagingError as error:
            if created is None and isinstance(error, StreamMoved):
                created = 0  # there is no stream yet: all that the first one gets is new
            if str(error) != trouble:
                trouble = str(error)
                notice(trouble)
            await asyncio.sleep(_RETRY_S)
        finally:
            if reader is not None:
                await reader.close()


def _event(message: StoredMessage) -> TailedEvent:
    try:
        parsed = json.loads(message.body)
    except ValueError:
        parsed = None
    return TailedEvent(
        message.subject, message.stream_sequence, message.body, parsed if isinstance(parsed, dict) else None
    )


def _is_new(message: StoredMessage, shown: TailedEvent, seen: OrderedDict[str, None], since: str) -> bool:
    if shown.event is not None and since and str(shown.event.get("time", since)) < since:
        return False
    if not message.event_id:
        return True
    if message.event_id in seen:
        return False
    seen[message.event_id] = None
    if len(seen) > _KNOWN:
        seen.popitem(last=False)
    return True
