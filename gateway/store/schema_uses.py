"""The table of who used which operation of the API, in which version."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table

from gateway.store.columns import KEYED, int_, text_
from gateway.store.schema import METADATA

api_uses: Final = Table(
    "api_uses",
    METADATA,
    int_("hour_at", key=True),
    text_("client", key=True),
    text_("source", key=True),
    text_("api_version", key=True),
    text_("operation_id", key=True),
    text_("outcome", key=True),
    int_("uses"),
    **KEYED,
)
