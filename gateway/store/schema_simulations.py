"""Tables of what simulations found, and of candidates that are evaluated beside live traffic."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Table

from gateway.store.columns import WIDE, int_, text_
from gateway.store.schema import METADATA

simulations: Final = Table(
    "simulations",
    METADATA,
    text_("simulation_id", key=True),
    text_("draft_id"),
    text_("table_version"),
    text_("governance_version"),
    int_("base_activation_number"),
    text_("base_table_version"),
    text_("base_governance_version"),
    int_("since"),
    int_("until"),
    text_("state"),
    int_("requested_at"),
    text_("requested_by"),
    text_("process_id"),
    int_("expected"),
    int_("entries"),
    int_("finished_at", null=True),
    text_("position", null=True),
    text_("digest", null=True),
    text_("result_hash", null=True),
    text_("result", null=True),
    text_("failure", null=True),
    Index(None, "table_version", "simulation_id"),
    Index(None, "draft_id", "simulation_id"),
    **WIDE,
)

dark_watches: Final = Table(
    "dark_watches",
    METADATA,
    text_("draft_id", key=True),
    text_("table_version"),
    text_("rules"),
    text_("governance"),
    text_("state"),
    int_("started_at"),
    text_("started_by"),
    int_("ended_at", null=True),
    int_("read_at"),
    text_("read_trace"),
    int_("read_seq"),
    text_("found"),
    **WIDE,
)
