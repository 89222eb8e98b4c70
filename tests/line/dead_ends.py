"""Exceptions of a rig, and what people do about them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from adapters.canonical import DOMAINS
from adapters.port import FoundDocument
from gateway.domain.caller import Caller
from gateway.domain.exceptions import ExceptionFilter, ExceptionRecord, MoveName
from gateway.domain.queries import Visible
from gateway.domain.transaction import Status
from gateway.exceptions.asking import Moved, Wanted, approve_move, ask_move
from gateway.exceptions.parts import ExceptionParts
from tests.line.acts import ANN, BOB
from tests.line.rig import Rig

EVERYTHING = Visible()


def desk(rig: Rig) -> ExceptionParts:
    return ExceptionParts(
        store=rig.store,
        reads=rig.store.reads,
        line=lambda: replace(rig.parts, rules=rig.rules.current),
        submissions=rig.line,
        send=rig.line.send,
        events_left=lambda: rig.woken.append("events"),
        jobs_due=lambda: rig.woken.append("jobs"),
    )


async def exceptions(rig: Rig, **where: Any) -> list[ExceptionRecord]:
    """The oldest first."""
    return list(await rig.store.reads.exceptions(ExceptionFilter(**where), EVERYTHING, 1_000, None))


async def the_one(rig: Rig) -> ExceptionRecord:
    """The only one that is open."""
    [found] = await exceptions(rig, state="open")
    return found


async def ask(
    rig: Rig, move: MoveName, *, of: ExceptionRecord | None = None, who: Caller = ANN, key: str = "", **wanted: Any
) -> Moved:
    """Ask for a move of the only open exception, unless one is given."""
    rig.keys += 1
    record = of or await the_one(rig)
    full = Wanted(move=move, reason=wanted.pop("reason", "looked it up"), **wanted)
    return await ask_move(desk(rig), who, EVERYTHING, record.exception_id, full, key or f"move-{rig.keys}")


async def approve(rig: Rig, moved: Moved, who: Caller = BOB) -> Moved:
    return await approve_move(desk(rig), who, EVERYTHING, moved.exception.exception_id, moved.move.move_id)


async def both(rig: Rig, move: MoveName, **wanted: Any) -> Moved:
    """One asks, the other approves."""
    return await approve(rig, await ask(rig, move, **wanted))


async def words_of(rig: Rig, record: ExceptionRecord) -> dict[str, str]:
    payload = await rig.store.reads.payload(record.payload_id)
    said: dict[str, str] = json.loads(payload.body)
    return said


async def left_behind(rig: Rig, body: dict[str, Any], domain: str = "orders", *, posted: bool) -> tuple[Rig, str]:
    """A process commits `dispatched` and is seen no more, without proof that it ended: another one puts the transaction
    before a person. (The other process, the transaction.)"""
    rig.legacy.gate = asyncio.Event()
    rig.legacy.arrived.clear()
    answer = await rig.send(body, domain)
    await asyncio.wait_for(rig.legacy.arrived.wait(), 30)
    for task in list(rig.line._tasks):
        task.cancel()
    await asyncio.gather(*rig.line._tasks, return_exceptions=True)
    rig.legacy.gate = None
    heir = await rig.another_process("prc_2")
    await heir.until(16.0)
    await heir.until(2.0)
    await heir.until(200.0)
    transaction_id = answer.transaction.transaction_id
    assert (await heir.record(transaction_id)).status is Status.IN_DOUBT
    if posted:
        rig.legacy.post(rig.legacy.seen[-1])
    return heir, transaction_id


def by_hand(rig: Rig, body: dict[str, Any], domain: str = "orders", **changes: Any) -> FoundDocument:
    """Somebody enters the document in the legacy ERP itself, without a reference."""
    document = DOMAINS[domain].model_validate_json(json.dumps(body))
    rig.legacy.post(replace(rig.legacy.seen[-1], document=document, external_reference=""))  # type: ignore[type-var]
    rig.legacy.book[-1] = replace(rig.legacy.book[-1], **changes)
    return rig.legacy.book[-1]


def named(found: FoundDocument) -> dict[str, str]:
    """The number, as `mark_posted` names it."""
    return {"document_type": found.number.document_type, "document_number": found.number.document_number}
