"""A small token issuer inside the gateway, for the demo and for installations without an identity provider."""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.auth.claims import EVERYTHING
from gateway.auth.clients import Client
from gateway.auth.errors import IssuerMisused
from gateway.auth.keys import StaticKeys
from gateway.auth.policy import TokenPolicy
from gateway.auth.verifier import TokenVerifier
from gateway.domain.caller import SCOPES

KEY_FILE: Final = "token-issuer.key"
DEMO_ONLY_SCOPES: Final = frozenset({"rules:approve", "rules:activate", "rules:waive"})
"""Three persons are only three persons where an identity provider tells them apart."""
LONGEST_LIFETIME_S: Final = 86_400
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class EmbeddedIssuer:
    """Signs ES256 access tokens with a key in the data directory. `now`: seconds since 1970 UTC.

    Outside the demo its tokens cannot approve, activate or waive: it does not sign such scopes, and its policy
    withholds them from tokens that somebody else made with the key file.
    """

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, issuer: str, audience: str, now: Callable[[], float], *, demo: bool
    ) -> None:
        self._key = key
        self._now = now
        self._withheld = frozenset[str]() if demo else DEMO_ONLY_SCOPES
        self.policy = TokenPolicy(
            issuer=issuer,
            audience=audience,
            algorithms=frozenset({"ES256"}),
            longest_lifetime_s=LONGEST_LIFETIME_S,
            withheld_scopes=self._withheld,
        )
        public = key.public_key().public_numbers()
        jwk = {"crv": "P-256", "kty": "EC", "x": _coordinate(public.x), "y": _coordinate(public.y)}
        self._key_id = _base64url(sha256(json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()).digest())
        self.jwks: dict[str, object] = {"keys": [{**jwk, "kid": self._key_id, "alg": "ES256", "use": "sig"}]}

    @classmethod
    def open(
        cls, directory: Path, issuer: str, audience: str, now: Callable[[], float], *, demo: bool
    ) -> EmbeddedIssuer:
        """The issuer of this data directory; its key is made at the first start. Raises IssuerMisused if others than
        its owner can read the key file."""
        return cls(_key_in(directory / KEY_FILE), issuer, audience, now, demo=demo)

    def verifier(self) -> TokenVerifier:
        """What accepts this issuer's tokens, without any network."""
        return TokenVerifier(self.policy, StaticKeys(self.jwks), self._now)

    def mint(self, client: Client, lifetime_s: int = 3_600) -> str:
        """A token for the client. Raises IssuerMisused for unknown or withheld scopes and for longer lifetimes."""
        if not 0 < lifetime_s <= LONGEST_LIFETIME_S:
            raise IssuerMisused(f"a token lives 1 to {LONGEST_LIFETIME_S} seconds")
        if unknown := client.scopes - SCOPES:
            raise IssuerMisused(f"no such scope: {', '.join(sorted(unknown))}")
        if withheld := client.scopes & self._withheld:
            raise IssuerMisused(f"outside the demo the embedded issuer does not sign {', '.join(sorted(withheld))}")
        issued = int(self._now())
        claims: dict[str, object] = {
            "iss": self.policy.issuer,
            "aud": self.policy.audience,
            "sub": client.name,
            "client_id": client.name,
            "iat": issued,
            "exp": issued + lifetime_s,
            "jti": secrets.token_urlsafe(16),
            "scope": " ".join(sorted(client.scopes)),
            "source": client.source,
            "business_units": _claim(client.data_scope.business_units),
            "geographies": _claim(client.data_scope.geographies),
        }
        if client.person is not None:
            claims["person"] = client.person
        if client.teams:
            claims["teams"] = sorted(client.teams)
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"typ": "at+jwt", "kid": self._key_id})


def _claim(nodes: frozenset[str] | None) -> str | list[str]:
    return EVERYTHING if nodes is None else sorted(nodes)


def _coordinate(value: int) -> str:
    return _base64url(value.to_bytes(32, "big"))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _key_in(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        return _load(path)
    except FileNotFoundError:
        _create(path)
        return _load(path)


def _create(path: Path) -> None:
    """Write a new key beside its place and link it there: of two first starts one wins, and none reads half a key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()


def _load(path: Path) -> ec.EllipticCurvePrivateKey:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as file:
        if os.name == "posix" and os.fstat(file.fileno()).st_mode & _OTHERS:
            raise IssuerMisused(f"{path} can be read by others than its owner: set its mode to 0600")
        pem = file.read(65_536)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise IssuerMisused(f"{path} holds no private key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise IssuerMisused(f"{path} holds no P-256 key")
    return key
