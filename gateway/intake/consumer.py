"""The intake from NATS: messages are accepted as documents over HTTP are, and acknowledged after the commit.

What is accepted, or was before, is acknowledged. What cannot be accepted yet (its parent is not known, its slice is
frozen, the rules are not loaded) is put off and comes again, until its deadline. What is refused goes to
`erp.intake.refused` with the problem, and is acknowledged once that is stored. So nothing that a message holds can stop
the messages behind it; and cut anywhere, it is delivered again, which does nothing twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog

from gateway.domain.wire import instant
from gateway.errors import Problem, StoreUnavailable
from gateway.intake.accepting import accept_each
from gateway.intake.cloud_event import EventReader
from gateway.intake.lines import told
from gateway.intake.ports import IntakeCounts
from gateway.messaging.errors import MessagingError
from gateway.messaging.intake_stream import REFUSED, IntakeMessage
from gateway.transactions.commands import Answer, Create, Submissions
from gateway.transactions.parts import SECOND, Tools
from gateway.transactions.rules import RulesNotLoaded

AT_ONCE: Final = 100
"""Messages of one pull, which are accepted in one commit."""
WAIT_S: Final = 4.0
"""How long one pull waits: short, because one under way across a restart waits for its own end."""
RETRY_S: Final = 1.0
DEFECTS: Final = 5
"""How often a message is tried that makes the gateway fail."""

_LATER: Final = frozenset(
    {"unknown-reference", "in-flight", "document-busy", "frozen", "paused", "erp-unavailable", "not-ready"}
)
"""What another attempt may mend."""
_log = structlog.get_logger(__name__)


class Messages(Protocol):
    """`gateway.messaging.intake_stream.IntakeStream` is one."""

    async def prepare(self) -> None: ...
    async def take(self, most: int, wait_s: float) -> list[IntakeMessage]: ...
    async def done(self, messages: Sequence[IntakeMessage]) -> None: ...
    async def put_off(self, messages: Sequence[IntakeMessage], seconds: float) -> None: ...
    async def refuse(self, event_id: str, body: bytes) -> None: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. `again_s`: between two attempts where the problem itself does not say; `deadline_s`: after this, what
    still cannot be accepted is refused."""

    again_s: float = 5.0
    deadline_s: float = 3_600.0


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
        self._counts = counts

    async def run(self) -> None:
        """Until cancelled. A server or database that is away is waited for."""
        trouble = ""
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
        finally:
            await self._messages.close()

    async def once(self) -> int:
        """Take what has come and decide it; how many there were. Raises MessagingError."""
        taken = await self._messages.take(AT_ONCE, WAIT_S)
        outcomes: list[tuple[IntakeMessage, Create | Problem]] = [(one, self._read(one)) for one in taken]
        commands = [read for _, read in outcomes if isinstance(read, Create)]
        try:
            answers = iter(await accept_each(self._submissions, commands))
        except (StoreUnavailable, RulesNotLoaded) as error:
            _log.warning("intake_put_off", error=type(error).__name__, messages=len(taken))
            await self._messages.put_off(taken, self._patience.again_s)
            self._count(taken, Counter(put_off=len(taken)))
            return len(taken)
        done: list[IntakeMessage] = []
        results: Counter[str] = Counter()
        later: defaultdict[float, list[IntakeMessage]] = defaultdict(list)
        for message, read in outcomes:
            outcome: Answer | Problem = next(answers) if isinstance(read, Create) else read
            seconds = self._put_off_for(message, outcome)
            if seconds is not None:
                later[seconds].append(message)
                results["put_off"] += 1
                continue
            if isinstance(outcome, Problem):
                await self._refuse(message, outcome, read.traceparent if isinstance(read, Create) else "")
                results["refused"] += 1
            else:
                results["known" if outcome.replayed else "accepted"] += 1
            done.append(message)
        if done:
            await self._messages.done(done)
        for seconds, those in later.items():
            await self._messages.put_off(those, seconds)
        self._count(taken, results)
        return len(taken)

    def _count(self, taken: Sequence[IntakeMessage], results: Counter[str]) -> None:
        if self._counts is not None:
            self._counts.messages(results, redelivered=sum(one.delivered > 1 for one in taken))

    def _read(self, message: IntakeMessage) -> Create | Problem:
        try:
            return self._reader.read(message.subject, message.body, self._served())
        except Problem as problem:
            return problem

    def _put_off_for(self, message: IntakeMessage, outcome: Answer | Problem) -> float | None:
        """Seconds until it is tried again; None where it is decided."""
        if isinstance(outcome, Answer):
            return None
        if outcome.slug == "internal-error":
            return self._patience.again_s if message.delivered < DEFECTS else None
        age_s = (self._tools.clock.now() - message.stored_at) / SECOND
        if outcome.slug not in _LATER or age_s >= self._patience.deadline_s:
            return None
        return float(outcome.retry_after_s or self._patience.again_s)

    async def _refuse(self, message: IntakeMessage, problem: Problem, traceparent: str) -> None:
        """Publish the problem. Of the document nothing is repeated: it lies in the stream, under its sequence."""
        name = f"{message.subject} {message.stream_sequence} {message.stored_at}".encode()
        event_id = f"ref_{hashlib.sha256(name).hexdigest()[:32]}"
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
        _log.info("intake_refused", subject=message.subject, sequence=message.stream_sequence, code=problem.slug)
        await self._messages.refuse(event_id, json.dumps(event, ensure_ascii=True, separators=(",", ":")).encode())


def _id_of(raw: bytes) -> str | None:
    """The event's id, where that can be read."""
    try:
        event = json.loads(raw[:1_000_000])
    except (ValueError, RecursionError):
        return None
    found = event.get("id") if isinstance(event, dict) else None
    return found[:255] if isinstance(found, str) else None
