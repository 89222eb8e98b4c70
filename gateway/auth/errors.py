"""Why nobody could be named.

::

    TokenRefused      the token proves nothing      get a new one      the caller
    KeysUnavailable   the issuer's keys are out     yes, later         operations
    IssuerMisused     the embedded issuer refused   no                 whoever asked it
"""

from __future__ import annotations

from gateway.errors import GatewayError


class TokenRefused(GatewayError):
    """The request carries no token, or one that proves nothing. `detail` is safe to tell: it quotes nothing."""

    def __init__(self, detail: str, *, missing: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.missing = missing


class KeysUnavailable(GatewayError):
    """The issuer's keys could not be read and none that were read before are fresh enough to be used."""


class IssuerMisused(GatewayError):
    """The embedded issuer was asked for something that it must not sign, or its key file is not safe."""
