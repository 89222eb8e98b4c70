"""Keys from an address: kept, asked for again, and never asked for too often."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.auth import KeysUnavailable, RemoteKeys
from gateway.auth.jwks import FRESH_S, MAX_BYTES, REFETCH_S, USABLE_S

URL = "https://issuer.test/jwks"


def _jwks(*kids: str) -> bytes:
    key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
    return json.dumps({"keys": [{**key, "kid": kid} for kid in kids]}).encode()


def _answer(status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> httpx.Response:
    """Streamed, as a real answer is."""

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    return httpx.Response(status, content=pieces(), headers=headers)


class Issuer:
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Callable[[], httpx.Response] = lambda: _answer(200, content=_jwks("a"))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        assert request.headers["accept-encoding"] == "identity"
        return self.answer()


class Clock:
    at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(issuer: Issuer, clock: Clock) -> Any:
    found = RemoteKeys(URL, clock, httpx.MockTransport(issuer))
    yield found
    await found.aclose()


async def test_fetched_once_and_kept(issuer: Issuer, keys: RemoteKeys) -> None:
    found = await asyncio.gather(*(keys.key("a") for _ in range(20)))
    assert all(one is not None for one in found)
    assert issuer.asked == 1


async def test_unknown_kids_do_not_make_a_storm(issuer: Issuer, clock: Clock, keys: RemoteKeys) -> None:
    await keys.key("a")
    for number in range(50):
        assert await keys.key(f"unknown-{number}") is None
    assert issuer.asked == 1
    clock.at += REFETCH_S
    issuer.answer = lambda: _answer(200, content=_jwks("a", "b"))
    assert await keys.key("b") is not None
    assert issuer.asked == 2


async def test_asked_again_when_no_longer_fresh(issuer: Issuer, clock: Clock, keys: RemoteKeys) -> None:
    await keys.key("a")
    clock.at += FRESH_S
    issuer.answer = lambda: _answer(200, content=_jwks("b"))
    assert await keys.key("a") is None, "a key that the issuer withdrew counts no longer"
    assert issuer.asked == 2


async def test_a_clock_that_was_set_back_does_not_keep_old_keys_for_ever(
    issuer: Issuer, clock: Clock, keys: RemoteKeys
) -> None:
    await keys.key("a")
    clock.at -= 10 * USABLE_S
    issuer.answer = lambda: _answer(200, content=_jwks("b"))
    assert await keys.key("a") is None
    assert issuer.asked == 2


BAD_ANSWERS: dict[str, Callable[[], httpx.Response]] = {
    "server error": lambda: _answer(500),
    "redirect": lambda: _answer(302, headers={"location": "https://evil.test/jwks"}),
    "no JSON": lambda: _answer(200, content=b"<html>"),
    "no set": lambda: _answer(200, content=b"[]"),
    "nested": lambda: _answer(200, content=b"[" * 100_000),
    "too large": lambda: _answer(200, content=_jwks("a") + b" " * MAX_BYTES),
    "compressed": lambda: _answer(200, content=_jwks("a"), headers={"content-encoding": "br"}),
}


@pytest.mark.parametrize("answer", BAD_ANSWERS)
async def test_old_keys_stay_usable_while_the_issuer_fails(
    issuer: Issuer, clock: Clock, keys: RemoteKeys, answer: str
) -> None:
    await keys.key("a")
    issuer.answer = BAD_ANSWERS[answer]
    clock.at += FRESH_S
    assert await keys.key("a") is not None
    assert await keys.key("a") is not None
    assert issuer.asked == 2, "a failing issuer is not asked at every request"
    clock.at += USABLE_S
    with pytest.raises(KeysUnavailable):
        await keys.key("a")


@pytest.mark.parametrize("answer", BAD_ANSWERS)
async def test_without_any_keys_nobody_is_known(issuer: Issuer, keys: RemoteKeys, answer: str) -> None:
    issuer.answer = BAD_ANSWERS[answer]
    with pytest.raises(KeysUnavailable):
        await keys.key("a")
    with pytest.raises(KeysUnavailable):
        await keys.key("a")
    assert issuer.asked == 1


async def test_a_cut_connection(issuer: Issuer, keys: RemoteKeys) -> None:
    def cut() -> httpx.Response:
        raise httpx.ConnectError("refused")

    issuer.answer = cut
    with pytest.raises(KeysUnavailable):
        await keys.key("a")


@pytest.mark.parametrize("url", ["http://issuer.test/jwks", "ftp://x/"])
def test_only_https(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        RemoteKeys(url, Clock())
