"""The check of a bearer token, and the memory of tokens that passed it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final, Protocol

import jwt

from gateway.auth.claims import Identity, identity_from
from gateway.auth.errors import TokenRefused
from gateway.auth.keys import KeySource
from gateway.auth.policy import TokenPolicy

MAX_REMEMBERED: Final = 4_096
"""Verified tokens that are kept. ES256 costs some 200 µs a check, a look into this memory one or two."""
FIVE_MINUTES_S: Final = 300.0
"""A token is checked again after this long, so that a key that its issuer withdrew stops counting."""

_BEARER: Final = re.compile(rb"\A[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)\Z")
_CANNOT: Final = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip"})
"""Header parameters that would choose the key or the meaning (RFC 8725 section 3.10, RFC 7515 section 4.1.11)."""


class Authenticator(Protocol):
    """Names who stands behind an Authorization header."""

    async def authenticate(self, authorization: bytes | None) -> Identity:
        """Raises TokenRefused or KeysUnavailable."""
        ...


class TokenVerifier:
    """Checks JWT access tokens of one issuer. `now`: seconds since 1970 UTC. `most_remembered`: verified tokens that
    are kept."""

    def __init__(
        self,
        policy: TokenPolicy,
        keys: KeySource,
        now: Callable[[], float],
        most_remembered: int = MAX_REMEMBERED,
    ) -> None:
        self._policy = policy
        self._keys = keys
        self._now = now
        self._most_remembered = most_remembered
        # Keyed by digest, so that no memory of this process is a list of usable tokens.
        self._remembered: dict[bytes, tuple[Identity, float]] = {}

    async def authenticate(self, authorization: bytes | None) -> Identity:
        """The identity that the header's token names (RFC 6750 section 2.1)."""
        if authorization is None:
            raise TokenRefused("The request carries no access token.", missing=True)
        digest = sha256(authorization).digest()
        known = self._remembered.get(digest)
        now = self._now()
        if known is not None and now < known[1]:
            return known[0]
        identity = await self._verify(authorization)
        self._remember(digest, identity, now)
        return identity

    def _remember(self, digest: bytes, identity: Identity, now: float) -> None:
        self._remembered.pop(digest, None)
        if len(self._remembered) >= self._most_remembered:
            del self._remembered[next(iter(self._remembered))]  # the oldest: a dict keeps the order of insertion
        self._remembered[digest] = (identity, min(identity.expires_at, now + FIVE_MINUTES_S))

    async def _verify(self, authorization: bytes) -> Identity:
        if len(authorization) > self._policy.longest_token:
            raise TokenRefused("The access token is too long.")
        bearer = _BEARER.match(authorization)
        if bearer is None:
            raise TokenRefused("The Authorization header is not 'Bearer' and a JWT in compact form.")
        token = bearer[1].decode("ascii")
        algorithm, key_id = self._checked_header(token)
        key = await self._keys.key(key_id)
        if key is None:
            raise TokenRefused("The access token is signed by a key that its issuer does not publish.")
        if algorithm not in key.algorithms:
            raise TokenRefused("The access token's algorithm does not belong to its key.")
        try:
            claims = jwt.decode(
                token,
                key=key.key,
                algorithms=[algorithm],
                issuer=self._policy.issuer,
                audience=self._policy.audience,
                options={
                    "require": ["iss", "aud", "sub", "exp", "iat"],
                    # Times are checked below, on our own clock and with our own caps.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidAudienceError as error:
            raise TokenRefused("The access token is for another audience.") from error
        except jwt.InvalidIssuerError as error:
            raise TokenRefused("The access token is from another issuer.") from error
        except jwt.MissingRequiredClaimError as error:
            raise TokenRefused("The access token lacks one of iss, aud, sub, exp, iat.") from error
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise TokenRefused("The access token's signature does not hold.") from error
        expires_at = self._checked_times(claims)
        policy = self._policy
        return identity_from(claims, policy.claim_names, policy.withheld_scopes, expires_at, policy.issuer)

    def _checked_header(self, token: str) -> tuple[str, str]:
        """Algorithm and key id, before any key is touched."""
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise TokenRefused("The access token is not a JWT.") from error
        algorithm, kind, key_id = header.get("alg"), header.get("typ"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._policy.algorithms:
            raise TokenRefused("The access token's algorithm is not allowed.")
        if not isinstance(kind, str) or kind.lower() not in self._policy.types:
            raise TokenRefused("The token is not an access token: its typ is not at+jwt.")
        if not isinstance(key_id, str) or not 0 < len(key_id) <= 128:
            raise TokenRefused("The access token does not name its key.")
        if not _CANNOT.isdisjoint(header):
            raise TokenRefused("The access token's header holds a parameter that is not allowed.")
        return algorithm, key_id

    def _checked_times(self, claims: Mapping[str, object]) -> float:
        """Seconds since 1970 UTC when the token ends."""
        now, skew = self._now(), self._policy.skew_s
        issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
        if expires <= now - skew:
            raise TokenRefused("The access token has expired.")
        if issued > now + skew or ("nbf" in claims and _seconds(claims, "nbf") > now + skew):
            raise TokenRefused("The access token is not valid yet.")
        if not 0 < expires - issued <= self._policy.longest_lifetime_s:
            raise TokenRefused(
                f"The access token lives longer than {self._policy.longest_lifetime_s} s, or not at all."
            )
        return expires + skew


def _seconds(claims: Mapping[str, object], name: str) -> float:
    """A NumericDate (RFC 7519 section 2) in the years that tokens can be of."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise TokenRefused(f"The access token's {name} is no time.")
    return float(value)
