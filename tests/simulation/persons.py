"""What people do when an ERP refused to undo something: they undo it there, and name what they did to the gateway.

They come once all else has ended. The process that they ask may die at any instant; then they ask another one.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any, Final

from adapters.canonical import ErpNumber
from adapters.port import Cancellation
from gateway.domain.exceptions import UNDO_REFUSED, ExceptionFilter, ExceptionRecord
from gateway.domain.plan import in_hand
from gateway.domain.queries import Visible
from gateway.errors import CommitUnknown, Problem, StoreUnavailable
from gateway.exceptions.asking import Moved, Wanted, approve_move, ask_move
from gateway.exceptions.parts import ExceptionParts
from gateway.transactions.posting import posting_of
from tests.line.acts import ANN, BOB
from tests.simulation.lives import Killed
from tests.simulation.process import Process

EVERYTHING: Final = Visible()
_TRIES: Final = 40


async def undo_by_hand(world: Any) -> None:
    """Until no undo stands refused any more; what could not be settled is a violation."""
    chance = random.Random(f"{world.seed}/persons")
    for _ in range(_TRIES):
        where = ExceptionFilter(state="open", reason_code=UNDO_REFUSED)
        stuck = await world.store.reads.exceptions(where, EVERYTHING, 1_000, None)
        if not stuck:
            return
        for one in stuck:
            number = await _undo(world, one)
            await _name(world, chance, one, number)
        # one that was killed after its answer works on nothing
        await world.a_living_process()
        await world.until_all_ended()
    world.violations.append(f"an undo stands refused, and naming what undid it helps nobody: {stuck}")


async def _undo(world: Any, one: ExceptionRecord) -> ErpNumber:
    """Do in the ERP what it refused the gateway; the number of what shows it."""

    async def refused(unit: Any) -> Any:
        record = await unit.transaction(one.transaction_id)
        step = in_hand(await unit.steps(one.transaction_id))
        return step, await posting_of(unit, record, step)

    step, posting = await world.store.write(refused)
    erp = world.erps[step.system_id]
    original = erp.entry(posting.number)
    world.by_hand.add((one.transaction_id, step.step))
    if isinstance(posting, Cancellation):
        erp.book[erp.book.index(original)] = replace(original, cancelled=True)
        return original.number
    number = original.number.model_copy(update={"document_number": f"{len(erp.book) + 1:06d}"})
    erp.book[erp.book.index(original)] = replace(original, reversed_by=number.document_number)
    erp.book.append(replace(original, number=number, external_reference=f"by hand {number.document_number}"))
    erp.contents[number.document_number] = erp.contents[original.number.document_number]
    return number


async def _name(world: Any, chance: random.Random, one: ExceptionRecord, number: ErpNumber) -> None:
    """One person asks, another one approves; both again until they are answered."""
    wanted = Wanted(
        move="mark_posted",
        reason="undone there",
        document_type=number.document_type,
        document_number=number.document_number,
    )
    key = f"by-hand-{one.exception_id}-{number.document_number}"
    asked = await _asked(
        world, chance, lambda desk: ask_move(desk, ANN, EVERYTHING, one.exception_id, wanted, key), one
    )
    if asked is not None:
        move_id = asked.move.move_id
        await _asked(world, chance, lambda desk: approve_move(desk, BOB, EVERYTHING, one.exception_id, move_id), one)


async def _asked(world: Any, chance: random.Random, act: Any, one: ExceptionRecord) -> Moved | None:
    for _ in range(_TRIES):
        process = await world.a_living_process()
        task: asyncio.Task[Moved] = asyncio.create_task(act(_desk(process)))
        if chance.random() < 0.5:
            # the process dies at some instant of it
            await asyncio.sleep(chance.uniform(0, 1.5))
            world.kills += 1
            process.kill()
            task.cancel()
        try:
            return await task
        except (StoreUnavailable, CommitUnknown, Killed, asyncio.CancelledError):
            continue
        except Problem as problem:
            if problem.slug not in {"in-flight", "erp-unavailable"}:
                world.violations.append(f"what undid {one.transaction_id} is not believed: {problem.detail}")
                return None
            await asyncio.sleep(5)
    world.violations.append(f"nobody answers the persons who care for {one.transaction_id}")
    return None


def _desk(process: Process) -> ExceptionParts:
    line = process.line
    return ExceptionParts(
        store=process.store,
        reads=process.store.reads,
        line=lambda: process.parts,
        submissions=line,
        send=line.send,
        events_left=lambda: None,
        jobs_due=process.worker.wake,
    )
