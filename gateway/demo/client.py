"""A caller as the API wants it: it repeats the same request with the same key until it knows how it ended.

What a caller may conclude from each answer is written in the API's description: 2xx is durable, 202 is not yet the
end and `statusUrl` tells, 429 and 503 name the time to wait, a lost connection tells nothing (so the same request is
sent again with the same key), any other 4xx is the caller's own mistake.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from adapters.canonical import CanonicalDocument
from gateway.domain.transaction import RESTING, Status

ANSWER_LIMIT_S: Final = 20.0
"""How long one answer may take, in seconds: the gateway itself answers within 8, and a loaded machine is slower."""
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
"""Pauses between tries where nobody named one: doubled from the first to the longest."""

_REPEAT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request is sent again."""


class OutOfTime(RuntimeError):
    """The overall limit is over and the fate of a document is not known."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document, as the gateway says. `status` is a transaction status, or `refused` if nothing was
    accepted, or `not_sent` if what it follows was refused. `seconds` from the first try to the end."""

    domain: str
    external_id: str
    status: str
    body: Mapping[str, Any] = field(default_factory=dict)
    tries: int = 0
    seconds: float = 0.0

    @property
    def posted(self) -> bool:
        """Whether it stands in an ERP."""
        return self.status == Status.POSTED

    @property
    def resting(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status in RESTING or self.status in {"refused", "not_sent"}

    @property
    def complaint(self) -> str:
        """Why it was not posted, in one line; "" if it was."""
        if self.posted:
            return ""
        problem = self.body.get("problem") or self.body
        return " ".join(str(problem[name]) for name in ("code", "detail") if problem.get(name)) or self.status


class Caller:
    """One client of the gateway. `key_prefix` begins its idempotency keys: other prefix, other keys, and the same
    external ids. `ends_at`: the overall limit by `time.monotonic`."""

    def __init__(self, http: httpx.AsyncClient, token: str, *, key_prefix: str, ends_at: float) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._key_prefix = key_prefix
        self._ends_at = ends_at

    async def send(self, document: CanonicalDocument) -> Outcome:
        """Submit a document and repeat until it is answered; the answer need not be its end. Raises `OutOfTime`."""
        external_id = str(document.external_id)
        begun = time.monotonic()
        headers = {
            **self._headers,
            "Content-Type": "application/json",
            "Idempotency-Key": f"{self._key_prefix}:{document.domain}:{external_id}",
        }
        content = document.model_dump_json(exclude_none=True).encode()
        tries = 0
        while True:
            tries += 1
            response = await self._try("POST", f"/v1/{document.domain}", headers, content)
            if response is not None and not _again(response):
                break
            await self._pause(response, tries)
        body = _body(response)
        return Outcome(document.domain, external_id, _status(body), body, tries, time.monotonic() - begun)

    async def settle(self, outcome: Outcome) -> Outcome:
        """Ask for a transaction until nothing more happens to it by itself. Raises `OutOfTime`."""
        begun = time.monotonic()
        asked = 0
        while not outcome.resting:
            asked += 1
            wait_s = outcome.body.get("retryAfterS")
            await self._sleep(float(wait_s) if wait_s else _pause_s(asked))
            response = await self._try("GET", str(outcome.body["statusUrl"]), self._headers)
            if response is None or response.status_code != 200:
                continue
            body = _body(response)
            outcome = Outcome(
                outcome.domain,
                outcome.external_id,
                str(body["status"]),
                body,
                outcome.tries,
                outcome.seconds + time.monotonic() - begun,
            )
        return outcome

    async def _try(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> httpx.Response | None:
        """One request; None if nobody knows what became of it."""
        try:
            return await self._http.request(method, path, headers=dict(headers), content=content)
        except httpx.TransportError:
            return None

    async def _pause(self, response: httpx.Response | None, tries: int) -> None:
        asked = "" if response is None else response.headers.get("retry-after", "")
        await self._sleep(float(asked) if asked.isdigit() else _pause_s(tries))

    async def _sleep(self, seconds: float) -> None:
        if time.monotonic() + seconds > self._ends_at:
            raise OutOfTime("the load did not end within its limit")
        await asyncio.sleep(seconds)


def _status(body: Mapping[str, Any]) -> str:
    """The transaction's status. A problem that names a transaction has it as `transactionStatus`, since `status` is
    the problem's own; a problem that names none refused the request before anything was accepted."""
    if not body.get("transactionId"):
        return "refused"
    return str(body.get("transactionStatus") or body["status"])


def _again(response: httpx.Response) -> bool:
    if response.status_code == 409:
        return _body(response).get("code") == "in-flight"
    # A problem that names its transaction is the end of that transaction, whatever its status.
    return response.status_code in _REPEAT and not _body(response).get("transactionId")


def _body(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"detail": f"HTTP {response.status_code}: {response.text[:200]}"}


def _pause_s(tries: int) -> float:
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(tries - 1, 10)))
