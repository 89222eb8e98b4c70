"""What can go wrong in the record, named by what the caller may conclude from it.

`StoreUnavailable`, `CommitUnknown` and `RecordUnsound` are the gateway's own words (`gateway.errors`); those here say
more to the callers inside: did it happen, may I retry, who looks.
"""

from __future__ import annotations

from gateway.errors import CommitUnknown, GatewayError, RecordUnsound, StoreUnavailable

__all__ = [
    "AppendOnly",
    "CommitUnknown",
    "ConstraintViolated",
    "Fenced",
    "LeadLost",
    "RecordUnsound",
    "SchemaOutdated",
    "StatementFailed",
    "StatementRefused",
    "StoreBusy",
    "StoreClosed",
    "StoreFailure",
    "StoreUnavailable",
    "UniqueViolated",
    "UnitMisused",
]


class StoreBusy(StoreUnavailable):
    """A limit of the store was reached (waiting units, pool, lock wait). Nothing was written; retry later."""


class StoreClosed(StoreUnavailable):
    """The store is closing or closed. Nothing was written; retry at another process."""


class SchemaOutdated(StoreUnavailable):
    """The database has another schema than this program. Nothing was written; `migrate` comes first."""


class LeadLost(StoreUnavailable):
    """The write was of a task that one process does for all, and this one does not lead it any more. Nothing was
    written; the leader goes on."""


class StoreFailure(GatewayError):
    """The unit itself was at fault. Nothing of it was written; the same unit fails again."""


class ConstraintViolated(StoreFailure):
    """The unit would have broken a rule of the schema.

    `constraint` is the database's own word for what was broken (PostgreSQL: the constraint's name; SQLite:
    the columns, for example `natural_keys.source, natural_keys.external_id`).
    """

    def __init__(self, message: str, constraint: str = "") -> None:
        super().__init__(message)
        self.constraint = constraint


class UniqueViolated(ConstraintViolated):
    """Another row has this key already, and it is committed: a new unit would see it."""


class AppendOnly(ConstraintViolated):
    """An UPDATE or DELETE reached a table that only grows. A defect of this program or an attack."""


class StatementFailed(StoreFailure):
    """The database refused a statement for what it says. A defect of this program."""


class StatementRefused(StatementFailed):
    """PostgreSQL does not take the statement, whatever the rows say: a right was withdrawn, a table or a column is not
    there (SQLSTATE class 42, https://www.postgresql.org/docs/current/errcodes-appendix.html)."""


class Fenced(StoreFailure):
    """The row to be replaced is gone, or somebody with a newer epoch wrote it: stop working on it."""


class UnitMisused(StoreFailure):
    """A unit did what a unit must not: awaited something else, went on after a failure, or outlived its run."""
