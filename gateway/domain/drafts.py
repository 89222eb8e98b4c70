"""What the store keeps of changes of the rules: drafts, who edited and approved them, what was waived, what went back.

Persons are held as the HMAC of their claim (`identity.person_commitment`), as the ledger holds them; their names lie
in an erasable table beside. Times are whole microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DraftState = Literal["open", "activated", "discarded"]


@dataclass(frozen=True, slots=True)
class FilesRecord:
    """The files of what came into force without a draft, as they were read. `files`: as a draft's."""

    activation_number: int
    files: str


@dataclass(frozen=True, slots=True)
class DraftRecord:
    """A rulebook that is being written.

    `version` counts its edits, from 1. `base_activation_number`: what was in force when it was last saved.
    `table_version`, `governance_version`: of the parsed files. `files`: a JSON object, text by file name.
    `activation_id`: the request to activate it that is under way or succeeded, by the person `activator`, from
    `effective_at` on. `activation_number`: what it came into force as. `entry_count`: of its trace.
    """

    draft_id: str
    title: str
    state: DraftState
    version: int
    base_activation_number: int
    table_version: str
    governance_version: str
    files: str
    created_at: int
    updated_at: int
    entry_count: int = 0
    activation_id: str | None = None
    activator: str | None = None
    effective_at: int | None = None
    activation_number: int | None = None

    @property
    def etag(self) -> str:
        """Names what the draft says now (RFC 9110 section 8.8.3, without its quotes)."""
        return f"v{self.version}"


@dataclass(frozen=True, slots=True)
class DraftEditRecord:
    """Somebody saved this version of a draft, and is one of its authors for ever."""

    draft_id: str
    version: int
    person: str
    client: str
    table_version: str
    governance_version: str
    base_activation_number: int
    edited_at: int


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """Somebody approved exactly this: the draft's version and its rules' versions, over this base with this
    governance, with this simulation (none: there was none). `teams`: the person's, as a JSON list."""

    approval_id: str
    draft_id: str
    draft_version: int
    table_version: str
    governance_version: str
    base_activation_number: int
    base_table_version: str
    base_governance_version: str
    simulation_id: str | None
    simulation_digest: str | None
    person: str
    client: str
    teams: str
    approved_at: int


@dataclass(frozen=True, slots=True)
class WaiverRecord:
    """One gate need not pass for this candidate until `expires_at`. `reason_payload_id`: why, erasable."""

    waiver_id: str
    draft_id: str
    draft_version: int
    gate: str
    table_version: str
    governance_version: str
    base_activation_number: int
    person: str
    client: str
    reason_payload_id: str
    waived_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class RollbackRecord:
    """It was asked that a slice goes back: its cells shall be as under `restored_activation_number`, because of what
    `undone_activation_number` had changed in it. Whether that came to be is told by the activation request."""

    activation_id: str
    base_activation_number: int
    domain: str
    business_unit: str
    geography: str
    undone_activation_number: int
    restored_activation_number: int
    person: str
    client: str
    reason_payload_id: str
    reason_hash: str
    requested_at: int
    activation_number: int | None = None


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """The name behind a person's commitment; erasable."""

    person: str
    name: str
