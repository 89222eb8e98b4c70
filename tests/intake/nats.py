"""A bench for the intake from NATS: a sender, the consumer over a line, and what was refused."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.api.limits import Limits
from gateway.intake.cloud_event import EventReader, event_type, sender_of
from gateway.intake.consumer import IntakeConsumer
from gateway.intake.putting_off import Patience
from gateway.messaging.intake_stream import CONSUMER, REFUSED, STREAM, IntakeStream
from gateway.messaging.nats import NatsConnection
from tests.line.rig import Rig
from tests.messaging.conftest import Bench

SENDERS = (
    sender_of("erp.intake.orders", "salesforce", "salesforce"),
    sender_of("erp.intake.*.billing", "billing", "billing"),
    sender_of("erp.intake.*.western", "western", "western", ["Western"], ["US"]),
)


def event(domain: str, document: Any, event_id: str, **changes: Any) -> bytes:
    attributes = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/systems/sender",
        "type": event_type(domain),
        "datacontenttype": "application/json",
        "data": document,
    }
    return json.dumps(attributes | changes).encode()


class Counted:
    """What a consumer counted: by result, and `redelivered`; `codes`: of what was put off."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.looks = 0
        self.backlogs: list[tuple[int, int]] = []

    def batch_lines(self, results: Mapping[str, int]) -> None:
        raise AssertionError("a consumer reads no batches")

    def messages(self, results: Mapping[str, int], *, redelivered: int) -> None:
        self.found.update(results)
        if redelivered:
            self.found["redelivered"] += redelivered

    def put_off(self, codes: Mapping[str, int]) -> None:
        self.codes.update(codes)

    def looked(self) -> None:
        self.looks += 1

    def backlog(self, new: int, put_off: int) -> None:
        self.backlogs.append((new, put_off))


@dataclass
class Intake:
    bench: Bench
    rig: Rig
    stream: IntakeStream
    consumer: IntakeConsumer
    asking: NatsConnection
    counted: dict[str, int]
    counts: Counted

    @classmethod
    async def on(cls, bench: Bench, rig: Rig, **patience: float) -> Intake:
        stream = IntakeStream(bench.connection())
        reader = EventReader(SENDERS, {"billing"}, Limits(body_bytes=100_000))
        consumer = IntakeConsumer(
            stream,
            rig.line,
            reader,
            lambda: rig.parts.rules.rulebook.tables,
            rig.parts.tools,
            Patience(**{"again_s": 0.2, "deadline_s": 1e12, **patience}),
            counts := Counted(),
        )
        await stream.prepare()
        return cls(bench, rig, stream, consumer, bench.connection(), counts.found, counts)

    async def publish(self, subject: str, body: bytes) -> None:
        async with self.asking.exchange() as exchange:
            answer = await exchange.request(subject, body)
        assert answer["stream"] == STREAM, answer

    async def refused(self) -> list[dict[str, Any]]:
        """The data of all that was refused."""
        found = []
        async with self.asking.exchange() as exchange:
            info = await exchange.request(f"$JS.API.STREAM.INFO.{STREAM}")
            for sequence in range(1, info["state"]["last_seq"] + 1):
                query = json.dumps({"seq": sequence}).encode()
                message = (await exchange.request(f"$JS.API.STREAM.MSG.GET.{STREAM}", query))["message"]
                if message["subject"] == REFUSED:
                    found.append(json.loads(base64.b64decode(message["data"]))["data"])
        return found

    async def take_in(self, count: int) -> None:
        """Deal with so many messages, in however many pieces the server delivers them."""
        async with asyncio.timeout(60.0):
            while count > 0:
                count -= await self.consumer.once()
        assert count == 0

    async def server_takes_again_after(self, seconds: float) -> None:
        """As if as much more of the time were over in which a message is left to who was given it."""
        async with self.asking.exchange() as exchange:
            info = await exchange.request(f"$JS.API.CONSUMER.INFO.{STREAM}.{CONSUMER}")
            shorter = info["config"] | {"ack_wait": int(seconds * 1_000_000_000)}
            body = json.dumps({"stream_name": STREAM, "config": shorter}).encode()
            answer = await exchange.request(f"$JS.API.CONSUMER.CREATE.{STREAM}.{CONSUMER}", body)
        assert "error" not in answer, answer

    async def left(self) -> int:
        """Messages that are not decided."""
        async with self.asking.exchange() as exchange:
            info = await exchange.request(f"$JS.API.CONSUMER.INFO.{STREAM}.gateway")
        return int(info["num_pending"]) + int(info["num_ack_pending"])

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.consumer.run())
        try:
            yield
            assert not task.done(), "run() ended by itself"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, met: Callable[[], bool], limit_s: float = 60.0) -> None:
        async with asyncio.timeout(limit_s):
            while not met():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)

    async def until_left(self, count: int, limit_s: float = 60.0) -> None:
        async with asyncio.timeout(limit_s):
            while await self.left() != count:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.02)
