"""Taking a month of the ledger out of PostgreSQL and putting it back: statements of the owner of the tables.

Each is one transaction of its caller. Who calls has verified the archive before; here the database is looked at, under
the lock under which nothing can change any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy import Connection, text

from gateway.domain.months import Month
from gateway.domain.records import EntryRecord
from gateway.errors import GatewayError
from gateway.store.erasing import HOLD_LOCK
from gateway.store.index_conditions import OPEN_STATUS
from gateway.store.month_reads import ArchivedMonth
from gateway.store.months import LOCK_S, listed_months
from gateway.store.partitions import PARTED, bounds_of, in_month, late_moved, month_loaded, part_of

SHOWN: Final = 20
"""Reasons that one refusal names."""
AT_ONCE: Final = 1_000
"""Rows that are inserted at once."""

# A hold over the lineage, over a customer that it tells of, or told of before a document was sent again, or over the
# document itself.
_HELD: Final = """
SELECT t.transaction_id, h.hold_id FROM transactions t JOIN legal_holds h ON h.lifted_at IS NULL AND (
    h.lineage_id = t.lineage_id OR h.customer_id = t.document_id
    OR h.customer_id IN (SELECT d.customer_id FROM documents d WHERE d.lineage_id = t.lineage_id)
    OR h.customer_id IN (SELECT o.customer_id FROM transactions o WHERE o.lineage_id = t.lineage_id))
WHERE t.transaction_id >= :first AND t.transaction_id < :until ORDER BY 1, 2 LIMIT :most
"""
_OPEN: Final = f"""
SELECT transaction_id, status FROM transactions
WHERE transaction_id >= :first AND transaction_id < :until AND {OPEN_STATUS} ORDER BY 1 LIMIT :most
"""  # noqa: S608  words of ours
# What follows a document reads how the document was decided and posted.
_OPEN_LINEAGE: Final = f"""
SELECT t.transaction_id, o.transaction_id FROM transactions o JOIN transactions t ON t.lineage_id = o.lineage_id
WHERE o.{OPEN_STATUS} AND t.transaction_id >= :first AND t.transaction_id < :until
  AND NOT (o.transaction_id >= :first AND o.transaction_id < :until) ORDER BY 1, 2 LIMIT :most
"""  # noqa: S608  words of ours
_EXCEPTION: Final = """
SELECT transaction_id, exception_id FROM transactions
WHERE transaction_id >= :first AND transaction_id < :until AND exception_id IS NOT NULL ORDER BY 1 LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a transaction keeps its month where it is. `what`: words; `by`: a status or an id."""

    transaction_id: str
    what: str
    by: str

    def __str__(self) -> str:
        return f"{self.transaction_id}: {self.what} {self.by}"


class CannotMove(GatewayError):
    """The month stays where it is; the message says why, one reason a line."""


def reasons_against(connection: Connection, month: Month) -> Sequence[Reason]:
    """Why the month must stay in the database; the first of each kind."""
    bounds = {"first": month.first_trace, "until": month.following.first_trace, "most": SHOWN}
    found = []
    for what, statement in (
        ("has not ended, it is", _OPEN),
        ("is under the legal hold", _HELD),
        ("is of a lineage with the open transaction", _OPEN_LINEAGE),
        ("stands in front of a person as", _EXCEPTION),
    ):
        found += [Reason(one, what, by) for one, by in connection.execute(text(statement), bounds)]
    return found


def take_out(connection: Connection, record: ArchivedMonth) -> None:
    """Take the month out of the ledger, with the record of its archive. Its table is dropped.

    Raises:
        CannotMove: it is not there, it is not what was archived any more, or something in it is still needed.
    """
    month = Month.parse(record.month)
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_S}s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock_shared(:number)"), {"number": HOLD_LOCK})
    connection.execute(text(f"LOCK TABLE {PARTED} IN ACCESS EXCLUSIVE MODE"))
    if month not in {one.month for one in listed_months(connection)}:
        raise CannotMove(f"{month} has no table of its own: `erp-gateway ledger partitions list` shows those that have")
    reasons = reasons_against(connection, month)
    if reasons:
        raise CannotMove(f"{month} stays where it is:\n" + "\n".join(f"  {one}" for one in reasons))
    stored = connection.execute(text(f"SELECT count(*) FROM {PARTED} WHERE {in_month(month)}")).scalar_one()  # noqa: S608  names of ours
    if stored != record.entries:
        raise CannotMove(f"{stored} entries of {month} are stored, {record.entries} are archived: archive it again")
    connection.execute(text(f"ALTER TABLE {PARTED} DETACH PARTITION {part_of(month)}"))
    connection.execute(text(f"DROP TABLE {part_of(month)}"))
    connection.execute(
        text(
            "INSERT INTO archived_months (month, detached_at, entries, manifest, told) "
            "VALUES (:month, :detached_at, :entries, :manifest, :told)"
        ),
        {name: getattr(record, name) for name in ("month", "detached_at", "entries", "manifest", "told")},
    )


def put_back(connection: Connection, month: Month, entries: Iterator[EntryRecord]) -> None:
    """Put a month back that was taken out, with what came to it since; its record goes.

    Others are locked out only at the end, when its table is whole.
    """
    for statement in month_loaded(month):
        connection.execute(text(statement))
    insert = text(
        f"INSERT INTO {part_of(month)} (trace, seq, kind, at, lineage_id, body, leaf_hash) "  # noqa: S608  a name of ours
        "VALUES (:trace, :seq, :kind, :at, :lineage_id, :body, :leaf_hash)"
    )
    while part := list(islice(entries, AT_ONCE)):
        connection.execute(
            insert,
            [
                {
                    "trace": one.trace,
                    "seq": one.seq,
                    "kind": one.kind,
                    "at": one.at,
                    "lineage_id": one.lineage_id,
                    "body": one.body,
                    "leaf_hash": one.leaf_hash,
                }
                for one in part
            ],
        )
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_S}s'"))
    connection.execute(text(f"LOCK TABLE {PARTED} IN ACCESS EXCLUSIVE MODE"))
    for statement in late_moved(month):
        connection.execute(text(statement))
    connection.execute(text(f"ALTER TABLE {PARTED} ATTACH PARTITION {part_of(month)} {bounds_of(month)}"))
    connection.execute(text("DELETE FROM archived_months WHERE month = :month"), {"month": str(month)})
