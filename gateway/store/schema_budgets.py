"""The table of what each process has of each system's budget."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table

from gateway.store.columns import KEYED, int_, text_
from gateway.store.schema import METADATA

budget_shares: Final = Table(
    "budget_shares",
    METADATA,
    text_("system_id", key=True),
    text_("process_id", key=True),
    int_("wanted"),
    int_("places"),
    int_("paused_until"),
    int_("valid_until"),
    **KEYED,
)
