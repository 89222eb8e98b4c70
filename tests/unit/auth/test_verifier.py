"""Every way to be somebody else with a token must fail (RFC 8725, RFC 9068)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.auth import (
    ClaimNames,
    StaticKeys,
    TokenPolicy,
    TokenRefused,
    TokenVerifier,
    VerificationKey,
    keys_from_jwks,
)

NOW = 1_795_000_000.0
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
POLICY = TokenPolicy(issuer="https://issuer", audience="gateway")


def _jwk(key: Any, kid: str, **more: str) -> dict[str, Any]:
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, **more}


JWKS = {"keys": [_jwk(KEY, "k1", alg="ES256"), _jwk(RSA_KEY, "r1")]}
CLAIMS: dict[str, Any] = {
    "iss": "https://issuer",
    "aud": "gateway",
    "sub": "salesforce",
    "client_id": "salesforce",
    "iat": int(NOW) - 10,
    "exp": int(NOW) + 600,
    "scope": "documents:submit documents:read unknown:thing",
    "source": "salesforce",
    "business_units": "*",
    "geographies": ["DE", "FR"],
    "person": "p-17",
}


class Clock:
    at = NOW

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verify(clock: Clock) -> Callable[..., Any]:
    verifier = TokenVerifier(POLICY, StaticKeys(JWKS), clock)

    async def _verify(token: str, scheme: str = "Bearer") -> Any:
        return await verifier.authenticate(f"{scheme} {token}".encode())

    return _verify


def _token(key: Any = KEY, algorithm: str = "ES256", header: dict[str, Any] | None = None, **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"typ": "at+jwt", "kid": "k1", **(header or {})})


def _b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def test_a_good_token_names_its_caller(verify: Callable[..., Any]) -> None:
    identity = await verify(_token())
    caller = identity.caller
    assert (caller.client, caller.source, identity.caller.person) == ("salesforce", "salesforce", "p-17")
    assert caller.scopes == {"documents:submit", "documents:read"}
    assert caller.data_scope.business_units is None
    assert caller.data_scope.geographies == {"DE", "FR"}


async def test_rsa_and_the_scheme_in_any_case(verify: Callable[..., Any]) -> None:
    token = _token(RSA_KEY, "RS256", {"kid": "r1", "typ": "application/AT+JWT"})
    assert (await verify(token, scheme="bEARER")).caller.client == "salesforce"


@pytest.mark.parametrize("absent", ["business_units", "geographies"])
async def test_absent_nodes_are_nothing_not_everything(verify: Callable[..., Any], absent: str) -> None:
    changes: dict[str, Any] = {absent: None}
    scope = (await verify(_token(**changes))).caller.data_scope
    assert getattr(scope, absent) == frozenset()


async def test_absent_scope_grants_no_scope(verify: Callable[..., Any]) -> None:
    assert (await verify(_token(scope=None))).caller.scopes == frozenset()


def _public_pem() -> bytes:
    return KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _hmac_with_public_key() -> str:
    head = _b64({"alg": "HS256", "typ": "at+jwt", "kid": "k1"}) + "." + _b64(CLAIMS)
    return head + "." + _b64(hmac.new(_public_pem(), head.encode(), hashlib.sha256).digest())


def _tampered() -> str:
    head, _, signature = _token().split(".")
    return f"{head}.{_b64(CLAIMS | {'scope': 'rules:approve'})}.{signature}"


ATTACKS: dict[str, tuple[Callable[[], str], str]] = {
    "alg none": (lambda: _b64({"alg": "none", "typ": "at+jwt", "kid": "k1"}) + "." + _b64(CLAIMS) + ".AA", "algorithm"),
    "hs256 with the public key": (_hmac_with_public_key, "algorithm is not allowed"),
    "alg that is not allowed": (lambda: _token(RSA_KEY, "PS256", {"kid": "r1"}), "algorithm is not allowed"),
    "alg of another key kind": (lambda: _token(RSA_KEY, "RS256"), "does not belong to its key"),
    "payload changed": (_tampered, "signature"),
    "another key under a known kid": (lambda: _token(OTHER), "signature"),
    "unknown kid": (lambda: _token(header={"kid": "k9"}), "does not publish"),
    "no kid": (lambda: _b64({"alg": "ES256", "typ": "at+jwt"}) + "." + _b64(CLAIMS) + ".AA", "name its key"),
    "kid is no text": (
        lambda: _b64({"alg": "ES256", "typ": "at+jwt", "kid": 7}) + "." + _b64(CLAIMS) + ".AA",
        "not a JWT",
    ),
    "id token": (lambda: _token(header={"typ": "JWT"}), "typ"),
    "no typ": (lambda: _token(header={"typ": None}), "typ"),
    "key in the header": (lambda: _token(header={"jwk": _jwk(OTHER, "k1")}), "parameter"),
    "key address in the header": (lambda: _token(header={"jku": "https://evil"}), "parameter"),
    "crit": (lambda: _token(header={"crit": ["exp"]}), "."),
    "wrong audience": (lambda: _token(aud="another"), "audience"),
    "no audience": (lambda: _token(aud=None), "lacks|audience"),
    "wrong issuer": (lambda: _token(iss="https://issuer/"), "issuer"),
    "no issuer": (lambda: _token(iss=None), "lacks|issuer"),
    "no subject": (lambda: _token(sub=None), "lacks"),
    "no expiry": (lambda: _token(exp=None), "lacks"),
    "no issue time": (lambda: _token(iat=None), "lacks"),
    "expired": (lambda: _token(exp=int(NOW) - 31, iat=int(NOW) - 600), "expired"),
    "not valid yet": (lambda: _token(nbf=int(NOW) + 31), "not valid yet"),
    "issued in the future": (lambda: _token(iat=int(NOW) + 31), "not valid yet"),
    "ends before it begins": (lambda: _token(exp=int(NOW) - 5, iat=int(NOW)), "lives longer"),
    "lives too long": (lambda: _token(exp=int(NOW) + 90_000), "lives longer"),
    "expiry is true": (lambda: _token(exp=True), "no time"),
    "expiry is infinite": (lambda: _token(exp=1e300), "no time"),
    "expiry is text": (lambda: _token(exp="9999999999"), "no time"),
    "oversized": (lambda: _token(padding="x" * 8_192), "too long"),
    "no source": (lambda: _token(source=None), "source"),
    "source with a dot": (lambda: _token(source="sales.force"), "source"),
    "source with a line feed": (lambda: _token(source="salesforce\n"), "source"),
    "client with a blank": (lambda: _token(client_id="sales force"), "client_id"),
    "scope as a list": (lambda: _token(scope=["rules:approve"]), "scope"),
    "node with a star": (lambda: _token(geographies=["*", "DE"]), "node id"),
    "nodes as a text": (lambda: _token(geographies="DE"), "list"),
    "person as a number": (lambda: _token(person=7), "person"),
    "teams as a text": (lambda: _token(teams="treasury-team"), "teams"),
    "a team that is none": (lambda: _token(teams=[7]), "team"),
    "too many teams": (lambda: _token(teams=[f"t{n}" for n in range(101)]), "100 teams"),
    "not a JWT": (lambda: "abc", "compact form"),
    "deeply nested header": (lambda: _b64(b"[" * 3_000) + "." + _b64(CLAIMS) + ".AA", "not a JWT"),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_attacks_are_refused(verify: Callable[..., Any], attack: str) -> None:
    make, reason = ATTACKS[attack]
    with pytest.raises(TokenRefused, match=reason):
        await verify(make())


async def test_no_header_at_all() -> None:
    with pytest.raises(TokenRefused) as refused:
        await TokenVerifier(POLICY, StaticKeys(JWKS), Clock()).authenticate(None)
    assert refused.value.missing


@pytest.mark.parametrize("scheme", ["Basic", "Bearer Bearer", ""])
async def test_other_schemes(verify: Callable[..., Any], scheme: str) -> None:
    with pytest.raises(TokenRefused):
        await verify(_token(), scheme=scheme)


async def test_within_the_skew_a_token_passes(verify: Callable[..., Any]) -> None:
    assert await verify(_token(nbf=int(NOW) + 29, iat=int(NOW) + 29))
    assert await verify(_token(exp=int(NOW) - 29, iat=int(NOW) - 600))


class CountingKeys(StaticKeys):
    """How often a signature was about to be checked."""

    asked = 0

    async def key(self, key_id: str) -> VerificationKey | None:
        self.asked += 1
        return await super().key(key_id)


async def test_a_verified_token_is_remembered_until_it_expires(clock: Clock) -> None:
    keys = CountingKeys(JWKS)
    verifier = TokenVerifier(POLICY, keys, clock)
    header = f"Bearer {_token(exp=int(NOW) + 100)}".encode()
    first = await verifier.authenticate(header)
    assert await verifier.authenticate(header) is first
    assert keys.asked == 1
    clock.at = NOW + 131
    with pytest.raises(TokenRefused, match="expired"):
        await verifier.authenticate(header)


async def test_a_remembered_token_is_checked_again_after_a_while(clock: Clock) -> None:
    keys = CountingKeys(JWKS)
    verifier = TokenVerifier(POLICY, keys, clock)
    header = f"Bearer {_token(exp=int(NOW) + 3_600)}".encode()
    await verifier.authenticate(header)
    clock.at = NOW + 300
    await verifier.authenticate(header)
    assert keys.asked == 2


async def test_a_refused_token_is_never_remembered(clock: Clock) -> None:
    verifier = TokenVerifier(POLICY, StaticKeys(JWKS), clock)
    for _ in range(2):
        with pytest.raises(TokenRefused):
            await verifier.authenticate(f"Bearer {_token(OTHER)}".encode())


async def test_the_memory_is_bounded_and_forgets_the_oldest(clock: Clock) -> None:
    keys = CountingKeys(JWKS)
    verifier = TokenVerifier(POLICY, keys, clock, most_remembered=3)
    headers = [f"Bearer {_token(jti=str(number))}".encode() for number in range(4)]
    for header in [*headers, *headers[1:]]:
        await verifier.authenticate(header)
    assert keys.asked == 4
    await verifier.authenticate(headers[0])
    assert keys.asked == 5


async def test_claim_names_of_another_issuer(clock: Clock) -> None:
    names = ClaimNames(
        source="https://x/source", business_units="bu", geographies="geo", person="employee", teams="groups"
    )
    policy = TokenPolicy(issuer="https://issuer", audience="gateway", claim_names=names)
    changes: dict[str, Any] = {"https://x/source": "billing", "bu": ["retail"], "employee": "e1", "groups": ["g"]}
    token = _token(source=None, **changes)
    identity = await TokenVerifier(policy, StaticKeys(JWKS), clock).authenticate(f"Bearer {token}".encode())
    assert (identity.caller.source, identity.caller.person) == ("billing", "e1")
    assert identity.caller.teams == {"g"}
    assert identity.caller.data_scope.business_units == frozenset({"retail"})
    assert identity.caller.data_scope.geographies == frozenset()


@pytest.mark.parametrize("algorithms", [{"HS256", "ES256"}, {"none"}, set()])
def test_symmetric_algorithms_cannot_be_allowed(algorithms: set[str]) -> None:
    with pytest.raises(ValueError, match="algorithms"):
        TokenPolicy(issuer="i", audience="a", algorithms=frozenset(algorithms))


def test_unusable_keys_are_left_out() -> None:
    weak = _jwk(rsa.generate_private_key(public_exponent=65_537, key_size=1_024), "weak")  # noqa: S505
    keys = keys_from_jwks(
        {
            "keys": [
                _jwk(KEY, "good"),
                weak,
                _jwk(KEY, "enc", use="enc"),
                _jwk(KEY, "wrong", alg="RS256"),
                {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
                {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "bad"},
                {**_jwk(KEY, "x"), "kid": "bad\n"},
                "text",
            ]
        }
    )
    assert set(keys) == {"good"}
    with pytest.raises(ValueError, match="same id"):
        keys_from_jwks({"keys": [_jwk(KEY, "a"), _jwk(OTHER, "a")]})
    with pytest.raises(ValueError, match="list"):
        keys_from_jwks({"keys": {}})
