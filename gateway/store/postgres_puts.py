"""Rows that a unit puts down without asking anything: gathered, and written in one statement.

A round trip costs more than an insert (measured: a unit of six inserts 0.64 ms of CPU one by one, 0.2 in one
statement). Different tables go into one WITH, rows of one table into one VALUES, so their order is kept.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from gateway.store.statement import Command, Value

ROWS: Final = 100
"""Rows in one statement. Every count of rows is a statement to be prepared; more than this go one after another in
a pipeline, where preparing costs nothing."""

PIPELINED: Final = 20
"""Rows of one table that are many: they go one after another in a pipeline at once. The server plans a statement of
many rows anew each time (measured: 100 rows of `transactions` 160 µs a row in one statement, 70 in a pipeline)."""

SHAPES: Final = 1_024
"""Merged statements remembered: which tables, how many rows of each. A unit's kinds are some dozens."""

_PLACEHOLDER: Final = re.compile(r"\$(\d+)")
_PLAIN_INSERT: Final = re.compile(r"(?P<head>INSERT INTO \w+ \([^()]*\)) VALUES (?P<row>\([^()]*\))")

Shape = tuple[tuple[Command, int], ...]


class Puts:
    """What was put down and not written yet."""

    __slots__ = ("_rows", "count")

    def __init__(self) -> None:
        self._rows: dict[Command, list[tuple[Value, ...]]] = {}
        self.count = 0

    def add(self, command: Command, values: tuple[Value, ...]) -> None:
        """Put one row down."""
        self._rows.setdefault(command, []).append(values)
        self.count += 1

    def take(self) -> tuple[str, list[Any]]:
        """The statement that writes all of it, and its parameters; nothing is left."""
        rows, self._rows, self.count = self._rows, {}, 0
        shape = tuple((command, len(many)) for command, many in rows.items())
        return merged(shape), [value for many in rows.values() for row in many for value in row]


def is_plain_insert(command: Command) -> bool:
    """Whether rows of this command can be put down: one row of parameters, no conflict clause, no RETURNING."""
    return _PLAIN_INSERT.fullmatch(command.postgres.sql) is not None


@lru_cache(SHAPES)
def merged(shape: Shape) -> str:
    """One statement that inserts so many rows of each command.

    All of WITH is executed, whether the rest refers to it or not, and foreign keys are looked at when all of it is
    done (https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING).
    """
    inserts = []
    used = 0
    for command, count in shape:
        parts = _PLAIN_INSERT.fullmatch(command.postgres.sql)
        if parts is None:
            raise ValueError(f"not a plain insert: {command.postgres.sql}")
        rows = []
        for _ in range(count):
            rows.append(_PLACEHOLDER.sub(lambda found, used=used: f"${int(found[1]) + used}", parts["row"]))
            used += len(command.postgres.order)
        inserts.append(f"{parts['head']} VALUES {', '.join(rows)}")
    *first, last = inserts
    if not first:
        return last
    return f"WITH {', '.join(f'w{n} AS ({insert})' for n, insert in enumerate(first))} {last}"
