"""Small faults planted into the safety code, one at a time: what the simulation cannot catch, it does not guard.

Each is a context in which the program is wrong; `python -m tests.simulation --mutations` tells how soon each is caught.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import bindparam

from adapters.canonical import ErpNumber
from adapters.errors import NotSent, Rejected
from adapters.port import Posted
from gateway.leaders import Leaders
from gateway.store.keys import IDEMPOTENCY_KEYS, NATURAL_KEYS
from gateway.store.statement import Command
from gateway.store.store import StoreUnit
from gateway.transactions import dispatch, execute, process, resolve, settle, work
from gateway.transactions.dispatch import Dispatch
from gateway.transactions.execute import IsUnknown, WasNotSent, WasPosted, WasRejected
from gateway.transactions.parts import ErpSystem
from tests.simulation import process as simulated
from tests.simulation.closing_mutations import CLOSING_MUTATIONS, CLOSING_SECOND_LINES
from tests.simulation.leg_mutations import LEG_MUTATIONS
from tests.simulation.newcomer_mutations import NEWCOMER_MUTATIONS
from tests.simulation.resend_mutations import RESEND_MUTATIONS
from tests.simulation.telling_mutations import TELLING_MUTATIONS, TELLING_SECOND_LINES

Mutation = Callable[[], AbstractContextManager[object]]


def _outcome(change: Callable[[Any, Any], Any]) -> Mutation:
    """What came of a call is taken for something else."""

    @contextmanager
    def planted() -> Iterator[None]:
        true_call = execute._call

        async def call(parts: Any, dispatched: Any, permit: Any) -> Any:
            return change(dispatched, await true_call(parts, dispatched, permit))

        with patch.object(execute, "_call", call):
            yield

    return planted


def _blind_retry(_dispatch: Any, outcome: Any) -> Any:
    return WasNotSent(NotSent("so it seems"), None) if isinstance(outcome, IsUnknown) else outcome


def _unknown_is_refusal(_dispatch: Any, outcome: Any) -> Any:
    return WasRejected(Rejected("so it seems")) if isinstance(outcome, IsUnknown) else outcome


def _busy_is_refusal(_dispatch: Any, outcome: Any) -> Any:
    return WasRejected(Rejected("so it seems")) if isinstance(outcome, WasNotSent) else outcome


def _refusal_is_success(dispatched: Any, outcome: Any) -> Any:
    if not isinstance(outcome, WasRejected):
        return outcome
    return WasPosted(Posted(_any_number(dispatched)))


async def _resend_after_one_inquiry(held: Any, step: Any, posting: Any) -> Any:
    return await resolve._send_again(held, replace(step, earlier_until=None), posting)


async def _resend_without_inquiry(held: Any, in_force: Any) -> Any:
    record = held.record
    if record.status.value == "unknown":
        step = (await held.unit.steps(record.transaction_id))[-1]
        posting = await process.posting_of(held.unit, record, step)
        return await process.dispatch_again(held, step, posting, why="not-sent")
    return await _true_decide_next(held, in_force)


_true_decide_next: Final = process._decide_next


async def _sender_lost_is_not_sent(held: Any, in_force: Any) -> Any:
    record = held.record
    if record.status.value == "dispatched":
        step = (await held.unit.steps(record.transaction_id))[-1]
        posting = await process.posting_of(held.unit, record, step)
        return await process.dispatch_again(held, step, posting, why="not-sent")
    return await _true_decide_next(held, in_force)


async def _everybody_has_ended(held: Any, step: Any) -> Any:
    return step if step.closed_at is not None else replace(step, closed_at=held.now)


_true_next_attempt: Final = dispatch.next_attempt


def _another_reference(parts: Any, step: Any, lease: Any) -> Any:
    attempt = _true_next_attempt(parts, step, lease)
    return replace(attempt, external_reference=f"{attempt.attempt:02d}{step.external_reference[2:]}")


async def _no_longer(*_asked: Any) -> None:
    return None


async def _take_without_epoch(unit: Any, parts: Any, transaction_id: str, _epoch: int) -> Any:
    job = await unit.job(transaction_id)
    record = await unit.transaction(transaction_id)
    if job is None or record is None:
        raise dispatch.LeaseLost("gone")
    return work.Work(unit, parts, work.Journal(parts.tools, record, work.ACTOR), job)


async def _failed_inquiry_found_nothing(held: Any, step: Any, posting: Any, findings: Any) -> Any:
    return await _true_resolve(held, step, posting, replace(findings, error=None))


_true_resolve: Final = resolve.resolve


async def _no_pin(_unit: Any, _lineage_id: str) -> None:
    return None


async def _every_tenth_event_is_lost(unit: Any, records: Any) -> None:
    await _true_insert_events(unit, [one for one in records if one.sequence % 10])


_true_insert_events: Final = StoreUnit.insert_events


async def _job_forgotten(_unit: Any, record: Any) -> None:
    return None


async def _number_forgotten(unit: Any, record: Any) -> None:
    if record.document_type not in {"order", "invoice", "payment"}:
        await _true_insert_cross_reference(unit, record)


_true_insert_cross_reference: Final = StoreUnit.insert_cross_reference


async def _refusal_counts(held: Any, step: Any, problem: Any) -> Any:
    return await settle.step_refused(held, replace(step, closed_at=held.now), problem)


async def _key_forgotten_on_failure(held: Any, step: Any, code: str, closed_at: Any, **more: Any) -> Any:
    """What came to nothing for now may be sent again by its caller as if it were new."""
    name = {"transaction": held.record.transaction_id}
    for keys in (NATURAL_KEYS, IDEMPOTENCY_KEYS):
        column = keys.table.c.transaction_id
        await held.unit._unit.run(Command(keys.table.delete().where(column == bindparam("transaction"))), name)
    return await _true_become_unknown(held, step, code, closed_at, **more)


_true_become_unknown: Final = settle.become_unknown


async def _posted_before_the_call(store: Any, parts: Any, dispatched: Any) -> Any:
    posted = WasPosted(Posted(_any_number(dispatched)))
    settled = partial(process._settle, parts=parts, dispatch=dispatched, outcome=posted)
    carried = await process._written(store, parts, settled)
    await execute.execute(parts, dispatched)
    return carried


def _any_number(dispatched: Any) -> ErpNumber:
    return ErpNumber(system_id=dispatched.step.system_id, document_type="order", document_number="999999")


def _ended_although_it_stands_still(morgue: Any, record: Any) -> bool:
    return True


@contextmanager
def _planted_unknowns(fault: Any) -> Iterator[None]:
    with patch.object(settle, "become_unknown", fault), patch.object(process, "become_unknown", fault):
        yield


def _with_unknowns(fault: Any) -> Mutation:
    """Wherever something becomes unknown."""
    return lambda: _planted_unknowns(fault)


def _lease_of_nothing(parts: Any, system_id: str) -> int:
    return 0


MUTATIONS: Final[Mapping[str, Mutation]] = {
    "an unknown is sent again like a busy one": _outcome(_blind_retry),
    "an unknown is taken for a refusal": _outcome(_unknown_is_refusal),
    "a busy system is taken for a refusal": _outcome(_busy_is_refusal),
    "a refusal is taken for a success": _outcome(_refusal_is_success),
    "one empty inquiry is proof": lambda: patch.object(resolve, "_not_found", _resend_after_one_inquiry),
    "an unknown is sent again without an inquiry": lambda: patch.object(
        process, "_decide_next", _resend_without_inquiry
    ),
    "a lost sender is taken for one that sent nothing": lambda: patch.object(
        process, "_decide_next", _sender_lost_is_not_sent
    ),
    "every silent sender is taken for ended": lambda: patch.object(
        resolve, "_prove_sender_ended", _everybody_has_ended
    ),
    "a process that stands still is taken for dead": lambda: patch.object(
        simulated.Morgue, "has_ended", _ended_although_it_stands_still
    ),
    "there is no quiet time": lambda: patch.object(simulated, "LONGEST_EXECUTION_S", 0.0),
    "all references are taken for unique": lambda: patch.object(ErpSystem, "reference_unique", lambda *_: True),
    "the reference changes with each attempt": lambda: patch.object(resolve, "next_attempt", _another_reference),
    "leases last no time": lambda: patch.object(dispatch, "lease_length", _lease_of_nothing),
    "a refusal counts while an earlier attempt may run": lambda: patch.object(settle, "keep_refusal", _refusal_counts),
    "an inquiry that failed counts as an empty one": lambda: patch.object(
        process, "resolve", _failed_inquiry_found_nothing
    ),
    "pins are not looked at": lambda: patch.object(StoreUnit, "pin", _no_pin),
    "an event of ten is not written": lambda: patch.object(StoreUnit, "insert_events", _every_tenth_event_is_lost),
    "the job is not written with the transaction": lambda: patch.object(StoreUnit, "insert_job", _job_forgotten),
    "the ERP's number is not kept": lambda: patch.object(StoreUnit, "insert_cross_reference", _number_forgotten),
    "keys are forgotten when a call fails": _with_unknowns(_key_forgotten_on_failure),
    "a document is marked as posted before the call": lambda: patch.object(
        process, "_attempt", _posted_before_the_call
    ),
    "the lease is not looked at before the first byte": lambda: patch.object(Dispatch, "permit", lambda *_: None),
    "a lease is not prolonged for a further call": lambda: patch.object(work.Work, "keep", _no_longer),
    "the epoch is not looked at": lambda: patch.object(work.Work, "take", staticmethod(_take_without_epoch)),
    **CLOSING_MUTATIONS,
    **RESEND_MUTATIONS,
    **TELLING_MUTATIONS,
    **LEG_MUTATIONS,
    **NEWCOMER_MUTATIONS,
}
"""By what is wrong."""

SECOND_LINES: Final[Mapping[str, Mutation]] = {
    "a leader does not prolong its lease": lambda: patch.object(Leaders, "renew", _no_longer),
    **CLOSING_SECOND_LINES,
    **TELLING_SECOND_LINES,
}
"""Faults that another line of defence makes harmless in every world: a leader whose lease is over too early is kept
from writing by its epoch, which costs time. `tests/store`, `tests/leaders` and `tests/messaging` have a test for each.
"""
