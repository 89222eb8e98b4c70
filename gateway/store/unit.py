"""The unit: what a function may do inside one write transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from gateway.store.statement import NO_PARAMS, Command, Params, Query

R = TypeVar("R")


class Unit(Protocol):
    """One write transaction as its function sees it: all of it is written, or nothing.

    The function MUST await nothing but its unit, because on SQLite it runs in the writer's thread without an
    event loop; and it MUST be repeatable, because on PostgreSQL it runs again after a conflict. After any failed
    statement the unit is lost: the function MUST let the error pass. What may be refused in the ordinary course
    (a key that is there already) is asked with ON CONFLICT DO NOTHING and the count of rows.
    """

    async def one(self, query: Query[R], params: Params = NO_PARAMS) -> R | None:
        """The only row, or None.

        Raises:
            UnitMisused: there were two rows or more.
        """

    async def all(self, query: Query[R], params: Params = NO_PARAMS) -> list[R]:
        """All rows. The statement itself says its LIMIT."""

    async def each(self, query: Query[R], many: Sequence[Params]) -> list[R]:
        """Ask once per set of parameters, in order, for the price of one question; all rows, in that order."""

    async def run(self, command: Command, params: Params = NO_PARAMS) -> int:
        """Execute; the number of rows written."""

    async def put(self, command: Command, params: Params) -> None:
        """Insert a row. It may be written later, but before anything is asked or run, and before the commit; so a
        failure may come out of a later call or of `write` itself."""

    async def run_many(self, command: Command, many: Sequence[Params]) -> None:
        """Execute once per set of parameters, in order. Inserts may be written later, as with `put`."""

    async def lock(self, number: int, *, shared: bool) -> None:
        """Hold a lock of the program's own until the unit ends; waits for those who hold it in the other way.

        On SQLite there is one writer, so every unit holds all of them.
        """
