"""The tables of drafts: one per record of `gateway.domain.drafts`, a column per field, in the same order.

Who edited, approved, waived and went back only grows: whoever gets hold of the gateway's role cannot make a second
person out of the first.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Table

from gateway.store.append_only import append_only
from gateway.store.columns import KEYED, WIDE, child_of, int_, text_
from gateway.store.schema import METADATA

drafts: Final = Table(
    "drafts",
    METADATA,
    text_("draft_id", key=True),
    text_("title"),
    text_("state"),
    int_("version"),
    int_("base_activation_number"),
    text_("table_version"),
    text_("governance_version"),
    text_("files"),
    int_("created_at"),
    int_("updated_at"),
    int_("entry_count"),
    text_("activation_id", null=True),
    text_("activator", null=True),
    int_("effective_at", null=True),
    int_("activation_number", null=True),
    Index(None, "activation_number"),
    **WIDE,
)

draft_edits: Final = Table(
    "draft_edits",
    METADATA,
    child_of("drafts.draft_id"),
    int_("version", key=True),
    text_("person"),
    text_("client"),
    text_("table_version"),
    text_("governance_version"),
    int_("base_activation_number"),
    int_("edited_at"),
    **KEYED,
)
append_only(draft_edits)

approvals: Final = Table(
    "approvals",
    METADATA,
    text_("approval_id", key=True),
    text_("draft_id"),
    int_("draft_version"),
    text_("table_version"),
    text_("governance_version"),
    int_("base_activation_number"),
    text_("base_table_version"),
    text_("base_governance_version"),
    text_("simulation_id", null=True),
    text_("simulation_digest", null=True),
    text_("person"),
    text_("client"),
    text_("teams"),
    int_("approved_at"),
    Index(None, "draft_id", "approval_id"),
    **WIDE,
)
append_only(approvals)

waivers: Final = Table(
    "waivers",
    METADATA,
    text_("waiver_id", key=True),
    text_("draft_id"),
    int_("draft_version"),
    text_("gate"),
    text_("table_version"),
    text_("governance_version"),
    int_("base_activation_number"),
    text_("person"),
    text_("client"),
    text_("reason_payload_id"),
    int_("waived_at"),
    int_("expires_at"),
    Index(None, "draft_id", "waiver_id"),
    **WIDE,
)
append_only(waivers)

rollbacks: Final = Table(
    "rollbacks",
    METADATA,
    text_("activation_id", key=True),
    int_("base_activation_number"),
    text_("domain"),
    text_("business_unit"),
    text_("geography"),
    int_("undone_activation_number"),
    int_("restored_activation_number"),
    text_("person"),
    text_("client"),
    text_("reason_payload_id"),
    text_("reason_hash"),
    int_("requested_at"),
    int_("activation_number", null=True),
    **WIDE,
)

rulebook_files: Final = Table(
    "rulebook_files",
    METADATA,
    int_("activation_number", key=True),
    text_("files"),
    **WIDE,
)
append_only(rulebook_files)

persons: Final = Table(
    "persons",
    METADATA,
    text_("person", key=True),
    text_("name"),
    **KEYED,
)
