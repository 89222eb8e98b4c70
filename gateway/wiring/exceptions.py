"""What exceptions are moved with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gateway.cutover.rules_holder import RulesHolder
from gateway.exceptions.parts import ExceptionParts
from gateway.store.store import Store
from gateway.transactions.line import Line
from gateway.transactions.parts import LineParts


def exception_parts(
    store: Store,
    parts: LineParts,
    holder: RulesHolder,
    line: Line,
    events_left: Callable[[], None],
    jobs_due: Callable[[], None],
) -> ExceptionParts:
    """For the API. `events_left`, `jobs_due`: wake the relay, and the worker."""
    return ExceptionParts(
        store=store,
        reads=store.reads,
        line=lambda: replace(parts, rules=holder.current),
        submissions=line,
        send=line.send,
        events_left=events_left,
        jobs_due=jobs_due,
    )
