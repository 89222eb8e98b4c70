"""A bucket for each client, and one for each address of callers that nobody knows."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.addresses import client_address
from gateway.api.rates import Quota, RateLimits, Rates
from gateway.app import create_app
from gateway.auth import Client
from gateway.domain.caller import SCOPES, DataScope
from tests.api.conftest import World, asgi_request

SECOND = 1_000_000_000


class Clock:
    """Nanoseconds that pass when they are told to."""

    def __init__(self) -> None:
        self.ns = 5 * SECOND

    def __call__(self) -> int:
        return self.ns

    def pass_(self, seconds: float) -> None:
        self.ns += int(seconds * SECOND)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _taken(quota: Quota | None) -> Quota:
    assert quota is not None
    return quota


def test_a_bucket_empties_and_fills_evenly(clock: Clock) -> None:
    buckets = Rates(RateLimits(requests=4, window_s=60), clock)
    seen = [_taken(buckets.of_client("a")) for _ in range(6)]
    assert [one.remaining for one in seen] == [3, 2, 1, 0, 0, 0]
    assert [one.reset_s for one in seen] == [15, 30, 45, 60, 60, 60]
    assert [one.retry_after_s for one in seen] == [None, None, None, None, 15, 15]
    clock.pass_(14.9)
    assert _taken(buckets.of_client("a")).retry_after_s == 1
    clock.pass_(0.1)
    assert _taken(buckets.of_client("a")).retry_after_s is None
    clock.pass_(600)
    assert _taken(buckets.of_client("a")).remaining == 3, "more than full is full"


@given(
    requests=st.integers(1, 50),
    window_s=st.integers(1, 100),
    steps=st.lists(st.integers(0, 20_000), min_size=1, max_size=200),
)
def test_never_more_than_the_bucket_and_what_came_back(requests: int, window_s: int, steps: list[int]) -> None:
    """From any moment on, in t seconds at most `requests` × (1 + t / window) pass; who waits as told passes."""
    clock = Clock()
    buckets = Rates(RateLimits(requests=requests, window_s=window_s), clock)
    begun, passed = clock.ns, 0
    for milliseconds in steps:
        clock.pass_(milliseconds / 1_000)
        quota = _taken(buckets.of_client("a"))
        passed += quota.retry_after_s is None
        # a share of a nanosecond is lost at each request, in the caller's favour
        elapsed = (clock.ns - begun) / SECOND
        assert passed <= requests * (1 + elapsed / window_s) + 1e-3
        assert 0 <= quota.remaining <= requests
        assert 0 <= quota.reset_s <= window_s
        if quota.retry_after_s is not None:
            clock.pass_(quota.retry_after_s)
            assert _taken(buckets.of_client("a")).retry_after_s is None
            passed += 1


def test_clients_have_buckets_and_numbers_of_their_own(clock: Clock) -> None:
    buckets = Rates(RateLimits(requests=1, of_clients={"billing": 3, "batch": 0}), clock)
    assert [_taken(buckets.of_client("billing")).remaining for _ in range(3)] == [2, 1, 0]
    assert _taken(buckets.of_client("other")).retry_after_s is None
    assert _taken(buckets.of_client("other")).retry_after_s == 60
    assert buckets.of_client("batch") is None


def test_no_limit(clock: Clock) -> None:
    buckets = Rates(RateLimits(), clock)
    assert buckets.of_client("a") is None
    assert buckets.of_address("127.0.0.1") is None


def test_memory_is_bounded_and_forgets_who_was_idle(clock: Clock) -> None:
    buckets = Rates(RateLimits(requests=2, refused=2), clock, most_keys=3)
    for one in ("a", "b", "c", "a", "d", "e"):
        buckets.of_client(one)
    assert len(buckets._clients._full_at) == 3
    assert _taken(buckets.of_client("a")).retry_after_s == 30, "it was used last but two, and is remembered"
    for number in range(100):
        buckets.of_address(f"10.0.0.{number}")
    assert len(buckets._addresses._full_at) == 3
    assert len(buckets._clients._full_at) == 3, "addresses push no client out"


async def test_the_token_counts_not_the_address(world: World, clock: Clock) -> None:
    """The framework's own limiter would give all callers at one address one bucket."""
    client = Client("billing", "billing", frozenset(SCOPES), DataScope(None, None))
    billing = {"Authorization": f"Bearer {world.issuer.mint(client)}"}
    async with world.client(rates=RateLimits(requests=2), monotonic_ns=clock) as http:
        answers = [await http.get("/v1/orders", headers=world.token()) for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert (await http.get("/v1/orders", headers=billing)).status_code == 200
        forwarded = world.token() | {"X-Forwarded-For": "192.0.2.7"}
        assert (await http.get("/v1/orders", headers=forwarded)).status_code == 429
        clock.pass_(30)
        assert (await http.get("/v1/orders", headers=world.token())).status_code == 200


async def test_what_is_told(world: World, clock: Clock) -> None:
    async with world.client(rates=RateLimits(requests=2, window_s=10), monotonic_ns=clock) as http:
        first = await http.get("/v1/orders", headers=world.token())
        assert first.headers["ratelimit-policy"] == '"default";q=2;w=10'
        assert first.headers["ratelimit"] == '"default";r=1;t=5'
        told = {"policy": "default", "quota": 2, "windowS": 10, "remaining": 1, "resetS": 5}
        assert first.json()["rateLimit"] == told
        await http.get("/v1/orders", headers=world.token())
        refused = await http.post("/v1/orders", json={}, headers=world.token())
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (429, "rate-limited")
        assert refused.headers["retry-after"] == str(problem["retryAfterS"]) == "5"
        assert refused.headers["ratelimit"] == '"default";r=0;t=10'
        assert problem["rateLimit"]["remaining"] == 0
        assert "instance" in problem


async def test_a_refused_scope_counts_too(world: World, clock: Clock) -> None:
    async with world.client(rates=RateLimits(requests=1), monotonic_ns=clock) as http:
        reader = world.token("ledger:read")
        assert (await http.get("/v1/orders", headers=reader)).status_code == 403
        assert (await http.get("/v1/orders", headers=reader)).status_code == 429


async def test_public_routes_are_not_counted(world: World, clock: Clock) -> None:
    async with world.client(rates=RateLimits(requests=1, refused=1), monotonic_ns=clock) as http:
        for _ in range(3):
            answer = await http.get("/health/live")
            assert answer.status_code == 200
            assert "ratelimit" not in answer.headers


async def test_unknown_callers_are_limited_by_address(world: World, clock: Clock) -> None:
    async with world.client(rates=RateLimits(requests=9, refused=2), monotonic_ns=clock) as http:
        bad = {"Authorization": "Bearer a.b.c"}
        answers = [await http.get("/v1/orders", headers=one) for one in (bad, {}, bad, {})]
        assert [one.status_code for one in answers] == [401, 401, 429, 429]
        assert answers[0].headers["ratelimit-policy"] == '"unauthenticated";q=2;w=60'
        assert answers[2].json()["rateLimit"]["policy"] == "unauthenticated"
        assert (await http.get("/v1/nowhere")).status_code == 429
        good = await http.get("/v1/orders", headers=world.token())
        assert good.status_code == 200, "who has a good token is not refused for what others do at its address"


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", b"198.51.100.9", "192.0.2.1"),
        ("10.0.0.1", b"198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", b"203.0.113.5, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", b"203.0.113.5, 198.51.100.9, 10.0.0.2", "198.51.100.9"),
        ("10.0.0.1", b"10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", b"nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", b"", "10.0.0.1"),
        ("::ffff:10.0.0.1", b"198.51.100.9", "198.51.100.9"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", None, "2001:db8:1:2::/64"),
        ("", None, ""),
        ("unix:" + "x" * 100, None, "unix:" + "x" * 59),
    ],
)
def test_addresses(peer: str, forwarded: bytes | None, found: str) -> None:
    assert client_address(peer, forwarded, [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]) == found


