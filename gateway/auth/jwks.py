"""An issuer's keys, fetched from its JWKS address and kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Final

import httpx
import structlog

from gateway.auth.errors import KeysUnavailable
from gateway.auth.keys import VerificationKey, keys_from_jwks

MAX_BYTES: Final = 262_144
"""A JWK set of a hundred 4096 bit RSA keys with certificates stays below this."""
FETCH_TIMEOUT_S: Final = 5.0
"""For one fetch in all, however slowly the answer drips."""
FRESH_S: Final = 600.0
"""After this long the keys are asked for again."""
USABLE_S: Final = 86_400.0
"""For this long keys that were read once are used although the issuer does not answer."""
REFETCH_S: Final = 30.0
"""At most one fetch in this time, however many tokens name unknown keys or however often the issuer fails."""

_log = structlog.get_logger("gateway.auth")


class RemoteKeys:
    """Keys behind an https address (plain http only on the loopback interface).

    `monotonic`: seconds of a clock; should it go back, the keys are asked for again. `fetch_s`: seconds for one fetch
    in all. `transport`: for tests; the default dials.
    """

    def __init__(
        self,
        url: str,
        monotonic: Callable[[], float],
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        fetch_s: float = FETCH_TIMEOUT_S,
    ) -> None:
        address = httpx.URL(url)
        if address.scheme != "https" and address.host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError("keys are read over https only")
        self._url = address
        self._monotonic = monotonic
        self._fetch_s = fetch_s
        # Environment proxies and redirects would let others choose whose keys are believed.
        self._client = httpx.AsyncClient(
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            timeout=fetch_s,
            headers={"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"},
        )
        self._keys: dict[str, VerificationKey] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._fetching = asyncio.Lock()

    async def key(self, key_id: str) -> VerificationKey | None:
        """The key of that id. Raises KeysUnavailable if none was ever read, or not for `USABLE_S`."""
        if not self._is_younger_than(FRESH_S) or key_id not in self._keys:
            await self._refresh(key_id)
        if not self._is_younger_than(USABLE_S):
            raise KeysUnavailable("The issuer's keys cannot be read.")
        return self._keys.get(key_id)

    async def aclose(self) -> None:
        """Give back connections."""
        await self._client.aclose()

    def _is_younger_than(self, seconds: float) -> bool:
        return self._read_at is not None and 0.0 <= self._monotonic() - self._read_at < seconds

    async def _refresh(self, key_id: str) -> None:
        async with self._fetching:
            now = self._monotonic()
            if self._is_younger_than(FRESH_S) and key_id in self._keys:
                return  # another request fetched it while this one waited
            if self._tried_at is not None and 0.0 <= now - self._tried_at < REFETCH_S:
                return
            self._tried_at = now
            try:
                async with asyncio.timeout(self._fetch_s):
                    self._keys = keys_from_jwks(await self._fetch())
            except (httpx.HTTPError, TimeoutError, ValueError) as error:
                _log.warning("issuer_keys_unreadable", reason=type(error).__name__, kept=len(self._keys))
                return
            self._read_at = self._monotonic()

    async def _fetch(self) -> dict[str, object]:
        async with self._client.stream("GET", self._url) as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"status {response.status_code}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise ValueError("a compressed answer has no size that can be limited")
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > MAX_BYTES:
                    raise ValueError("the answer is too large")
        try:
            jwks = json.loads(bytes(body))
        except RecursionError as error:
            raise ValueError("the answer is nested too deeply") from error
        if not isinstance(jwks, dict):
            raise ValueError("the answer is no JWK set")
        return jwks
