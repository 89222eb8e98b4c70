"""Who calls, and what the caller may see and submit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SCOPES: Final = frozenset(
    {
        "documents:submit",
        "documents:read",
        "rules:edit",
        "rules:approve",
        "rules:activate",
        "rules:waive",
        "ledger:read",
        "operations:act",
    }
)


@dataclass(frozen=True, slots=True)
class DataScope:
    """Node ids of the trees, each with all that lies below it; None is unrestricted."""

    business_units: frozenset[str] | None = None
    geographies: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated client. `source` names the owner of its external ids and comes from the token alone."""

    client: str
    source: str
    scopes: frozenset[str]
    data_scope: DataScope = DataScope()
