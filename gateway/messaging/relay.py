"""From the outbox to the stream: every committed event, in order per lineage, once as far as a stream can tell.

How it reads:

1. *look*: connect, see where the stream ends, compare with what was remembered; make unpublished again what a new or
   shortened stream lacks; mark what it holds although nobody heard the acknowledgement;
2. *send*: take pending events in order, singly or as atomic batches, each naming the last sequence it knows; mark them;
3. at the first doubt (no answer, another last sequence, a connection lost) forget what was known and look again.

Step 1 is why a publication that timed out but was stored is not stored twice, whether or not the server's duplicate
window still remembers it. Nothing of a lineage is sent before its predecessor is acknowledged; inside an atomic batch
both are acknowledged as one, in their order.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

import structlog
from opentelemetry.trace import Tracer

from gateway.domain.records import OutboxRecord
from gateway.domain.waiting_callers import NOBODY, WaitingCallers
from gateway.errors import GatewayError
from gateway.messaging.errors import BatchRefused, EventRefused, MessagingError, StreamContradicts
from gateway.messaging.metrics import RelayMetrics, Uncounted
from gateway.messaging.ports import Outbox, Published, StreamMemory
from gateway.messaging.publisher import Publisher, StreamEnd
from gateway.messaging.relay_settings import RelaySettings
from gateway.messaging.spans import publish_spans
from gateway.transactions.ports import Clock

_US: Final = 1_000_000
PASSED_OVER: Final = 4_096
"""Held lineages of which nothing is read. A stream that refuses events of more is not the one that it should be: what
was committed after so many waits then, until there are fewer."""
TOLD: Final = 5
"""Held lineages that are named, each with the reason."""
_log = structlog.get_logger(__name__)


class Relay:
    """Publishes one outbox to one stream; one relay at a time (a second one loses time, never order). `run` may be
    called again after it ended: another process may have relayed meanwhile."""

    def __init__(
        self,
        outbox: Outbox,
        publisher: Publisher,
        clock: Clock,
        *,
        settings: RelaySettings | None = None,
        metrics: RelayMetrics | None = None,
        jitter: Callable[[], float] = random.random,
        tracer: Tracer | None = None,
        callers: WaitingCallers = NOBODY,
    ) -> None:
        self._callers = callers
        self._outbox = outbox
        self._publisher = publisher
        self._clock = clock
        self._settings = settings or RelaySettings()
        self._metrics = metrics or Uncounted()
        self._jitter = jitter
        self._tracer = tracer
        self._woken = asyncio.Event()
        self._session: int | None = None
        self._end = 0
        self._marked = 0
        self._remembered: StreamMemory | None = None
        self._oldest: int | None = None
        self._republished_at = 0
        self._forgot_at = 0
        self._refused: dict[str, str] = {}
        self._fault = "not started"

    @property
    def connected(self) -> bool:
        """The stream was looked at over the connection that stands, and nothing failed since."""
        return not self._fault and self._session == self._publisher.session

    @property
    def fault(self) -> str:
        """Why it is not connected, or which lineages are held because the stream refuses an event; else empty."""
        if self._fault or not self._refused:
            return self._fault
        told = [f"lineage {name}: {reason}" for name, reason in islice(self._refused.items(), TOLD)]
        more = len(self._refused) - TOLD
        if more > 0:
            told.append(f"and of {more} more")
        if len(self._refused) > PASSED_OVER:
            told.append("they are too many to be passed over, and hold what was committed after them")
        return "; ".join(told)

    @property
    def lag(self) -> float:
        """Seconds since the oldest waiting event was committed, or had to be published again; 0 if none waits."""
        if self._oldest is None:
            return 0.0
        return max(0.0, (self._clock.now() - max(self._oldest, self._republished_at)) / _US)

    def wake(self) -> None:
        """A commit added events. Call it on the relay's event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Relay until cancelled; no other exception ever leaves."""
        failures = 0
        self._know_nothing()
        try:
            while True:
                try:
                    await self._look()
                    self._fault, failures = "", 0
                    await self._send()
                except Exception as error:  # NATS away, the store away, or a defect: events wait, callers do not
                    failures += 1
                    self._failed(error)
                if failures:
                    await self._observe()
                    most = min(self._settings.backoff_most_s, self._settings.backoff_s * 2.0 ** min(failures, 16))
                    await self._clock.sleep(most * (0.5 + self._jitter() / 2))
        finally:
            self._fault = "stopped"

    def _know_nothing(self) -> None:
        """What was known of the stream and of the outbox is of the time when this relay ran last."""
        self._session, self._remembered = None, None
        self._end = self._marked = 0

    async def _look(self) -> None:
        """Step 1. Afterwards the outbox and the stream agree up to `self._end`."""
        publisher, outbox = self._publisher, self._outbox
        end = await publisher.prepare()
        session = publisher.session
        memory = self._remembered or await outbox.stream_memory(publisher.stream)
        if memory is None:
            checked = end.last_sequence
        elif memory.created_at != end.created_at:
            # Crashing in here is safe: the creation time is remembered last, so all of it is done again.
            await self._republish(0, "the stream is a new one", end)
            checked = 0
        else:
            # The first look of a process asks in any case: what was remembered may be older than what was marked.
            if self._session is None or end.last_sequence < max(self._end, memory.last_sequence):
                await self._republish(end.last_sequence, "the stream lost its end", end)
            checked = min(max(memory.last_sequence, self._marked), end.last_sequence)
        while checked < end.last_sequence:
            found = await publisher.stored_after(checked, self._settings.batch_limit)
            if not found:
                break
            await outbox.mark_published(found, self._clock.now())
            self._metrics.recovered(len(found))
            checked = found[-1].stream_sequence
        self._refused.clear()
        self._end = self._marked = end.last_sequence
        self._session = session
        await self._remember(StreamMemory(publisher.stream, end.created_at, end.last_sequence))

    async def _send(self) -> None:
        """Step 2, until the stream must be looked at again."""
        looked_at = self._clock.now()
        while self._session == self._publisher.session:
            now = self._clock.now()
            if now - looked_at >= self._settings.look_s * _US:
                return
            self._woken.clear()  # before looking, so that a commit during it is seen
            limit = 2 * self._batch_limit()
            pending = await self._outbox.pending(limit, self._passed_over())
            if self._refused:
                await self._observe()  # what is held waits too
            else:
                self._oldest = pending[0].created_at if pending else None
            events = [event for event in pending if event.lineage_id not in self._refused]
            if events:
                await self._publish(events)
                if len(pending) >= limit:  # it catches up
                    worked_s, settings = (self._clock.now() - now) / _US, self._settings
                    await self._clock.sleep(self._callers.rest_s(worked_s, settings.share, settings.rest_most_s))
                continue
            await self._forget(now)
            await self._pause(self._settings.poll_s)

    def _passed_over(self) -> Sequence[str]:
        """Lineages of which nothing is read. Of those beyond what a query may name no more than a window is known."""
        return list(islice(self._refused, PASSED_OVER))

    async def _publish(self, events: Sequence[OutboxRecord]) -> None:
        if len(events) < self._settings.batch_from:
            await self._publish_singly(events)
            return
        for chunk in self._chunks(events):
            try:
                last = await self._publisher.publish_batch(chunk, self._end)
            except (BatchRefused, EventRefused) as error:
                # Some event of it is there already, or will never be: which one, only single messages tell.
                self._metrics.failed(type(error).__name__)
                if not await self._publish_singly(chunk):
                    return
                continue
            first = last - len(chunk) + 1
            self._end = last
            await self._mark([Published(event.event_id, first + index) for index, event in enumerate(chunk)])
            self._metrics.published(len(chunk), batches=1)
            publish_spans(self._tracer, chunk, self._clock.now())

    async def _publish_singly(self, events: Sequence[OutboxRecord]) -> bool:
        """Whether all were taken. What was acknowledged is marked even when a later one fails."""
        done: list[Published] = []
        try:
            for event in events:
                if event.lineage_id in self._refused:
                    continue
                try:
                    sequence = await self._publisher.publish(event, self._end)
                except EventRefused as error:
                    self._refused[event.lineage_id] = str(error)
                    self._metrics.failed(type(error).__name__)
                    _log.error("event refused for ever; its lineage is held", event_id=event.event_id, error=str(error))
                    continue
                self._end = max(self._end, sequence)
                done.append(Published(event.event_id, sequence))
        finally:
            if done:
                await self._mark(done)
                self._metrics.published(len(done), batches=0)
                taken = {one.event_id for one in done}
                publish_spans(self._tracer, [one for one in events if one.event_id in taken], self._clock.now())
        return len(done) == len(events)

    async def _mark(self, published: Sequence[Published]) -> None:
        await self._outbox.mark_published(published, self._clock.now())
        self._marked = self._end
        memory = self._remembered
        if memory is not None and self._end - memory.last_sequence >= self._settings.remember_every:
            await self._remember(StreamMemory(memory.stream, memory.created_at, self._end))

    async def _remember(self, memory: StreamMemory) -> None:
        if memory != self._remembered:
            await self._outbox.remember_stream(memory)
            self._remembered = memory

    async def _republish(self, after: int, reason: str, end: StreamEnd) -> None:
        count = await self._outbox.republish_after(after)
        if count:
            self._republished_at = self._clock.now()
            self._metrics.republished(count)
            _log.warning("events are published again", reason=reason, events=count, last_sequence=end.last_sequence)

    async def _forget(self, now: int) -> None:
        if now - self._forgot_at >= self._settings.forget_s * _US:
            self._forgot_at = now
            await self._outbox.forget_published_before(now - int(self._settings.keep_s * _US))

    async def _observe(self) -> None:
        """Know how far behind we are although nothing can be sent."""
        try:
            pending = await self._outbox.pending(1)
        except Exception as error:  # the store is away too; its own readiness says so
            _log.debug("the outbox does not answer", error=str(error))
        else:
            self._oldest = pending[0].created_at if pending else None

    async def _pause(self, seconds: float) -> None:
        """Until woken, `seconds` at most, by the clock that was handed in."""
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        waking = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    def _batch_limit(self) -> int:
        settings = self._settings
        return min(settings.batch_limit, settings.batch_beside_callers) if self._callers.count else settings.batch_limit

    def _chunks(self, events: Sequence[OutboxRecord]) -> Iterator[Sequence[OutboxRecord]]:
        most, start, size = self._batch_limit(), 0, 0
        for index, event in enumerate(events):
            full = index - start >= most or size + len(event.body) > self._settings.batch_bytes
            if full and index > start:
                yield events[start:index]
                start, size = index, 0
            size += len(event.body)
        yield events[start:]

    def _failed(self, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        self._metrics.failed(type(error).__name__)
        if reason != self._fault:  # once, not at every attempt
            if isinstance(error, MessagingError) and not isinstance(error, StreamContradicts):
                _log.warning("the relay waits", reason=reason)
            else:
                _log.error("the relay waits", reason=reason, exc_info=not isinstance(error, GatewayError))
        self._fault = reason
