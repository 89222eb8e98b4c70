"""Tables by which auditors' questions are answered: filled after the commit out of what has a place in the log.

Nothing here is evidence: all of it can be deleted and is then made again (`indexed_until` back to 0). No index beside
the keys: what narrows a question is a term of a block of entries (docs/adr/0022).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table, text

from gateway.store.columns import KEYED, WIDE, int_, partial_index, text_
from gateway.store.schema import METADATA

NOT_ENDED: Final = "ended_index IS NULL"
"""Written out, because a partial index serves only a query that has the very words of its condition."""

HAS_ENDED: Final = "ended_index IS NOT NULL"

LENGTHS: Final = (64, 512, 4_096, 32_768, 262_144, 2_097_152, 16_777_216)
"""Bounds of the classes of lengths: how many entries of the log lie between a transaction's first and its end."""

LENGTH_CLASS: Final = (
    "(CASE "
    + " ".join(f"WHEN ended_index - first_index < {length} THEN {number}" for number, length in enumerate(LENGTHS))
    + f" ELSE {len(LENGTHS)} END)"
)
"""The number of a length's class. Written out like the conditions above, for the index is of these very words."""

indexed_until: Final = Table(
    "indexed_until",
    METADATA,
    # One row: how many entries of the log are in the index. Whoever fills it locks the row.
    text_("log", key=True),
    int_("size"),
    **KEYED,
)

indexed_entries: Final = Table(
    "indexed_entries",
    METADATA,
    int_("log_index", key=True),
    int_("at"),
    text_("kind"),
    text_("actor"),
    text_("system_id", null=True),
    text_("rule_row", null=True),
    text_("table_version", null=True),
    int_("activation_number", null=True),
    text_("domain", null=True),
    text_("business_unit", null=True),
    text_("geography", null=True),
    text_("company_code", null=True),
    text_("operation", null=True),
    text_("persons", null=True),
    text_("currency_code", null=True),
    int_("amount_units", null=True),
    int_("amount_millionths", null=True),
    **WIDE,
)

indexed_terms: Final = Table("indexed_terms", METADATA, text_("term", key=True), int_("block", key=True), **KEYED)

indexed_blocks: Final = Table(
    "indexed_blocks",
    METADATA,
    # The times that the entries of a block bear: these grow with the place nearly, not quite.
    int_("block", key=True),
    int_("at_first"),
    int_("at_last"),
    **WIDE,
)

indexed_transactions: Final = Table(
    "indexed_transactions",
    METADATA,
    # From which place of the log to which a transaction was under way.
    text_("trace", key=True),
    int_("first_index"),
    int_("ended_index", null=True),
    partial_index("indexed_transactions_open", "first_index", where=NOT_ENDED),
    partial_index("indexed_transactions_by_length", text(LENGTH_CLASS), "first_index", "ended_index", where=HAS_ENDED),
    **KEYED,
)
