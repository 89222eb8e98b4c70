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
    teams: frozenset[str] = frozenset()


_SUBMITTER: Final = frozenset({"documents:submit", "documents:read"})
_EVERYTHING: Final = DataScope(None, None)

_READS: Final = frozenset({"documents:read", "ledger:read"})
_EDITS: Final = _READS | {"rules:edit"}

OWNING_TEAMS: Final = ("master-data-team", "order-to-cash-team", "treasury-team", "record-to-report-team")
"""The owners that the sample rulebook names."""


def _three_persons(team: str) -> tuple[Client, Client, Client]:
    """An author, an approver and an activator of one team, each a person of their own."""
    name = team.removesuffix("-team")
    return (
        _person(f"{name}-author", _EDITS, team),
        _person(f"{name}-approver", _READS | {"rules:approve"}, team),
        _person(f"{name}-activator", _READS | {"rules:activate"}, team),
    )


def _person(name: str, scopes: frozenset[str], *teams: str) -> Client:
    return Client(name, "migration", scopes, _EVERYTHING, person=name, teams=frozenset(teams))


DEFAULT_CLIENTS: Final[Mapping[str, Client]] = {
    client.name: client
    for client in (
        Client("salesforce", "salesforce", _SUBMITTER, _EVERYTHING),
        Client("billing", "billing", _SUBMITTER, _EVERYTHING),
        Client("migration", "migration", _EDITS, _EVERYTHING, person="migration"),
        Client("auditor", "auditor", _READS, _EVERYTHING),
        Client("operations", "operations", _READS | {"operations:act"}, _EVERYTHING, person="operations"),
        Client("shift-lead", "operations", _READS | {"operations:act"}, _EVERYTHING, person="shift-lead"),
        *(client for team in OWNING_TEAMS for client in _three_persons(team)),
        _person("controller", _READS | {"rules:waive"}),
    )
}
"""By name. Tokens of those that approve, activate or waive are signed in the demo only."""
