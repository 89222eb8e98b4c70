"""Whether the database is still the one that this process has written; once it is not, nothing more is written to it.

A database that was put back to an older state, replaced, or damaged takes writes like any other. What it has forgotten
as posted would be posted again, and what is answered out of it would be in nobody's record. So whoever notices ends the
writing of this process for good: callers get 503, no job is claimed, no ERP is called, and reads go on, for they are
evidence. A new start makes its own checks.
"""

from __future__ import annotations

from typing import Final

import structlog
from sqlalchemy import func, select

from gateway.errors import RecordUnsound
from gateway.store.log_schema import log_entries
from gateway.store.statement import Query

ENDED: Final = (
    "This process writes nothing any more. Keep the database as it is, end all processes, and follow docs/ledger.md, "
    "'When signing ends'."
)


def _place(highest: int | None) -> int | None:
    return highest


HIGHEST: Final = Query(select(func.max(log_entries.c.log_index)), _place)
"""The last place of the log: one look at the end of an index."""
_log = structlog.get_logger(__name__)


class RecordGuard:
    """What this process knows of its database. Used from the event loop and from the writer's thread.

    Attributes:
        reason: why nothing is written any more; None while all is well. It is never taken back.
        entries: places of the ledger's log that were seen; they only become more.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self.entries = 0

    def saw(self, entries: int) -> None:
        """So many entries had a place, in the database that this process has checked."""
        self.entries = max(self.entries, entries)

    def compare(self, highest: int | None, before: int) -> None:
        """`highest`: what `HIGHEST` finds; `before`: the entries that were seen before that was asked. Raises
        RecordUnsound if some are gone."""
        entries = 0 if highest is None else highest + 1
        if entries < before:
            raise self.end(
                f"the database was put back to an older state: {entries} ledger entries have a place, {before} had one"
            )
        self.saw(entries)

    def end(self, reason: str) -> RecordUnsound:
        """Nothing is written from now on. The error to be raised."""
        if self.reason is None:
            self.reason = reason
            _log.error("record_unsound", reason=reason, remedy=ENDED)
        return RecordUnsound(f"{reason}. {ENDED}")

    def refuse(self) -> None:
        """Raise RecordUnsound once the writing has ended."""
        if self.reason is not None:
            raise RecordUnsound(f"{self.reason}. {ENDED}")
