"""The clients that the embedded issuer knows from the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.domain.caller import DataScope


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the embedded issuer: what its tokens say unless the request for one says otherwise."""

    name: str
    source: str
    scopes: frozenset[str]
    data_scope: DataScope
    person: str | None = None


_SUBMITTER: Final = frozenset({"documents:submit", "documents:read"})
_EVERYTHING: Final = DataScope(None, None)

DEFAULT_CLIENTS: Final[Mapping[str, Client]] = {
    client.name: client
    for client in (
        Client("salesforce", "salesforce", _SUBMITTER, _EVERYTHING),
        Client("billing", "billing", _SUBMITTER, _EVERYTHING),
        Client("migration", "migration", frozenset({"documents:read", "rules:edit", "ledger:read"}), _EVERYTHING),
        Client("auditor", "auditor", frozenset({"documents:read", "ledger:read"}), _EVERYTHING),
        Client("operations", "operations", frozenset({"documents:read", "ledger:read", "operations:act"}), _EVERYTHING),
    )
}
"""By name."""
