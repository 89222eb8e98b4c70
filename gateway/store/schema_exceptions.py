"""Tables of dead ends: exceptions, the moves asked for, and moves for many at once."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Table

from gateway.store.append_only import append_only
from gateway.store.columns import KEYED, WIDE, child_of, int_, partial_index, text_
from gateway.store.earlier_words import keep_earlier_words
from gateway.store.schema import METADATA

OPEN_STATE: Final = "state = 'open'"
"""Written out, because a partial index serves only a query that has the very words of its condition."""

exceptions: Final = Table(
    "exceptions",
    METADATA,
    text_("exception_id", key=True),
    text_("transaction_id"),
    text_("lineage_id"),
    text_("domain"),
    text_("operation"),
    text_("business_unit"),
    text_("geography"),
    text_("system_id", null=True),
    text_("company_code", null=True),
    text_("currency_code", null=True),
    text_("amount", null=True),
    text_("reason_code"),
    text_("cause", null=True),
    text_("payload_id", null=True),
    text_("state"),
    int_("opened_at"),
    int_("updated_at"),
    text_("owner_team", null=True),
    text_("owner_person", null=True),
    text_("move_id", null=True),
    int_("closed_at", null=True),
    text_("outcome", null=True),
    text_("replaced_by", null=True),
    int_("version"),
    Index(None, "transaction_id"),
    Index(None, "lineage_id"),
    partial_index("exceptions_open", "exception_id", where=OPEN_STATE),
    **WIDE,
)

# The words that an exception's row names are the newest; what was said before is found by these.
earlier_words: Final = Table(
    "earlier_words",
    METADATA,
    child_of("exceptions.exception_id"),
    text_("payload_id", key=True),
    **KEYED,
)
append_only(earlier_words)
keep_earlier_words(earlier_words)

exception_moves: Final = Table(
    "exception_moves",
    METADATA,
    text_("move_id", key=True),
    text_("exception_id"),
    text_("move"),
    text_("state"),
    text_("payload_id"),
    int_("asked_at"),
    text_("asked_by"),
    text_("asked_person"),
    int_("approved_at", null=True),
    text_("approved_by", null=True),
    text_("approved_person", null=True),
    int_("finished_at", null=True),
    text_("result", null=True),
    Index(None, "exception_id", "move_id"),
    **WIDE,
)

exception_bulks: Final = Table(
    "exception_bulks",
    METADATA,
    text_("bulk_id", key=True),
    text_("move"),
    text_("digest"),
    int_("count"),
    int_("second_person"),
    text_("payload_id"),
    int_("asked_at"),
    text_("asked_by"),
    text_("asked_person"),
    int_("started_at", null=True),
    text_("started_by", null=True),
    text_("started_person", null=True),
    **WIDE,
)

exception_bulk_items: Final = Table(
    "exception_bulk_items",
    METADATA,
    child_of("exception_bulks.bulk_id"),
    int_("position", key=True),
    text_("exception_id"),
    int_("version"),
    text_("result", null=True),
    **KEYED,
)
