"""An issuer's keys over real HTTP: what httpx does by itself, and the gateway does not let it do."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.auth import KeysUnavailable, RemoteKeys
from gateway.auth.jwks import MAX_BYTES
from tests.wire.messages import answer
from tests.wire.misbehaviours import MISBEHAVIOURS, Misbehaviour, says
from tests.wire.peer import TcpPeer, answering, misbehaving

FETCH_S = 20.0
HASTY_S = 0.5
"""For an issuer of whom nothing right is expected."""


def _jwks() -> bytes:
    key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
    return json.dumps({"keys": [{**key, "kid": "k1"}]}).encode()


KEYS = _jwks()


@asynccontextmanager
async def _asking(peer: TcpPeer, fetch_s: float = FETCH_S) -> AsyncIterator[Callable[[], Coroutine[None, None, bool]]]:
    """Asks the peer for its keys; whether they hold the one that is looked for."""
    keys = RemoteKeys(f"{peer.base_url}/jwks", time.monotonic, fetch_s=fetch_s)

    async def ask() -> bool:
        return await keys.key("k1") is not None

    yield ask
    await keys.aclose()


async def test_keys_are_read() -> None:
    async with answering(KEYS) as peer, _asking(peer) as ask:
        assert await ask()
        assert peer.requests[0].header("accept-encoding") == "identity"


async def test_a_redirect_is_not_followed() -> None:
    """By default of this client it is not; by one argument it is, and then others choose whose keys are believed."""
    async with answering(KEYS) as elsewhere:
        moved = answer("302 Found", b"", f"Location: {elsewhere.base_url}/jwks")
        async with misbehaving(says(moved)) as peer, _asking(peer) as ask:
            with pytest.raises(KeysUnavailable):
                await ask()
        assert elsewhere.connections == 0


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(b"{}") as proxy, answering(KEYS) as peer:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.base_url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with _asking(peer) as ask:
            assert await ask()
        assert proxy.connections == 0


async def test_a_compressed_answer_is_neither_taken_nor_unpacked() -> None:
    bomb = gzip.compress(KEYS + b" " * 50_000_000)
    assert len(bomb) < MAX_BYTES
    told = answer("200 OK", bomb, "Content-Type: application/json", "Content-Encoding: gzip")
    async with misbehaving(says(told)) as peer, _asking(peer) as ask:
        tracemalloc.start()
        try:
            with pytest.raises(KeysUnavailable):
                await ask()
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < 8_000_000


async def test_more_than_a_key_set_can_have_is_not_read() -> None:
    async with answering(KEYS + b" " * MAX_BYTES) as peer, _asking(peer) as ask:
        with pytest.raises(KeysUnavailable):
            await ask()


@pytest.mark.parametrize("one", MISBEHAVIOURS, ids=lambda one: one.name)
async def test_whatever_an_issuer_does_it_ends_in_time_and_names_nobody(one: Misbehaviour) -> None:
    """The client's own timeouts are for one read: a dripping peer could hold it for ever."""
    async with misbehaving(one.act) as peer, _asking(peer, HASTY_S) as ask:
        async with asyncio.timeout(HASTY_S + 20.0):
            with pytest.raises(KeysUnavailable):
                await ask()
