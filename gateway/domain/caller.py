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
    """The authenticated client. `source` names the owner of its external ids and comes from the token alone.

    `person`: who stands behind the client, the same for all machine clients of one person; None where the token does
    not say. `teams`: those that the person belongs to, as `owners` of rulebook.yaml calls them.
    """

    client: str
    source: str
    scopes: frozenset[str]
    data_scope: DataScope = DataScope()
    person: str | None = None
    teams: frozenset[str] = frozenset()

    @property
    def person_or_client(self) -> str:
        """Who is recorded where a person need not be named: the person, else the client."""
        return self.client if self.person is None else self.person
