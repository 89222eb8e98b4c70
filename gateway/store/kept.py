"""How a domain record is kept: its table, its columns, its way there and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Select, Table, Update, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.store.errors import Fenced
from gateway.store.statement import BadStatement, Command, Named, Params, Query
from gateway.store.unit import Unit

R = TypeVar("R")

Converters = Mapping[str, Callable[[Any], Any]]


class Kept(Generic[R]):
    """A record type and its table; the record's fields name the columns.

    Args:
        table: may have further columns, which the database fills.
        record: a dataclass.
        convert: by field, what makes the domain's value of the stored one.
    """

    def __init__(self, table: Table, record: type[R], convert: Converters | None = None) -> None:
        self.table = table
        self.record = record
        self.convert = convert
        self.names: tuple[str, ...] = tuple(field.name for field in fields(record))  # type: ignore[arg-type]
        self.columns: Sequence[Column[Any]] = [table.c[name] for name in self.names]
        self._values = attrgetter(*self.names)
        # PostgreSQL's own kind of INSERT: SQLite has the same ON CONFLICT and compiles it too.
        self._insertion = insert(table).values({name: bindparam(name) for name in self.names})
        self.insert = Command(self._insertion)
        if not self.insert.sqlite.order == self.insert.postgres.order == self.names:
            raise BadStatement(f"the columns of {table.name} are not in the order of {record.__name__}")

    def insert_unless_there(self) -> Command:
        """An INSERT that writes nothing (0 rows) if a row has one of its unique keys; never a failure for that.

        It waits for a transaction that is about to write such a row.
        """
        return Command(self._insertion.on_conflict_do_nothing())

    def selecting(self) -> Select[Any]:
        """A SELECT of whole records, to which conditions can be added."""
        return select(*self.columns)

    def query(self, core: Any) -> Query[R]:
        """The records that `core` finds; it must select the columns of this record."""
        return Query(core, self.record, self.convert)

    def by(self, *names: str, lock: bool = False) -> Query[R]:
        """The records with these columns, each given as a parameter of its name; locked until the unit ends.

        The lock lets others go on referring to the row (FOR NO KEY UPDATE); SQLite needs none.
        """
        found = self.selecting().where(*(self.table.c[name] == bindparam(name) for name in names))
        return self.query(found.with_for_update(key_share=True) if lock else found)

    def replace(self, key: Sequence[str], mutable: Sequence[str], *guards: ColumnElement[bool]) -> Command:
        """An UPDATE of the `mutable` columns of the row with this key, if the guards hold; give it `params(record)`.

        Column values are parameters `new_<name>`, key columns `<name>`: SQLAlchemy keeps the plain names of SET
        for itself.
        """
        where = [self.table.c[name] == bindparam(name) for name in key]
        core: Update = (
            update(self.table)
            .where(*where, *guards)
            .values({self.table.c[name]: bindparam(f"new_{name}") for name in mutable})
        )
        return Command(core)

    def params(self, record: R) -> Params:
        """A record as the parameters of `insert`."""
        values: tuple[Any, ...] = self._values(record)
        return values


async def replace_one(unit: Unit, command: Command, params: Params) -> None:
    """Run an UPDATE that must meet exactly one row.

    Raises:
        Fenced: it met none.
    """
    if await unit.run(command, params) != 1:
        raise Fenced(f"no row took it: {command.sqlite.sql}")


def replacing(record: object, key: Sequence[str], mutable: Sequence[str]) -> Named:
    """The parameters of `Kept.replace`."""
    params = {name: getattr(record, name) for name in key}
    for name in mutable:
        params[f"new_{name}"] = getattr(record, name)
    return params
