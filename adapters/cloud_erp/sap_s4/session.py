"""Being let in: an OAuth 2.0 access token, and the CSRF token with the cookies it belongs to.

Sources: RFC 6749 section 4.4 (client credentials), RFC 6750 section 3 (401 `invalid_token`); SAP Help Portal
"OAuth 2.0: AS ABAP token endpoint" and "Cross-Site Request Forgery Protection" (`X-CSRF-Token: Fetch` on a reading
call; 403 with `X-CSRF-Token: Required` if it is missing or has ended; it is bound to the session's cookies).

Both are state that no posting depends on: they are fetched when missing and fetched again when refused.
"""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Generic, TypeVar

from adapters.cloud_erp.sap_s4.json_answer import read_json
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.errors import ErpError, Garbled, Misconfigured, NotSent
from adapters.port import Permit
from adapters.transport import ErpRequest, ErpResponse, Transport

_TOKEN: Final = re.compile(r"\A[!-~]{1,16384}\Z")
"""Visible ASCII: anything else in a header would be another header."""
_COOKIE: Final = re.compile(r"\A\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([^\x00-\x20\x7f-\U0010ffff;,\\]*)")
_NO_TOKEN: Final = ""
_LONGEST_LIFE_S: Final = 86_400.0
"""No token is believed to live longer than a day, in seconds, whatever `expires_in` says."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token, and when to stop using it (seconds of the session's clock)."""

    value: str
    renew_at: float


@dataclass(frozen=True, slots=True)
class CsrfToken:
    """A CSRF token with the `Cookie` header of its session; an empty value where the system asks for none."""

    value: str
    cookie: str


