"""Witnesses over HTTP (C2SP tlog-witness)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import httpx

from gateway.ledger.cosignature import WitnessPolicy
from gateway.ledger.note_keys import VerifierKey
from gateway.settings_ledger import WitnessSettings

ANSWER_S: Final = 2.0
"""A checkpoint waits so long for a witness, once in `cosigning.PAUSE_S` if it does not answer."""
ANSWER_BYTES: Final = 65_536


class HttpWitnesses:
    """Implements `gateway.ledger.ports.Witnesses`. What they answer is not trusted."""

    def __init__(self, settings: Sequence[WitnessSettings]) -> None:
        """Raises `Malformed`, `KeyMisused`: a key is none of a witness."""
        self.keys: tuple[VerifierKey, ...] = tuple(VerifierKey.parse(one.key) for one in settings)
        WitnessPolicy(self.keys, len(self.keys))
        self._urls: Mapping[str, str] = {
            key.name: one.url.rstrip("/") for key, one in zip(self.keys, settings, strict=True)
        }

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        """Made for the first checkpoint: without witnesses nobody needs the certificates that it loads."""
        return httpx.AsyncClient(timeout=ANSWER_S, trust_env=False, follow_redirects=False)

    async def add_checkpoint(self, name: str, body: bytes) -> tuple[int, str, bytes]:
        """See the port. Raises `ConnectionError` where there is no whole answer."""
        try:
            async with self._http.stream("POST", f"{self._urls[name]}/add-checkpoint", content=body) as answer:
                found = b""
                async for part in answer.aiter_raw():
                    found += part
                    if len(found) > ANSWER_BYTES:
                        raise ConnectionError(f"{name} answers more than {ANSWER_BYTES} bytes")
                return answer.status_code, answer.headers.get("content-type", ""), found
        except httpx.HTTPError as error:
            raise ConnectionError(f"{name}: {str(error) or type(error).__name__}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        if self.keys:
            await self._http.aclose()
