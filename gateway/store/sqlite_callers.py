"""Callers of the one writer: what they handed in, what they will be told, and the telling."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog

from gateway.store.errors import StoreUnavailable
from gateway.store.sqlite_unit import SqliteUnit

T = TypeVar("T")
UnitFunction = Callable[[SqliteUnit], Coroutine[Any, Any, T]]

_log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class Waiting:
    """A caller's unit, and after its run what the caller will be told."""

    fn: UnitFunction[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    context: contextvars.Context
    value: Any = None
    error: BaseException | None = None


def fail(batch: Sequence[Waiting], failure: StoreUnavailable) -> None:
    """Every unit of the batch is lost, those that had succeeded too. Who had failed keeps their own error."""
    for waiting in batch:
        if waiting.error is None:
            waiting.error = type(failure)(str(failure))
            waiting.error.__cause__ = failure


def answer(batch: Sequence[Waiting]) -> None:
    """Tell all callers, in one call per event loop: waking a loop costs more than a unit."""
    loops: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}
    for waiting in batch:
        loops.setdefault(waiting.loop, []).append(waiting)
    for loop, answered in loops.items():
        tell(loop, partial(_resolve, answered))


def _resolve(answered: Sequence[Waiting]) -> None:
    for waiting in answered:
        if waiting.future.done():
            continue
        if waiting.error is None:
            waiting.future.set_result(waiting.value)
        else:
            waiting.future.set_exception(waiting.error)


def tell(loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
    """Call something in that loop's thread, soon."""
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        # The loop has closed, and with it whoever waited there.
        _log.warning("caller_gone")