class SingleFlight(Generic[T]):
    """Runs `fetch` once however many ask at the same time; all get its result or its error.

    A caller that is cancelled leaves it running for the others.
    """

    def __init__(self, fetch: Callable[[], Awaitable[T]]) -> None:
        self._fetch = fetch
        self._running: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """The result of the run that is under way, or of a new one."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
            self._running.add_done_callback(_look_at)
        return await asyncio.shield(self._running)

    async def aclose(self) -> None:
        """End a run that is under way."""
        if self._running is not None and not self._running.done():
            self._running.cancel()
            await asyncio.wait({self._running})

    async def _run(self) -> T:
        return await self._fetch()


class Session:
    """Sends requests with what the system wants to see of us."""

    def __init__(
        self,
        transport: Transport,
        settings: S4Settings,
        headers: Mapping[str, str],
        csrf_path: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`csrf_path` is read with `headers` to fetch a CSRF token; `clock` counts seconds."""
        self._transport = transport
        self._settings = settings
        self._headers = {"sap-client": settings.sap_client} if settings.sap_client else {}
        self._csrf_headers = {**headers, "X-CSRF-Token": "Fetch"}
        self._csrf_path = csrf_path
        self._clock = clock
        self._access: AccessToken | None = None
        self._csrf: CsrfToken | None = None
        self._fetch_access = SingleFlight(self._new_access)
        self._fetch_csrf = SingleFlight(self._new_csrf)

    async def read(self, request: ErpRequest) -> ErpResponse:
        """Send a reading request; once more with a new access token if it is answered 401."""
        token = await self._current_access()
        response = await self._transport.send(self._with(request, token))
        if response.status != 401:
            return response
        token = await self._renewed_access(token)
        response = await self._transport.send(self._with(request, token))
        if response.status == 401:
            raise Misconfigured("the system refuses an access token that it has just given", code="401")
        return response

    async def write(self, request: ErpRequest, permit: Permit) -> ErpResponse:
        """Send a request that changes something. `permit` is asked before each sending.

        It is sent again only where the answer proves that the request was not processed: once after a 401 (the bearer
        token is checked first), once after a 403 with `X-CSRF-Token: Required`. A system that refuses what it has just
        given us is `Misconfigured`. Whatever fails while tokens are fetched is `NotSent` or `Misconfigured`: the
        request itself was never processed.
        """
        csrf = await self._current_csrf()
        token = await self._current_access()
        may_renew_access = may_renew_csrf = True
        while True:
            response = await self._transport.send(self._with(request, token, csrf), permit)
            if response.status == 401:
                if not may_renew_access:
                    raise Misconfigured("the system refuses an access token that it has just given", code="401")
                may_renew_access = False
                token = await self._renewed_access(token)
            elif wants_csrf(response):
                if not may_renew_csrf:
                    raise Misconfigured("the system refuses a CSRF token that it has just given", code="403")
                may_renew_csrf = False
                csrf = await self._renewed_csrf(csrf)
            else:
                return response

    async def aclose(self) -> None:
        """End what is being fetched."""
        await self._fetch_access.aclose()
        await self._fetch_csrf.aclose()

    def _with(self, request: ErpRequest, token: AccessToken, csrf: CsrfToken | None = None) -> ErpRequest:
        headers = {**self._headers, **request.headers, "Authorization": f"Bearer {token.value}"}
        if csrf is not None:
            if csrf.value:
                headers["X-CSRF-Token"] = csrf.value
            if csrf.cookie:
                headers["Cookie"] = csrf.cookie
        return replace(request, headers=headers)

    async def _current_access(self) -> AccessToken:
        token = self._access
        if token is not None and self._clock() < token.renew_at:
            return token
        return await self._fetch_access()

    async def _renewed_access(self, refused: AccessToken) -> AccessToken:
        """Another token than the refused one; a token that someone else has fetched meanwhile will do."""
        if self._access is refused:
            self._access = None
        return await self._current_access()

    async def _current_csrf(self) -> CsrfToken:
        return self._csrf if self._csrf is not None else await self._fetch_csrf()

    async def _renewed_csrf(self, refused: CsrfToken) -> CsrfToken:
        if self._csrf is refused:
            self._csrf = None
        return await self._current_csrf()

    async def _new_access(self) -> AccessToken:
        asked_at = self._clock()
        login = base64.b64encode(
            f"{self._settings.client_id}:{self._settings.client_secret.get_secret_value()}".encode()
        ).decode()
        request = ErpRequest(
            method="POST",
            path=self._settings.token_path,
            headers={
                "Authorization": f"Basic {login}",
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            body=b"grant_type=client_credentials",
        )
        response = await _before_posting("the access token", self._transport.send(request))
        if response.status != 200:
            raise _refused_set_up("the access token", response)
        self._access = self._access_token(response, asked_at)
        return self._access

    def _access_token(self, response: ErpResponse, asked_at: float) -> AccessToken:
        """Read RFC 6749 section 5.1. The life is counted from before the request was sent."""
        try:
            answer = read_json(response)
        except Garbled as garbled:
            raise Misconfigured(f"the access token: {garbled.message}") from None
        value, kind, life = answer.get("access_token"), answer.get("token_type"), answer.get("expires_in")
        if not isinstance(value, str) or _TOKEN.match(value) is None:
            raise Misconfigured("the access token: the answer holds none")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise Misconfigured("the access token: it is not a bearer token")
        # expires_in is optional; without it the token is used until it is refused.
        life_s = min(float(life), _LONGEST_LIFE_S) if isinstance(life, Decimal) and life > 0 else _LONGEST_LIFE_S
        return AccessToken(value, asked_at + life_s - min(self._settings.token_margin_s, life_s / 5))

    async def _new_csrf(self) -> CsrfToken:
        request = ErpRequest(method="GET", path=self._csrf_path, headers=self._csrf_headers)
        response = await _before_posting("the CSRF token", self.read(request))
        if response.status != 200:
            raise _refused_set_up("the CSRF token", response)
        # A system with the check switched off gives no token; the call is then sent without one.
        value = response.headers.get("x-csrf-token", _NO_TOKEN)
        if value and _TOKEN.match(value) is None:
            raise Misconfigured("the CSRF token: it is not a header value")
        self._csrf = CsrfToken(value, cookie_header(response.cookies))
        return self._csrf


def wants_csrf(response: ErpResponse) -> bool:
    """True for the refusal of a missing or ended CSRF token, which is given before processing."""
    return response.status == 403 and response.headers.get("x-csrf-token", "").strip().lower() == "required"


def cookie_header(set_cookies: tuple[str, ...]) -> str:
    """The `Cookie` header that gives back what `Set-Cookie` set, the last of each name; "" if there is none.

    Attributes are left aside: all calls go to one host, and the cookies live no longer than the token they came with.
    """
    jar: dict[str, str] = {}
    for line in set_cookies:
        if (match := _COOKIE.match(line)) is not None:
            jar[match[1]] = match[2]
    return "; ".join(f"{name}={value}" for name, value in jar.items())


async def _before_posting(what: str, sending: Awaitable[ErpResponse]) -> ErpResponse:
    """Await a set-up call. However it fails, nothing was posted by it."""
    try:
        return await sending
    except (NotSent, Misconfigured):
        raise
    except Garbled as garbled:
        raise Misconfigured(f"{what}: {garbled.message}") from None
    except ErpError as failed:
        raise NotSent(f"{what}: {failed.message}") from None


def _refused_set_up(what: str, response: ErpResponse) -> ErpError:
    """What the refusal of a set-up call means: a server that is busy or broken may recover, a refusal will not."""
    if response.status in {408, 425, 429} or response.status >= 500:
        overloaded = response.status in {429, 503}
        return NotSent(f"{what}: HTTP {response.status}", code=str(response.status), overloaded=overloaded)
    return Misconfigured(f"{what}: HTTP {response.status}", code=str(response.status))


def _look_at(task: asyncio.Task[T]) -> None:
    """Every waiter may have been cancelled; an error that nobody took is not to be reported as forgotten."""
    if not task.cancelled():
        task.exception()
