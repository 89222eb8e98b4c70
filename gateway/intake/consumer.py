"""The intake from NATS: messages are accepted as documents over HTTP are, and acknowledged after the commit.

What is accepted, or was before, is acknowledged. What cannot be accepted yet (its parent is not known, its slice is
frozen, the rules are not loaded) is put off and comes again, until its deadline. What is refused goes to
`erp.intake.refused` with the problem, and is acknowledged once that is stored. A message that makes the gateway fail is
tried a few times, alone, and refused then, however often it was put off for other reasons. So nothing that a message
holds can stop the messages behind it; and cut anywhere, it is delivered again, which does nothing twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Container, Sequence
from typing import Any, Final, Protocol

import structlog

from gateway.api.failures import problem_of
from gateway.domain.wire import instant
from gateway.errors import Problem, StoreUnavailable
from gateway.intake.accepting import accept_each
from gateway.intake.cloud_event import EventReader
from gateway.intake.lines import told
from gateway.intake.ports import IntakeCounts
from gateway.intake.putting_off import Patience, PuttingOff
from gateway.messaging.errors import MessagingError
from gateway.messaging.intake_stream import REFUSED, Backlog, IntakeMessage
from gateway.transactions.commands import Answer, Create, Submissions
from gateway.transactions.parts import Tools
from gateway.transactions.rules import RulesNotLoaded

AT_ONCE: Final = 100
"""Messages of one pull, which are accepted in one commit."""
WAIT_S: Final = 4.0
"""How long one pull waits: short, because one under way across a restart waits for its own end."""
RETRY_S: Final = 1.0
FAILED_S: Final = 5.0
"""After what nobody expected."""
AWAY_S: Final = 5.0
"""The longest pause before messages are taken again where the database was away."""
BACKLOG_S: Final = 1.0
"""Between two questions how much is left."""

_log = structlog.get_logger(__name__)


class Messages(Protocol):
    """`gateway.messaging.intake_stream.IntakeStream` is one."""

    async def prepare(self) -> None: ...
    async def take(self, most: int, wait_s: float) -> list[IntakeMessage]: ...
    async def backlog(self) -> Backlog: ...
    async def done(self, messages: Sequence[IntakeMessage]) -> None: ...
    async def put_off(self, messages: Sequence[IntakeMessage], seconds: float) -> None: ...
    async def refuse(self, event_id: str, body: bytes) -> None: ...
    async def close(self) -> None: ...


class IntakeConsumer:
    """One process's part; all of them share the durable consumer. `served`: domains of the rulebook in force."""

    def __init__(
        self,
        messages: Messages,
        submissions: Submissions,
        reader: EventReader,
        served: Callable[[], Container[str]],
        tools: Tools,
        patience: Patience | None = None,
        counts: IntakeCounts | None = None,
    ) -> None:
        self._messages = messages
        self._submissions = submissions
        self._reader = reader
        self._served = served
        self._tools = tools
        self._patience = patience or Patience()
        self._putting_off = PuttingOff(self._patience, tools.clock)
        self._backlog = Backlog(0, 0)
        self._ask_again_at = 0.0
        self._pause_s = 0.0
        self._counts = counts

    async def run(self) -> None:
        """Until cancelled. A server or database that is away is waited for; what nobody expected is logged, and tried
        again."""
        trouble = ""
        if self._counts is not None:
            # one that never comes to take anything is to be seen too
            self._counts.looked()
        try:
            while True:
                try:
                    await self._messages.prepare()
                    trouble = ""
                    while True:
                        await self.once()
                except MessagingError as error:
                    if str(error) != trouble:
                        trouble = str(error)
                        _log.warning("intake_waits", error=trouble)
                    await asyncio.sleep(RETRY_S)
                except Exception as error:
                    # with a traceback, yet without the exception's text: see telemetry.logs
                    _log.error("intake_failed", exc_info=error)
                    await asyncio.sleep(FAILED_S)
        finally:
            await self._messages.close()

    async def once(self) -> int:
        """Take what has come and decide it; how many there were. Raises MessagingError."""
        pause_s, self._pause_s = self._pause_s, 0.0
        if pause_s:
            await asyncio.sleep(pause_s)
        await self._ask_backlog()
        taken = await self._messages.take(AT_ONCE, WAIT_S)
        if not taken or await self._deal_with(taken):
            self._putting_off.saw(taken, self._backlog.put_off)
        else:
            self._putting_off.missed(self._backlog.put_off)
        if self._counts is not None:
            self._counts.looked()
        return len(taken)

    async def _ask_backlog(self) -> None:
        """Before a pull, when nothing is in hand that a lost connection would keep from the others."""
        now = asyncio.get_running_loop().time()
        if now < self._ask_again_at:
            return
        self._ask_again_at = now + BACKLOG_S
        self._backlog = await self._messages.backlog()
        if self._counts is not None:
            self._counts.backlog(self._backlog.new, self._backlog.put_off)

    async def _deal_with(self, taken: Sequence[IntakeMessage]) -> bool:
        """Whether each was looked at: not where the database is away."""
        read = [(one, self._read(one)) for one in taken]
        try:
            answers = iter(
                await accept_each(self._submissions, [found for _, found in read if isinstance(found, Create)])
            )
        except (StoreUnavailable, RulesNotLoaded) as error:
            _log.warning("intake_waits", error=type(error).__name__, messages=len(taken))
            await self._put_off([(one, "not-ready") for one in taken])
            self._count(taken, Counter(put_off=len(taken)))
            # whoever went on taking now would only put the whole stream off
            self._pause_s = min(self._patience.again_s, AWAY_S)
            return False
        done: list[IntakeMessage] = []
        refused: list[tuple[IntakeMessage, Problem, str]] = []
        later: list[tuple[IntakeMessage, str]] = []
        results: Counter[str] = Counter()
        for message, found in read:
            outcome: Answer | Problem = next(answers) if isinstance(found, Create) else found
            if isinstance(outcome, Answer):
                results["known" if outcome.replayed else "accepted"] += 1
                done.append(message)
            elif self._putting_off.waits(message, outcome):
                later.append((message, outcome.slug))
            else:
                refused.append((message, outcome, found.traceparent if isinstance(found, Create) else ""))
        results.update({name: len(those) for name, those in (("put_off", later), ("refused", refused)) if those})
        # refusing comes last: where the stream takes no refusals, the others are dealt with all the same
        if done:
            await self._messages.done(done)
            self._putting_off.ended(done)
        if later:
            await self._put_off(later)
        for message, problem, traceparent in refused:
            await self._refuse(message, problem, traceparent)
        if refused:
            those = [message for message, _, _ in refused]
            await self._messages.done(those)
            self._putting_off.ended(those)
        self._count(taken, results)
        return True

    def _count(self, taken: Sequence[IntakeMessage], results: Counter[str]) -> None:
        if self._counts is not None:
            self._counts.messages(results, redelivered=sum(one.delivered > 1 for one in taken))

    def _read(self, message: IntakeMessage) -> Create | Problem:
        try:
            return self._reader.read(message.subject, message.body, self._served())
        except Exception as error:
            # also what nobody expected is this message's alone
            return problem_of(error)

    async def _put_off(self, messages: Sequence[tuple[IntakeMessage, str]]) -> None:
        """Each with the code for which it comes again."""
        for one, code in messages:
            if self._putting_off.is_told(one):
                _log.info(
                    "intake_put_off",
                    subject=one.subject,
                    sequence=one.stream_sequence,
                    code=code,
                    delivered=one.delivered,
                )
        seconds = self._putting_off.seconds(self._backlog.put_off)
        await self._messages.put_off([one for one, _ in messages], seconds)
        if self._counts is not None:
            self._counts.put_off(Counter(code for _, code in messages))

    async def _refuse(self, message: IntakeMessage, problem: Problem, traceparent: str) -> None:
        """Publish the problem. Of the document nothing is repeated: it lies in the stream, under its sequence."""
        _log.info("intake_refused", subject=message.subject, sequence=message.stream_sequence, code=problem.slug)
        event_id = _name_of(message)
        try:
            event = self._event(event_id, message, problem, traceparent)
        except Exception as error:
            # a problem that cannot be told: that there is one can
            event = self._event(event_id, message, problem_of(error), "")
        await self._messages.refuse(event_id, event)

    def _event(self, event_id: str, message: IntakeMessage, problem: Problem, traceparent: str) -> bytes:
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": event_id,
            "source": f"/gateways/{self._tools.gateway_name}",
            "type": f"{REFUSED}.v1",
            "subject": message.subject,
            "time": instant(self._tools.clock.now()),
            "datacontenttype": "application/json",
            "data": {
                "natsSubject": message.subject,
                "streamSequence": message.stream_sequence,
                "eventId": _id_of(message.body),
                "problem": told(problem, f"/{message.subject.replace('.', '/')}", traceparent[3:35]),
            },
        }
        return json.dumps(event, ensure_ascii=True, separators=(",", ":")).encode()


def _name_of(message: IntakeMessage) -> str:
    """The id of its refusal: however often it is refused, that is stored once."""
    name = f"{message.subject} {message.stream_sequence} {message.stored_at}".encode()
    return f"ref_{hashlib.sha256(name).hexdigest()[:32]}"


def _id_of(raw: bytes) -> str | None:
    """The event's id, where that can be read."""
    try:
        event = json.loads(raw[:1_000_000])
    except (ValueError, RecursionError):
        return None
    found = event.get("id") if isinstance(event, dict) else None
    return found[:255] if isinstance(found, str) else None
