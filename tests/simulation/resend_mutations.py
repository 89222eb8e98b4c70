"""Faults planted into what must be known before anything is sent again, and into what an inquiry finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

from adapters.port import FoundDocument
from gateway.transactions import resolve
from gateway.transactions.parts import SECOND

Mutation = Callable[[], AbstractContextManager[object]]


def _quiet_from_the_dispatch(parts: Any, step: Any) -> int:
    longest = int(parts.systems[step.system_id].policy.longest_execution_s * SECOND)
    return max(step.dispatched_at + longest, step.earlier_until or 0)


async def _ended_when_it_dispatched(held: Any, step: Any) -> Any:
    proven = await _true_prove_sender_ended(held, step)
    return proven if proven is step else replace(proven, closed_at=step.dispatched_at)


_true_prove_sender_ended: Final = resolve._prove_sender_ended


async def _one_after_the_quiet_time(held: Any, step: Any, posting: Any) -> Any:
    return await _true_not_found(held, replace(step, inquiries=max(2, step.inquiries)), posting)


_true_not_found: Final = resolve._not_found


async def _the_first_of_several(held: Any, step: Any, posting: Any, found: Any) -> Any:
    return await _true_found(held, step, posting, found[:1])


_true_found: Final = resolve._found


RESEND_MUTATIONS: Final[Mapping[str, Mutation]] = {
    "the quiet time begins with the dispatch": lambda: patch.object(resolve, "quiet_until", _quiet_from_the_dispatch),
    "the quiet time of an ended sender begins with its dispatch": lambda: patch.object(
        resolve, "_prove_sender_ended", _ended_when_it_dispatched
    ),
    "one inquiry after the quiet time is enough": lambda: patch.object(
        resolve, "_not_found", _one_after_the_quiet_time
    ),
    "what was found is not compared": lambda: patch.object(FoundDocument, "agrees_with", lambda *_: True),
    "of several that were found the first is taken": lambda: patch.object(resolve, "_found", _the_first_of_several),
    "what was undone there is taken as standing": lambda: patch.object(
        resolve, "still_standing", lambda _posting, found: tuple(found)
    ),
}
"""By what is wrong."""
