"""Faults planted into the word of a sender that its attempt is over (`gateway.transactions.closing`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

from gateway.store.store import StoreUnit
from gateway.transactions import closing, process, resolve, settle

Mutation = Callable[[], AbstractContextManager[object]]

_true_attempt: Final = process._attempt


async def _said_while_it_runs(store: Any, parts: Any, dispatch: Any) -> Any:
    await closing.say_closed(store, parts.tools, dispatch.step)
    return await _true_attempt(store, parts, dispatch)


async def _row(unit: Any, attempt: Any) -> Any:
    steps = await unit.steps(attempt.transaction_id)
    return next(one for one in steps if (one.step, one.direction) == (attempt.step, attempt.direction))


async def _whatever_attempt(unit: Any, attempt: Any, at: int) -> bool:
    row = await _row(unit, attempt)
    open_ = row.closed_at is None
    if open_:
        await unit.update_step(replace(row, closed_at=at))
    return open_


async def _since_it_was_dispatched(unit: Any, attempt: Any, at: int) -> bool:
    """The word is heard, but it starts no quiet time."""
    heard = await _true_close_attempt(unit, attempt, at)
    if heard:
        await unit.update_step(replace(await _row(unit, attempt), closed_at=1))
    return heard


_true_close_attempt: Final = StoreUnit.close_attempt


async def _written_over_the_row(unit: Any, attempt: Any, at: int) -> bool:
    """The sender writes its step as it knew it, whatever became of it since."""
    await unit.update_step(replace(attempt, closed_at=at, epoch=(await _row(unit, attempt)).epoch))
    return True


async def _not_read_again(_held: Any, step: Any) -> Any:
    return step


async def _forgotten_at_the_take_over(held: Any, step: Any, code: str, _closed_at: Any, **later: Any) -> Any:
    return await _true_become_unknown(held, step, code, None, **later)


_true_become_unknown: Final = settle.become_unknown


CLOSING_MUTATIONS: Final[Mapping[str, Mutation]] = {
    "a sender says that its call is over while it runs": lambda: patch.object(process, "_attempt", _said_while_it_runs),
    "a sender's word starts no quiet time": lambda: patch.object(StoreUnit, "close_attempt", _since_it_was_dispatched),
    "a sender writes its step over another's": lambda: patch.object(StoreUnit, "close_attempt", _written_over_the_row),
    "a sender's word is lost to who asked the ERP meanwhile": lambda: patch.object(
        resolve, "_as_its_sender_says", _not_read_again
    ),
    "a sender's word is forgotten by who takes over": lambda: patch.object(
        process, "become_unknown", _forgotten_at_the_take_over
    ),
}
"""By what is wrong."""

CLOSING_SECOND_LINES: Final[Mapping[str, Mutation]] = {
    "a sender closes whatever attempt is on record": lambda: patch.object(
        StoreUnit, "close_attempt", _whatever_attempt
    ),
}
"""There is a further attempt only after the word was heard, or where the ERP itself refuses a second document; so it
takes a sender that stands still between two tries of one word. `tests/store/test_closing_attempts.py` has the test."""
