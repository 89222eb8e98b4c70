"""One move for many exceptions: a dry run shows which, and the real run names what was shown.

The dry run keeps the exceptions as they stood. The real run deals with them a page at a time, so that it can be
stopped, repeated and gone on with; what is not any more what was shown is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from gateway.cutover.acting import Acting, acting
from gateway.cutover.acts import Actor
from gateway.domain.caller import Caller
from gateway.domain.exceptions import (
    BulkItemRecord,
    BulkRecord,
    ExceptionFilter,
    ExceptionRecord,
    MoveName,
    moves_for,
)
from gateway.domain.identity import content_hash
from gateway.domain.lanes import IN_BULK
from gateway.domain.queries import Visible
from gateway.domain.records import PayloadRecord
from gateway.errors import Problem
from gateway.exceptions.asking import Wanted, ask_move
from gateway.exceptions.parts import ExceptionParts
from gateway.exceptions.policy import needs_second
from gateway.exceptions.ports import ExceptionUnit

MOST_AT_ONCE: Final = 10_000
"""Exceptions of one bulk move."""
PAGE: Final = 50
"""Of them that one request of the real run deals with."""
SHOWN: Final = 20
"""Of them that the dry run shows."""
_PAGE_OF_READS: Final = 1_000
BULK_MOVES: Final[tuple[MoveName, ...]] = ("retry", "cancel")
"""Moves that need nothing of the single exception."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a bulk move would deal with. `money`: by currency, of those that have an amount. `not_allowed`: how many the
    filter meets of which the move is not allowed; they are left out."""

    bulk: BulkRecord
    money: Mapping[str, Decimal]
    first: Sequence[ExceptionRecord]
    not_allowed: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it came: how many have which result. `left`: not dealt with yet."""

    bulk: BulkRecord
    results: Mapping[str, int]
    left: int


async def dry_run(
    parts: ExceptionParts,
    caller: Caller,
    visible: Visible,
    move: MoveName,
    where: ExceptionFilter,
    reason: str,
) -> DryRun:
    """Find what the filter meets, and keep it under the name that the real run gives. Moves nothing.

    Raises Problem: policy-check-failed (no person; nothing met; a move that is not one for many), too-large (more than
    MOST_AT_ONCE).
    """
    tools = parts.line().tools
    who = acting(tools, caller)
    if move not in BULK_MOVES:
        raise Problem("policy-check-failed", f"{move} cannot be made for many at once", remedy="retry or cancel")
    open_ones = await _met(parts, visible, replace(where, state="open"))
    met, not_allowed, second = await _allowed(parts, move, open_ones)
    if not met:
        raise Problem("policy-check-failed", "the filter meets no exception of which this move is allowed")
    body = json.dumps({"reason": reason, "move": move}, ensure_ascii=False, separators=(",", ":")).encode()
    payload = PayloadRecord(tools.ids.new("pay"), tools.randomness.salt(), body)
    shown = "\n".join(f"{one.exception_id} {one.version}" for one in met)
    bulk = BulkRecord(
        bulk_id=tools.ids.new("blk"),
        move=move,
        digest=content_hash(f"{move}\n{shown}".encode()),
        count=len(met),
        second_person=int(second),
        payload_id=payload.payload_id,
        asked_at=tools.clock.now(),
        asked_by=who.client,
        asked_person=who.person,
    )
    items = [BulkItemRecord(bulk.bulk_id, at, one.exception_id, one.version) for at, one in enumerate(met)]

    async def unit_of_work(unit: ExceptionUnit) -> None:
        await unit.insert_payload(payload)
        await Actor(who.client, who.person, who.name).remember(unit)
        await unit.insert_bulk(bulk, items)

    await parts.store.write(unit_of_work)
    return DryRun(bulk, _money(met), met[:SHOWN], not_allowed)


async def run_page(parts: ExceptionParts, caller: Caller, visible: Visible, bulk_id: str, digest: str) -> Progress:
    """Deal with the next PAGE of them; to be repeated until nothing is left. Whoever goes on must have started it.

    Raises Problem: not-found, stale (the digest names something else), policy-check-failed (it needs a second person,
    or was started by another one).
    """
    who = acting(parts.line().tools, caller)

    async def unit_of_work(unit: ExceptionUnit) -> BulkRecord:
        bulk = await unit.bulk(bulk_id)
        if bulk is None:
            raise Problem("not-found", "there is no such bulk move")
        _refuse_run(bulk, who, digest)
        if bulk.started_at is None:
            await Actor(who.client, who.person, who.name).remember(unit)
            bulk = replace(
                bulk,
                started_at=parts.line().tools.clock.now(),
                started_by=who.client,
                started_person=who.person,
            )
            await unit.update_bulk(bulk)
        return bulk

    bulk = await parts.store.write(unit_of_work)
    reason = await _reason(parts, bulk)
    in_bulk = replace(parts, queueing=IN_BULK)
    for item in await parts.reads.due_bulk_items(bulk_id, PAGE):
        result = await _dealt_with(in_bulk, caller, visible, bulk, item, reason)
        await _write_down(parts, replace(item, result=result))
    return await progress(parts, bulk_id)