@pytest.mark.parametrize(("trusted", "codes"), [(True, [401, 401, 429]), (False, [401, 429, 429])])
async def test_addresses_behind_a_proxy(world: World, clock: Clock, trusted: bool, codes: list[int]) -> None:
    proxies = (ip_network("127.0.0.0/8"),) if trusted else ()
    parts = replace(world.parts(), rates=RateLimits(refused=1), proxies=proxies, monotonic_ns=clock)
    app, found = create_app(parts), []
    for address in ("198.51.100.1", "198.51.100.2", "198.51.100.1"):
        headers = [("Host", "x"), ("X-Forwarded-For", address)]
        status, _ = await asgi_request(world, "GET", "/v1/orders", headers, app=app)
        found.append(status)
    assert found == codes


async def test_an_unknown_address_counts_for_the_client_that_asks(world: World, clock: Clock) -> None:
    """Its token is looked at, though no guard stands there."""
    async with world.client(rates=RateLimits(requests=3, refused=1), monotonic_ns=clock) as http:
        lost = await http.get("/v1/nowhere", headers=world.token())
        assert (lost.status_code, lost.json()["rateLimit"]["policy"]) == (404, "default")
        wrong = await http.delete("/v1/orders", headers=world.token())
        assert (wrong.status_code, wrong.json()["rateLimit"]["remaining"]) == (405, 1)
        slashed = await http.get("/v1/orders/", headers=world.token())
        assert (slashed.status_code, slashed.json()["rateLimit"]["remaining"]) == (404, 0)
        over = await http.get("/v1/nowhere", headers=world.token())
        assert (over.status_code, over.json()["code"]) == (429, "rate-limited")
        bad = await http.get("/v1/nowhere", headers={"Authorization": "Bearer a.b.c"})
        assert (bad.status_code, bad.json()["rateLimit"]["policy"]) == (404, "unauthenticated")
        assert (await http.get("/v1/nowhere")).status_code == 429, "of the address, which the client did not use up"
