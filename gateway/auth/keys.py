"""Public keys that tokens are checked with, read from a JWK set (RFC 7517)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey

MAX_KEYS: Final = 100
MIN_RSA_BITS: Final = 2_048
"""RFC 7518 section 3.3."""

_KID: Final = re.compile(r"\A[!-~]{1,128}\Z")
_BY_CURVE: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """One public key with the only algorithms that it may be used with (RFC 8725 section 3.1)."""

    key_id: str
    algorithms: frozenset[str]
    key: PublicKey


class KeySource(Protocol):
    """Where verification keys come from."""

    async def key(self, key_id: str) -> VerificationKey | None:
        """The key of that id, None if the issuer has none. Raises KeysUnavailable."""
        ...


class StaticKeys:
    """Keys that were handed in, for the embedded issuer and for issuers whose keys are in a file."""

    def __init__(self, jwks: Mapping[str, object]) -> None:
        self._keys = keys_from_jwks(jwks)

    async def key(self, key_id: str) -> VerificationKey | None:
        return self._keys.get(key_id)


def keys_from_jwks(jwks: Mapping[str, object]) -> dict[str, VerificationKey]:
    """The usable keys by id. Keys for encryption, of unknown kinds, too weak or without id are left out.

    Raises ValueError if this is no JWK set, or holds two usable keys with one id.
    """
    listed = jwks.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise ValueError(f"a JWK set holds a list of at most {MAX_KEYS} keys")
    found: dict[str, VerificationKey] = {}
    for jwk in listed:
        key = _usable(jwk) if isinstance(jwk, dict) else None
        if key is None:
            continue
        if key.key_id in found:
            raise ValueError("two keys of the JWK set have the same id")
        found[key.key_id] = key
    return found


def _usable(jwk: dict[str, object]) -> VerificationKey | None:
    key_id, stated = jwk.get("kid"), jwk.get("alg")
    if not isinstance(key_id, str) or _KID.match(key_id) is None or jwk.get("use", "sig") != "sig":
        return None
    possible = _algorithms(jwk)
    if not possible or (stated is not None and stated not in possible):
        return None
    try:
        key = jwt.PyJWK(jwk, algorithm=min(possible)).key
    except (jwt.PyJWTError, ValueError):
        return None
    if not isinstance(key, EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        return None
    return VerificationKey(key_id, frozenset({stated}) if isinstance(stated, str) else possible, key)


def _algorithms(jwk: Mapping[str, object]) -> frozenset[str]:
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if kind == "EC" and isinstance(curve, str) and curve in _BY_CURVE:
        return frozenset({_BY_CURVE[curve]})
    if kind == "OKP" and curve == "Ed25519":
        return frozenset({"EdDSA"})
    if kind == "RSA":
        return frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
    return frozenset()
