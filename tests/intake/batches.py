"""Batches for tests: lines, and sending them to the line as the API does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Container, Iterable
from typing import Any

from gateway.api.batch_wire import line_wire
from gateway.api.limits import Limits
from gateway.domain.batches import BatchRecord
from gateway.domain.caller import Caller
from gateway.domain.lanes import IN_BULK
from gateway.intake.batch import enter, receive
from gateway.intake.line_stream import LineStream, StreamLimits
from gateway.intake.lines import DocumentReader
from gateway.intake.parts import IntakeParts
from gateway.intake.ports import IntakeCounts
from tests.line.rig import SALESFORCE, Rig

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Cut(Exception):
    """The sender is gone."""


def line(domain: str, document: dict[str, Any], **members: Any) -> bytes:
    return json.dumps({"domain": domain, "document": document, **members}).encode()


def body(*lines: bytes) -> bytes:
    return b"".join(one + b"\n" for one in lines)


async def pieces(*parts: bytes, then: BaseException | None = None) -> AsyncIterator[bytes]:
    for one in parts:
        yield one
    if then is not None:
        raise then


async def send(
    rig: Rig,
    parts: Iterable[bytes],
    key: str | None = None,
    *,
    caller: Caller = SALESFORCE,
    then: BaseException | None = None,
    counts: IntakeCounts | None = None,
) -> BatchRecord:
    """Send a batch; `then`: what happens after these parts, instead of the end."""
    return await send_stream(rig, pieces(*parts, then=then), key, caller=caller, counts=counts)


async def send_stream(
    rig: Rig,
    stream: AsyncIterator[bytes],
    key: str | None,
    *,
    caller: Caller = SALESFORCE,
    counts: IntakeCounts | None = None,
    served: Container[str] | None = None,
    limits: Limits | None = None,
) -> BatchRecord:
    """The same of whatever comes. `served`: domains of the rulebook in force, unless it is the rig's."""
    intake = IntakeParts(rig.store, rig.store.reads, rig.line, rig.parts.tools, counts)
    in_force = rig.parts.rules.rulebook.tables if served is None else served
    reader = DocumentReader(caller, in_force, IN_BULK, limits or Limits(), TRACEPARENT)
    batch = await enter(intake, caller.client, key)
    lines = LineStream(stream, StreamLimits(line_bytes=reader.limits.body_bytes))
    return await receive(intake, batch, reader, lines)


async def results(rig: Rig, batch: BatchRecord) -> list[tuple[int, str, str | None]]:
    """Line number, result, and the code of the problem."""
    found = [line_wire(one) for one in await rig.store.reads.batch_lines(batch.batch_id, 0, 1_000_000)]
    return [(one["lineNumber"], one["result"], (one["problem"] or {}).get("code")) for one in found]
