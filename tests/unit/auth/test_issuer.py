"""The embedded issuer: its key is private, and its tokens cannot approve, activate or waive outside the demo."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import jwt
import pytest

from gateway.auth import DEFAULT_CLIENTS, EmbeddedIssuer, IssuerMisused, TokenRefused
from gateway.auth.clients import OWNING_TEAMS
from gateway.auth.issuer import DEMO_ONLY_SCOPES, KEY_FILE
from gateway.domain.caller import DataScope


def _open(directory: Path, *, demo: bool = False, audience: str = "gateway") -> EmbeddedIssuer:
    return EmbeddedIssuer.open(directory, "urn:gateway:test", audience, time.time, demo=demo)


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    first, second = _open(tmp_path / "data"), _open(tmp_path / "data")
    assert first.jwks == second.jwks
    file = tmp_path / "data" / KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == [KEY_FILE]
    assert "d" not in first.jwks["keys"][0]  # type: ignore[index]


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    _open(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o640)
    with pytest.raises(IssuerMisused, match="0600"):
        _open(tmp_path)


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / KEY_FILE
    file.write_text("hello")
    file.chmod(0o600)
    with pytest.raises(IssuerMisused, match="no private key"):
        _open(tmp_path)


@pytest.mark.parametrize("name", ["salesforce", "billing", "migration", "auditor", "operations"])
async def test_default_clients_are_accepted(tmp_path: Path, name: str) -> None:
    issuer = _open(tmp_path)
    client = DEFAULT_CLIENTS[name]
    identity = await issuer.verifier().authenticate(f"Bearer {issuer.mint(client)}".encode())
    assert identity.caller.source == client.source
    assert identity.caller.scopes == client.scopes
    assert identity.caller.data_scope == DataScope(None, None)
    assert not client.scopes & DEMO_ONLY_SCOPES


async def test_data_scope_person_and_teams_travel(tmp_path: Path) -> None:
    issuer = _open(tmp_path)
    scope = DataScope(frozenset({"retail"}), frozenset())
    teams = frozenset({"treasury-team", "tax-team"})
    client = replace(DEFAULT_CLIENTS["billing"], data_scope=scope, person="p1", teams=teams)
    identity = await issuer.verifier().authenticate(f"Bearer {issuer.mint(client, 60)}".encode())
    assert identity.caller.data_scope == scope
    assert identity.caller.person == "p1"
    assert identity.caller.teams == teams


async def test_in_the_demo_each_owning_team_has_three_persons(tmp_path: Path) -> None:
    demo = _open(tmp_path, demo=True)
    for team in OWNING_TEAMS:
        persons = []
        for scope in ("rules:edit", "rules:approve", "rules:activate"):
            [client] = [one for one in DEFAULT_CLIENTS.values() if team in one.teams and scope in one.scopes]
            caller = (await demo.verifier().authenticate(f"Bearer {demo.mint(client)}".encode())).caller
            assert scope in caller.scopes
            assert caller.teams == {team}
            persons.append(caller.person)
        assert None not in persons
        assert len(set(persons)) == 3


@pytest.mark.parametrize("scope", sorted(DEMO_ONLY_SCOPES))
async def test_outside_the_demo_nobody_approves(tmp_path: Path, scope: str) -> None:
    issuer, demo = _open(tmp_path), _open(tmp_path, demo=True)
    client = replace(DEFAULT_CLIENTS["migration"], scopes=frozenset({scope, "rules:edit"}))
    with pytest.raises(IssuerMisused, match=scope):
        issuer.mint(client)
    token = f"Bearer {demo.mint(client)}".encode()
    assert scope in (await demo.verifier().authenticate(token)).caller.scopes
    # The same key, and so a valid signature: what counts is who reads it.
    assert (await issuer.verifier().authenticate(token)).caller.scopes == {"rules:edit"}


async def test_an_installation_accepts_its_own_key_only(tmp_path: Path) -> None:
    one, other = _open(tmp_path / "a"), _open(tmp_path / "b")
    with pytest.raises(TokenRefused):
        await one.verifier().authenticate(f"Bearer {other.mint(DEFAULT_CLIENTS['billing'])}".encode())


@pytest.mark.parametrize("lifetime_s", [0, -1, 86_401])
def test_lifetimes_are_capped(tmp_path: Path, lifetime_s: int) -> None:
    with pytest.raises(IssuerMisused, match="seconds"):
        _open(tmp_path).mint(DEFAULT_CLIENTS["billing"], lifetime_s)


def test_unknown_scopes_are_not_signed(tmp_path: Path) -> None:
    with pytest.raises(IssuerMisused, match="no such scope"):
        _open(tmp_path).mint(replace(DEFAULT_CLIENTS["billing"], scopes=frozenset({"root"})))


def test_tokens_are_access_tokens_with_an_id_of_their_own(tmp_path: Path) -> None:
    issuer = _open(tmp_path)
    tokens = [issuer.mint(DEFAULT_CLIENTS["billing"]) for _ in range(2)]
    assert jwt.get_unverified_header(tokens[0])["typ"] == "at+jwt"
    ids = {jwt.decode(one, options={"verify_signature": False})["jti"] for one in tokens}
    assert len(ids) == 2
