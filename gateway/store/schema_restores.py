"""The table of when the record was restored from a back-up."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table

from gateway.store.columns import KEYED, int_
from gateway.store.schema import METADATA

restores: Final = Table("restores", METADATA, int_("restored_at", key=True), **KEYED)
