"""The months whose entries were taken out of the database, each with what was said of its archive."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table

from gateway.store.columns import WIDE, bytes_, int_, text_
from gateway.store.schema import METADATA

archived_months: Final = Table(
    "archived_months",
    METADATA,
    # Believed only as far as the manifest is signed by the evidence key: who can write here could else hide a loss.
    text_("month", key=True),
    int_("detached_at"),
    int_("entries"),
    bytes_("manifest"),
    bytes_("told"),
    **WIDE,
)
