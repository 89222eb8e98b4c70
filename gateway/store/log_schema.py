"""The verifiable log's tables: each entry's place in the tree, what the tree is made of, and who leads."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Table, UniqueConstraint

from gateway.store.append_only import append_only
from gateway.store.columns import KEYED, WIDE, bytes_, int_, text_
from gateway.store.schema import METADATA

log_leader: Final = Table(
    "log_leader",
    METADATA,
    # One row. `frontier`: the tree of all entries that have a place, replaced while the row is locked.
    text_("log", key=True),
    int_("epoch"),
    text_("process_id"),
    int_("lease_until"),
    bytes_("frontier"),
    **KEYED,
)

log_pending: Final = Table("log_pending", METADATA, text_("trace", key=True), int_("seq", key=True), **KEYED)

log_entries: Final = Table(
    "log_entries",
    METADATA,
    int_("log_index", key=True),
    text_("trace"),
    int_("seq"),
    UniqueConstraint("trace", "seq"),
    **WIDE,
)
append_only(log_entries)

log_tiles: Final = Table(
    "log_tiles",
    METADATA,
    # Full tiles only; the open ones are read out of what lies below them.
    int_("tile_level", key=True),
    int_("tile_index", key=True),
    bytes_("root"),
    bytes_("hashes"),
    **WIDE,
)
append_only(log_tiles)

log_checkpoints: Final = Table(
    "log_checkpoints",
    METADATA,
    text_("origin", key=True),
    int_("size", key=True),
    bytes_("note"),
    # By our clock; None of old ones. What was known at an instant is what the checkpoints until then cover.
    int_("kept_at", null=True),
    Index(None, "origin", "kept_at"),
    **KEYED,
)

log_announcements: Final = Table(
    "log_announcements",
    METADATA,
    text_("origin", key=True),
    int_("key_number", key=True),
    bytes_("note"),
    **KEYED,
)
append_only(log_announcements)
