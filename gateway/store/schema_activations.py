"""Tables of what is in force, what is asked to come into force, and what each process has loaded."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table

from gateway.store.append_only import append_only
from gateway.store.columns import KEYED, WIDE, int_, partial_index, text_
from gateway.store.schema import METADATA

OPEN_REQUEST: Final = "state IN ('scheduled', 'prepared')"
"""Written out, because a partial index serves only a query that has the very words of its condition."""

activations: Final = Table(
    "activations",
    METADATA,
    int_("activation_number", key=True),
    text_("table_version"),
    text_("governance_version"),
    int_("activated_at"),
    text_("activated_by"),
    text_("rules"),
    text_("governance"),
    **WIDE,
)
append_only(activations)

rules_state: Final = Table(
    "rules_state",
    METADATA,
    int_("state_id", key=True),
    int_("activation_number"),
    int_("acts_number"),
    **KEYED,
)

activation_requests: Final = Table(
    "activation_requests",
    METADATA,
    text_("activation_id", key=True),
    text_("draft_id", null=True),
    text_("table_version"),
    text_("governance_version"),
    text_("rules"),
    text_("governance"),
    int_("base_activation_number"),
    int_("effective_at"),
    int_("requested_at"),
    text_("requested_by"),
    text_("person", null=True),
    text_("state"),
    int_("entry_count"),
    text_("claimed_by", null=True),
    int_("claimed_until"),
    int_("settled_at", null=True),
    int_("activation_number", null=True),
    text_("failure", null=True),
    partial_index("activation_requests_open", "effective_at", "activation_id", where=OPEN_REQUEST),
    **WIDE,
)

heartbeats: Final = Table(
    "heartbeats",
    METADATA,
    text_("process_id", key=True),
    int_("activation_number"),
    int_("acts_number"),
    text_("loaded"),
    text_("prepared"),
    int_("at"),
    **KEYED,
)
