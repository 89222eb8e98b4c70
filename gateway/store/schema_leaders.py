"""The table of tasks that one process does for all."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table

from gateway.store.columns import KEYED, int_, text_
from gateway.store.schema import METADATA

leader_tasks: Final = Table(
    "leader_tasks",
    METADATA,
    text_("task", key=True),
    text_("process_id"),
    int_("epoch"),
    int_("lease_until"),
    **KEYED,
)