async def progress(parts: ExceptionParts, bulk_id: str) -> Progress:
    """How far a bulk move came. Raises Problem `not-found`."""
    bulk = await _bulk(parts, bulk_id)
    results: dict[str, int] = {}
    left = 0
    for result, count in await parts.reads.bulk_tally(bulk_id):
        if result is None:
            left = count
        else:
            results[result] = count
    return Progress(bulk, results, left)


async def _bulk(parts: ExceptionParts, bulk_id: str) -> BulkRecord:
    bulk = await parts.reads.bulk(bulk_id)
    if bulk is None:
        raise Problem("not-found", "there is no such bulk move")
    return bulk


def _refuse_run(bulk: BulkRecord, who: Acting, digest: str) -> None:
    if bulk.digest != digest:
        raise Problem("stale", "this digest is not that of what was shown", remedy="make the dry run again")
    if bulk.second_person and bulk.asked_person == who.person:
        raise Problem(
            "policy-check-failed",
            "some of it needs a second person: who made the dry run cannot run it",
            remedy="give the id and the digest to another person",
        )
    if bulk.started_person is not None and bulk.started_person != who.person:
        raise Problem("policy-check-failed", "another person has started it", remedy="have that person go on")


async def _dealt_with(
    parts: ExceptionParts, caller: Caller, visible: Visible, bulk: BulkRecord, item: BulkItemRecord, reason: str
) -> str:
    """The result of one. The key is the item's own, so that a page that was cut off is gone on with."""
    asker = await _asker(parts, bulk)
    wanted = Wanted(
        move=bulk.move,
        reason=reason,
        version=item.version,
        approved_with=asker if bulk.asked_person != bulk.started_person else None,
    )
    try:
        moved = await ask_move(parts, caller, visible, item.exception_id, wanted, f"{item.bulk_id}/{item.position}")
    except Problem as problem:
        return "changed" if problem.slug == "stale" else problem.slug
    return moved.move.state


async def _write_down(parts: ExceptionParts, item: BulkItemRecord) -> None:
    async def unit_of_work(unit: ExceptionUnit) -> None:
        await unit.update_bulk_item(item)

    await parts.store.write(unit_of_work)


async def _asker(parts: ExceptionParts, bulk: BulkRecord) -> Acting:
    """Who made the dry run, as moves hold persons."""
    nobody = Caller(bulk.asked_by, "", frozenset())
    return Acting(nobody, bulk.asked_person, await parts.reads.person_name(bulk.asked_person) or bulk.asked_by)


async def _reason(parts: ExceptionParts, bulk: BulkRecord) -> str:
    payload = await parts.reads.payload(bulk.payload_id)
    if payload is None or payload.body is None:
        raise Problem("not-found", "the reason of this bulk move was erased", remedy="make the dry run again")
    return str(json.loads(payload.body)["reason"])


async def _met(parts: ExceptionParts, visible: Visible, where: ExceptionFilter) -> Sequence[ExceptionRecord]:
    """All that the filter meets, the oldest first."""
    met: list[ExceptionRecord] = []
    after: str | None = None
    while True:
        page = await parts.reads.exceptions(where, visible, _PAGE_OF_READS, after)
        met += page
        if len(met) > MOST_AT_ONCE:
            raise Problem(
                "too-large",
                f"the filter meets more than {MOST_AT_ONCE} exceptions",
                remedy="narrow it, by a domain or a time",
            )
        if len(page) < _PAGE_OF_READS:
            return met
        after = page[-1].exception_id


async def _allowed(
    parts: ExceptionParts, move: MoveName, met: Sequence[ExceptionRecord]
) -> tuple[Sequence[ExceptionRecord], int, bool]:
    """Those of which the move is allowed, how many are left out, and whether a second person is needed for any."""
    allowed: list[ExceptionRecord] = []
    second = False
    rulebook = parts.line().rules.rulebook
    of_several = await parts.reads.of_several_steps([one.transaction_id for one in met])
    for one in met:
        record = await parts.reads.transaction(one.transaction_id, Visible())
        several = one.transaction_id in of_several
        if record is None or move not in moves_for(record.status, record.operation, one.reason_code, several=several):
            continue
        second = second or needs_second(rulebook, one, record.status, move)
        allowed.append(one)
    return allowed, len(met) - len(allowed), second


def _money(met: Sequence[ExceptionRecord]) -> Mapping[str, Decimal]:
    money: dict[str, Decimal] = {}
    for one in met:
        if one.currency_code is not None and one.amount is not None:
            money[one.currency_code] = money.get(one.currency_code, Decimal(0)) + Decimal(one.amount)
    return dict(sorted(money.items()))
