"""Small faults planted into the safety code of a real gateway process: what the campaign cannot catch, it does not
guard.

Each is a function that makes this process wrong from here on. `python -m tests.faults --planted` tells how many kills
each one survived.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

from adapters.canonical import ErpNumber
from adapters.errors import OutcomeUnknown
from adapters.port import Posted
from gateway.liveness import HostLiveness
from gateway.store.store import StoreUnit
from gateway.transactions import execute, line, process
from gateway.transactions.dispatch import Dispatch
from gateway.transactions.execute import WasPosted
from gateway.transactions.parts import SystemPolicy
from gateway.wiring import systems
from tests.simulation.mutations import MUTATIONS

WITHIN: Final = 200
"""Kills within which a planted fault must show."""
_SHARED: Final = (
    "an unknown is sent again like a busy one",
    "an unknown is taken for a refusal",
    "one empty inquiry is proof",
    "a lost sender is taken for one that sent nothing",
    "the reference changes with each attempt",
    "an inquiry that failed counts as an empty one",
    "all references are taken for unique",
    "an event of ten is not written",
    "the job is not written with the transaction",
)
"""Those of the simulation that a real process runs into as well."""

_planted: Final[list[object]] = []
"""Kept, because a context that nobody holds is left."""


def _shared(name: str) -> Callable[[], None]:
    def plant() -> None:
        context = MUTATIONS[name]()
        context.__enter__()
        _planted.append(context)

    return plant


def _no_quiet_time() -> None:
    true_policy = systems._policy

    def policy(*asked: Any) -> SystemPolicy:
        return replace(true_policy(*asked), longest_execution_s=0.0)

    patch.object(systems, "_policy", policy).start()


def _sends_again_after_a_cut() -> None:
    true_send = execute._send

    async def send(*asked: Any) -> Posted:
        try:
            return await true_send(*asked)
        except OutcomeUnknown:
            return await true_send(*asked)

    patch.object(execute, "_send", send).start()


def _posted_before_the_call() -> None:
    async def run(store: Any, parts: Any, dispatch: Dispatch) -> Any:
        number = ErpNumber(system_id=dispatch.step.system_id, document_type="sales_order", document_number="1")
        outcome = WasPosted(Posted(number))
        carried = await store.write(lambda unit: process._settle(unit, parts=parts, dispatch=dispatch, outcome=outcome))
        await execute.execute(parts, dispatch)
        return carried

    patch.object(line, "run_dispatch", run).start()


def _natural_keys_are_forgotten() -> None:
    async def nobody(*_asked: Any) -> None:
        return None

    for name in ("natural_key", "insert_natural_key", "idempotency_key", "insert_idempotency_key"):
        patch.object(StoreUnit, name, nobody).start()


def _ended_although_it_stands_still() -> None:
    patch.object(HostLiveness, "has_ended", lambda *_asked: True).start()


PLANTED: Final[Mapping[str, Callable[[], None]]] = {
    **{name: _shared(name) for name in _SHARED},
    "there is no quiet time": _no_quiet_time,
    "what was cut is sent again at once": _sends_again_after_a_cut,
    "a document is marked as posted before the call": _posted_before_the_call,
    "keys are forgotten": _natural_keys_are_forgotten,
}
"""By what is wrong."""
PLANTED_AMONG_WORKERS: Final[Mapping[str, Callable[[], None]]] = {
    "a process that stands still is taken for dead": _ended_although_it_stands_still,
}
"""What shows only where workers are frozen beside others."""
