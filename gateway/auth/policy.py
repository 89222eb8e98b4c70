"""What a token must satisfy before it names anybody."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.auth.claims import ClaimNames


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """The rules of one issuer (RFC 8725, RFC 9068 section 4). Times in seconds.

    `algorithms`: the only ones that are looked at; symmetric ones and `none` cannot be allowed.
    `types`: accepted `typ` headers; without this an ID token of the same issuer would pass.
    `longest_lifetime_s`: cap of our own on exp - iat. `skew_s`: how far clocks may differ.
    `longest_token`: characters; a longer one is refused unread.
    `withheld_scopes`: never granted, whatever a token of this issuer says.
    """

    issuer: str
    audience: str
    algorithms: frozenset[str] = frozenset({"ES256", "RS256"})
    types: frozenset[str] = frozenset({"at+jwt", "application/at+jwt"})
    longest_lifetime_s: int = 86_400
    skew_s: int = 30
    longest_token: int = 8_192
    withheld_scopes: frozenset[str] = frozenset()
    claim_names: ClaimNames = field(default_factory=ClaimNames)

    def __post_init__(self) -> None:
        unsafe = {name for name in self.algorithms if name == "none" or name.startswith("HS")}
        if unsafe or not self.algorithms:
            raise ValueError(f"these algorithms cannot verify tokens of an issuer: {sorted(unsafe)}")
        if not self.issuer or not self.audience:
            raise ValueError("a token policy names its issuer and its audience")
