"""What follows from a document, and what the system that owns it must therefore be able to do.

A follow-up goes where its lineage is pinned, whatever its own slice says: so the system of the root needs every domain
that may follow, and what may be done to documents after they were created. Contracts have no follow-ups: invoices and
renewals only relate to them. Source: docs/rules.md, 'Follow-ups'.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from routing_rules.model import Outcome, Stage

Capabilities = Mapping[str, Collection[tuple[str, str]]]
"""By system id: the (domain, operation) pairs that its driver can do. A system that is not there can do nothing."""

FOLLOW_UPS: Final[Mapping[str, tuple[str, ...]]] = {
    "orders": ("invoices", "payments", "journal_entries"),
    "invoices": ("payments", "journal_entries"),
    "payments": ("journal_entries",),
}
"""By domain: all that may follow in its lineages, near and far. A credit note is an invoice that follows one."""

LINEAGE_OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "customers": ("create", "change"),
    "products": ("create", "change"),
    "orders": ("create", "change", "cancel"),
    "contracts": ("create", "change", "cancel"),
    "invoices": ("create", "reverse"),
    "payments": ("create", "reverse"),
    "journal_entries": ("create", "reverse"),
}
"""By domain: what callers may ask for over a document's life."""

KEPT_BY_GATEWAY: Final = frozenset({"contracts"})
"""Domains that the gateway keeps itself for a system that can do nothing with them."""

FROM_PILOT: Final = frozenset(Stage) - {Stage.LEGACY, Stage.DARK, Stage.VALIDATE}
BELOW_VALIDATE: Final = frozenset({Stage.LEGACY, Stage.DARK})


def owning_systems(outcome: Outcome) -> tuple[str, ...]:
    """The systems that own lineages by such a row: where new roots go, and legacy as long as old ones are open."""
    legacy, cloud, stage = outcome.legacy_system, outcome.cloud_system, outcome.stage
    found: list[str | None] = [] if stage in (Stage.READ_ONLY, Stage.RETIRED) else [legacy]
    if stage in FROM_PILOT:
        found.append(cloud)
    return tuple(system_id for system_id in found if system_id is not None)
