"""From verified claims to the caller: which client, which source, which scopes, which data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.auth.errors import TokenRefused
from gateway.domain.caller import SCOPES, Caller, DataScope

EVERYTHING: Final = "*"
MAX_NODES: Final = 500
"""Nodes that one token may list per tree; more belong into one node above them."""
MAX_TEAMS: Final = 100
"""Teams that one token may list."""

_CLIENT: Final = re.compile(r"\A[!-~]{1,128}\Z")
_SOURCE: Final = re.compile(r"\A[A-Za-z0-9_-]{1,32}\Z")
_NODE: Final = _SOURCE
_PERSON: Final = re.compile(r"\A[!-~]([ -~]{0,126}[!-~])?\Z")
_TEAM: Final = _PERSON


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """What an issuer calls the claims that no RFC names."""

    source: str = "source"
    business_units: str = "business_units"
    geographies: str = "geographies"
    person: str = "person"
    teams: str = "teams"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a verified token names. `expires_at`: seconds since 1970 UTC. `issuer`: who signed it.

    `caller.person` is whoever stands behind the client, so that two machine clients of one person count as one where
    several persons are asked for. The nodes of `caller.data_scope` stand for themselves and all below them.
    """

    caller: Caller
    expires_at: float
    issuer: str = ""


def identity_from(
    claims: Mapping[str, object], names: ClaimNames, withheld: frozenset[str], expires_at: float, issuer: str = ""
) -> Identity:
    """The identity that these claims name. Raises TokenRefused.

    `client_id` (RFC 9068 section 2.2), else `sub`, is the client. A claim that is absent grants nothing: without
    `scope` no scope, without node lists no data; only `"*"` is everything. Scopes that the gateway does not know are
    left out.
    """
    client = claims.get("client_id", claims.get("sub"))
    if not isinstance(client, str) or _CLIENT.match(client) is None:
        raise TokenRefused("The token's client_id is not one that can be used.")
    source = claims.get(names.source)
    if not isinstance(source, str) or _SOURCE.match(source) is None:
        raise TokenRefused(f"The token's claim {names.source} does not name the owner of external ids.")
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise TokenRefused("The token's scope is not a space separated text.")
    person = claims.get(names.person)
    if person is not None and (not isinstance(person, str) or _PERSON.match(person) is None):
        raise TokenRefused(f"The token's claim {names.person} does not name a person.")
    caller = Caller(
        client=client,
        source=source,
        scopes=frozenset(scope.split(" ")) & SCOPES - withheld,
        data_scope=DataScope(_nodes(claims, names.business_units), _nodes(claims, names.geographies)),
        person=person,
        teams=_teams(claims, names.teams),
    )
    return Identity(caller, expires_at, issuer)


def _teams(claims: Mapping[str, object], name: str) -> frozenset[str]:
    """Listed teams; none for an absent claim. There is no word for all of them."""
    value = claims.get(name, [])
    if not isinstance(value, list) or len(value) > MAX_TEAMS:
        raise TokenRefused(f"The token's claim {name} is not a list of at most {MAX_TEAMS} teams.")
    for team in value:
        if not isinstance(team, str) or _TEAM.match(team) is None:
            raise TokenRefused(f"The token's claim {name} holds something that names no team.")
    return frozenset(value)


def _nodes(claims: Mapping[str, object], name: str) -> frozenset[str] | None:
    """Listed nodes; nothing for an absent claim; None, everything, only if the token says so."""
    value = claims.get(name, [])
    if value in (EVERYTHING, [EVERYTHING]):
        return None
    if not isinstance(value, list) or len(value) > MAX_NODES:
        raise TokenRefused(f"The token's claim {name} is not a list of at most {MAX_NODES} node ids.")
    for node in value:
        if not isinstance(node, str) or _NODE.match(node) is None:
            raise TokenRefused(f"The token's claim {name} holds something that is no node id.")
    return frozenset(value)
