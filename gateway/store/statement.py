"""Statements: written once in SQLAlchemy Core, compiled once for both databases.

SQLAlchemy's own execution costs more than SQLite's (measured: 0.77 ms a unit of six inserts against 0.11 ms),
so the write path keeps only its SQL text and the order of its parameters. Values cross unconverted, so both
databases give the same Python values: integers (times are microseconds since 1970 UTC), str (decimals are
canonical strings), bytes, None. There is no float, no bool and no datetime in this room.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import Delete, Insert, Select, TextClause, Update
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgres_dialect
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import CompoundSelect

Value: TypeAlias = int | str | bytes | None
Named: TypeAlias = Mapping[str, Value]
Params: TypeAlias = Named | tuple[Value, ...]
"""By name; or all of them, in the order in which the statement has them (whole records, at a fraction of the cost)."""
Core: TypeAlias = "Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]] | Insert | Update | Delete | TextClause"
R = TypeVar("R")

NO_PARAMS: Named = {}

_SQLITE: Dialect = sqlite_dialect(paramstyle="qmark")
_POSTGRES: Dialect = postgres_dialect()  # type: ignore[no-untyped-call]


class RowUnreadable(ValueError):
    """A stored value is none that the record's field can have. Names the record, its first column and the field."""


class BadStatement(Exception):
    """A statement that cannot be compiled once for both databases. Raised at import; a defect of this program."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement as one database takes it.

    Attributes:
        sql: the text; its placeholders are positional.
        order: the parameter's name for every placeholder, in order.
        constants: values that were written into the statement itself.
        required: how many different parameters a caller must give.
    """

    sql: str
    order: tuple[str, ...]
    constants: Named
    required: int

    def bind(self, params: Params) -> tuple[Value, ...]:
        """The values in the order of the placeholders. A tuple is already that.

        Raises:
            TypeError: a parameter is missing or one too many. Checked here because sqlite3 would take a
                surplus one in silence, and it would be somebody's lost field.
        """
        if isinstance(params, tuple):
            if len(params) != len(self.order):
                raise TypeError(f"{len(params)} values for {len(self.order)} placeholders: {self.sql}")
            return params
        if len(params) != self.required:
            raise TypeError(self._complaint(params))
        values = {**self.constants, **params} if self.constants else params
        try:
            return tuple([values[name] for name in self.order])
        except KeyError:
            raise TypeError(self._complaint(params)) from None

    def _complaint(self, params: Named) -> str:
        wanted = set(self.order) - set(self.constants)
        missing, surplus = sorted(wanted - set(params)), sorted(set(params) - wanted)
        return f"missing {missing}, not in the statement {surplus}: {self.sql}"


class Statement:
    """A statement for both databases; `core` is what the read path gives to SQLAlchemy's engines."""

    __slots__ = ("core", "postgres", "sqlite")

    def __init__(self, core: Core) -> None:
        if isinstance(core, Insert) and not core._returning:  # noqa: SLF001 (SQLAlchemy has no public question for it)
            # Otherwise PostgreSQL's dialect adds RETURNING for a generated key that nobody asked for.
            core = core.inline()
        self.core: Core = core
        self.sqlite = _compile(core, _SQLITE)
        self.postgres = _compile(core, _POSTGRES)


class Command(Statement):
    """A statement that returns no rows."""

    __slots__ = ()


class Query(Statement, Generic[R]):
    """A statement that returns rows (SELECT, or anything with RETURNING).

    Args:
        core: the SQLAlchemy Core statement.
        row: builds the result from one row's columns, in order. For a NamedTuple or a dataclass the names of
            its fields must equal the columns' names, so a column moved or forgotten is found at import.
        convert: by column, what makes a domain's value of a stored one (a status of its text). Not for NULLs.
    """

    __slots__ = ("row",)

    def __init__(
        self, core: Core, row: Callable[..., R], convert: Mapping[str, Callable[[Any], Any]] | None = None
    ) -> None:
        super().__init__(core)
        self.row: Callable[..., R] = row
        wanted = _field_names(row)
        if wanted is not None and not isinstance(core, TextClause):
            given = tuple(core.exported_columns.keys())
            if given != wanted:
                raise BadStatement(f"columns {given} do not fit {row!r} with {wanted}")
            if convert:
                self.row = _converting(row, wanted, [(given.index(name), made) for name, made in convert.items()])


def _converting(
    row: Callable[..., R], names: Sequence[str], made_at: Sequence[tuple[int, Callable[[Any], Any]]]
) -> Callable[..., R]:
    def make(*columns: Any) -> R:
        values = list(columns)
        at = 0
        try:
            for at, made in made_at:
                values[at] = made(values[at])
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
            kind = getattr(row, "__name__", "row")
            said = f"{kind} {names[0]}={columns[0]}: {names[at]}: {type(error).__name__}: {error}"
            raise RowUnreadable(said) from error
        return row(*values)

    return make


def _field_names(row: Callable[..., object]) -> tuple[str, ...] | None:
    if isinstance(row, type) and is_dataclass(row):
        return tuple(field.name for field in fields(row))
    names = getattr(row, "_fields", None)
    return tuple(names) if names is not None else None


def _compile(core: Core, dialect: Dialect) -> Compiled:
    # render_postcompile writes constant IN lists out; an IN list given by the caller has no fixed text and
    # raises here: such a statement is one per element, or a join.
    try:
        compiled = core.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    except SQLAlchemyError as failure:
        raise BadStatement(f"{dialect.name}: {failure}") from failure
    if not isinstance(compiled, SQLCompiler):
        raise BadStatement(f"{dialect.name}: not a statement: {core!r}")
    if compiled.insert_prefetch or compiled.update_prefetch:
        raise BadStatement(f"Python-side column defaults do not run here: {compiled}")
    order = tuple(compiled.positiontup or ())
    given = {name for bind, name in compiled.bind_names.items() if bind.required}
    constants = {name: value for name, value in compiled.params.items() if name not in given}
    return Compiled(str(compiled), order, constants, len(given & set(order)))
