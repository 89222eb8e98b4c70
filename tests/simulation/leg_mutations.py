"""Faults planted into plans of several steps: each leaves half a document in an ERP, or says so wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

from adapters.errors import Rejected
from gateway.domain.identity import external_reference
from gateway.domain.plan import still_done
from gateway.transactions import advance, compensate, process, release, resolve, settle, steps
from gateway.transactions.execute import IsUnknown, WasRejected
from gateway.transactions.work import Work

Mutation = Callable[[], AbstractContextManager[object]]


async def _unknown_later_leg_is_refusal(held: Any, step: Any, outcome: Any) -> Any:
    if isinstance(outcome, IsUnknown) and step.step > 1 and step.direction == "do":
        outcome = WasRejected(Rejected("so it seems"))
    return await _true_settle(held, step, outcome)


_true_settle: Final = settle.settle


def _oldest_first(found: Any) -> Any:
    return list(reversed(still_done(found)))


def _forgets_what_is_undone(found: Any) -> Any:
    return [one for one in found if one.direction == "do" and one.state == "posted"][:1]


def _reference_of_the_do(transaction_id: str, step: int, _direction: Any) -> str:
    return external_reference(transaction_id, step, "do")


async def _last_leg_forgotten_after_restart(held: Any, step: Any, members: Any) -> Any:
    """What an inquiry found is taken for the end of the plan."""
    if members.get("foundByInquiry") and step.direction == "do":
        await held.keep_step(step)
        return await advance._all_posted(held, members)
    return await _true_step_posted(held, step, members)


_true_step_posted: Final = advance.step_posted


async def _refused_undo_ignored(held: Any, step: Any, _problem: Any) -> Any:
    await held.keep_step(replace(step, state="posted", document_type="journal_entrie", document_number="999999"))
    return await compensate.undone(held, {"systemId": step.system_id, "step": step.step, "direction": "undo"})


async def _only_the_newest_undone(held: Any, members: Any) -> Any:
    with patch.object(compensate, "still_done", lambda _steps: []):
        return await _true_undone(held, members)


_true_undone: Final = compensate.undone


async def _refusal_leaves_the_rest(held: Any, step: Any, problem: Any) -> Any:
    """A later leg is refused, and what stands is left standing."""
    await held.keep_step(replace(step, state="rejected"))
    return await compensate.reject(held, problem)


async def _posted_although_a_leg_was_refused(held: Any, step: Any, problem: Any) -> Any:
    if held.record.legs is None or step.step == 1 or step.direction == "undo":
        return await _true_step_refused(held, step, problem)
    await held.keep_step(replace(step, state="rejected"))
    return await advance._all_posted(held, {"systemId": step.system_id, "step": step.step})


_true_step_refused: Final = compensate.step_refused


async def _undo_not_written_before_it_is_sent(held: Any, step: Any) -> None:
    if step.direction == "do":
        await _true_insert_step(held, step)
    else:
        held.show(step)


_true_insert_step: Final = Work.insert_step


def _everywhere(name: str, fault: Any) -> Mutation:
    """In every module of the line that has the name."""

    @contextmanager
    def planted() -> Iterator[None]:
        with ExitStack() as stack:
            for module in (advance, compensate, process, release, resolve, settle):
                if hasattr(module, name):
                    stack.enter_context(patch.object(module, name, fault))
            yield

    return planted


LEG_MUTATIONS: Final[Mapping[str, Mutation]] = {
    "legs are undone before an unknown one is resolved": _everywhere("settle", _unknown_later_leg_is_refusal),
    "legs are undone oldest first": _everywhere("still_done", _oldest_first),
    "the same leg is undone again and again": _everywhere("still_done", _forgets_what_is_undone),
    "an undo has the reference of what it undoes": lambda: patch.object(
        steps, "external_reference", _reference_of_the_do
    ),
    "the last legs are forgotten after a restart": _everywhere("step_posted", _last_leg_forgotten_after_restart),
    "a refused undo is ignored": lambda: patch.object(compensate, "_undo_refused", _refused_undo_ignored),
    "only the newest leg is undone": _everywhere("undone", _only_the_newest_undone),
    "a refused leg leaves the posted ones standing": _everywhere("step_refused", _refusal_leaves_the_rest),
    "a document is posted although a leg was refused": _everywhere("step_refused", _posted_although_a_leg_was_refused),
    "an undo is not written before it is sent": lambda: patch.object(
        Work, "insert_step", _undo_not_written_before_it_is_sent
    ),
}
"""By what is wrong."""
