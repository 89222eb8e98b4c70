"""The table of processes that send: by it one knows later whether a sender may still run."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table

from gateway.store.columns import KEYED, int_, text_
from gateway.store.schema import METADATA

processes: Final = Table(
    "processes",
    METADATA,
    text_("process_id", key=True),
    text_("host"),
    text_("boot_id"),
    int_("pid"),
    text_("started"),
    int_("registered_at"),
    int_("ended_at", null=True),
    text_("ended_proof", null=True),
    **KEYED,
)
