"""What exceptions are moved with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.lanes import RESPOND_ASYNC, Queueing
from gateway.exceptions.ports import ExceptionReads, ExceptionStore
from gateway.transactions.commands import Submissions
from gateway.transactions.dispatch import Dispatch
from gateway.transactions.parts import LineParts


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionParts:
    """`line`: the parts of the line with the rules in force now. `submissions`: takes corrected documents.
    `send`: sends what a commit put on record as dispatched. `events_left`, `jobs_due`: to be called after a commit that
    left events to publish, or made jobs due. `queueing`: of what a move sends, for which nobody waits at a screen."""

    store: ExceptionStore
    reads: ExceptionReads
    line: Callable[[], LineParts]
    submissions: Submissions
    send: Callable[[Dispatch], None]
    events_left: Callable[[], None]
    jobs_due: Callable[[], None]
    queueing: Queueing = RESPOND_ASYNC
