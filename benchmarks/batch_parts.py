"""Processor time of the parts of an intake on SQLite: what the loop's thread does, and what the writer's."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Self

from gateway.store import sqlite_writer
from gateway.store.sqlite_unit import SqliteUnit
from tests.line.book_erp import BookErp
from tests.line.rig import Rig

_UNIT, _ROWS, _COMMIT = "_run_unit", "run_many", "_commit"


class Parts:
    """Within the block each of the writer's steps is timed by its thread's own clock."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}
        self._were: list[tuple[Any, str, Any]] = []
        self._loop = 0.0

    def __enter__(self) -> Self:
        for owner, name in ((sqlite_writer, _UNIT), (sqlite_writer, _COMMIT), (SqliteUnit, _ROWS)):
            was = getattr(owner, name)
            self._were.append((owner, name, was))
            setattr(owner, name, self._timed_rows(was) if name == _ROWS else self._timed(name, was))
        self._loop = time.thread_time()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop = time.thread_time() - self._loop
        for owner, name, was in self._were:
            setattr(owner, name, was)

    def of_one(self, documents: int, cpu_us: float) -> dict[str, float]:
        """µs of each part for one of so many documents, of which each took `cpu_us` in all."""
        unit, rows, commit = (self._spent.get(name, 0.0) / documents * 1e6 for name in (_UNIT, _ROWS, _COMMIT))
        loop = self._loop / documents * 1e6
        return {
            "loop: read, check, draw ids, results": loop,
            "writer: accept, in Python": unit - rows,
            "writer: rows into their tables": rows,
            "writer: COMMIT": commit,
            "the log's upkeep, and the rest": cpu_us - loop - unit - commit,
        }

    def _timed(self, name: str, was: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            begin = time.thread_time()
            try:
                return was(*args)
            finally:
                self._spend(name, begin)

        return timed

    def _timed_rows(self, was: Callable[..., Any]) -> Callable[..., Any]:
        async def timed(*args: Any) -> Any:
            begin = time.thread_time()
            try:
                return await was(*args)
            finally:
                self._spend(_ROWS, begin)

        return timed

    def _spend(self, name: str, begin: float) -> None:
        self._spent[name] = self._spent.get(name, 0.0) + time.thread_time() - begin


def steady(rig: Rig) -> None:
    """What its ERPs can do is told without building it anew for each question, as drivers tell it."""
    for erp in (rig.legacy, rig.cloud):
        _keep_capabilities(erp)


def _keep_capabilities(erp: BookErp) -> None:
    able = erp.capabilities()
    erp.capabilities = lambda: able  # type: ignore[method-assign]
