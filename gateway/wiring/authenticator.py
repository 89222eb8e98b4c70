"""Who checks tokens: a real issuer where one is set, else the embedded one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.auth import Authenticator, ClaimNames, RemoteKeys, TokenPolicy, TokenVerifier
from gateway.settings import Settings, SettingsError
from gateway.transactions.parts import Tools
from gateway.wiring.issuer import embedded_issuer


def authenticator(
    data: Path, settings: Settings, tools: Tools, ends: list[Callable[[], Awaitable[object]]]
) -> Authenticator:
    """Who checks tokens: a real issuer where one is set, else the embedded one."""
    auth = settings.auth
    if auth.jwks_url:
        if not auth.issuer:
            raise SettingsError("auth.issuer must be set where auth.jwks_url is")
        keys = RemoteKeys(auth.jwks_url, lambda: tools.clock.now() / 1_000_000)
        ends.append(keys.aclose)
        names = ClaimNames(person=auth.person_claim, teams=auth.teams_claim)
        policy = TokenPolicy(issuer=auth.issuer, audience=auth.audience, claim_names=names)
        return TokenVerifier(policy, keys, lambda: tools.clock.now() / 1_000_000)
    return embedded_issuer(data, settings, lambda: tools.clock.now() / 1_000_000).verifier()
