"""Who is calling: OAuth 2.0 bearer tokens (RFC 6750) that are JWT access tokens (RFC 9068), and an embedded issuer."""

from gateway.auth.claims import ClaimNames, Identity
from gateway.auth.clients import DEFAULT_CLIENTS, Client
from gateway.auth.errors import IssuerMisused, KeysUnavailable, TokenRefused
from gateway.auth.issuer import EmbeddedIssuer
from gateway.auth.jwks import RemoteKeys
from gateway.auth.keys import KeySource, StaticKeys, VerificationKey, keys_from_jwks
from gateway.auth.policy import TokenPolicy
from gateway.auth.verifier import Authenticator, TokenVerifier

__all__ = [
    "DEFAULT_CLIENTS",
    "Authenticator",
    "ClaimNames",
    "Client",
    "EmbeddedIssuer",
    "Identity",
    "IssuerMisused",
    "KeySource",
    "KeysUnavailable",
    "RemoteKeys",
    "StaticKeys",
    "TokenPolicy",
    "TokenRefused",
    "TokenVerifier",
    "VerificationKey",
    "keys_from_jwks",
]
