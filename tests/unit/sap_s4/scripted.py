"""A transport that plays a script instead of talking, and the answers of an S/4HANA system as they were recorded.

The shapes are those of `mock-sap` 0.22 over HTTP, shortened.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import SecretStr

from adapters.canonical import ErpNumber
from adapters.cloud_erp.sap_s4.settings import Accounts, Company, S4Settings
from adapters.port import Permit
from adapters.transport import ErpRequest, ErpResponse

SYSTEM: Final = "cloud-eu"
ACCOUNTS: Final = Accounts(
    receivables="0012100000", revenue="0041000000", freight="0044000000", output_tax="0022000000", bank="0011001000"
)
SETTINGS: Final = S4Settings(
    client_id="ID", client_secret=SecretStr("s3cret"), companies={"1000": Company("1710", "1710")}, accounts=ACCOUNTS
)
TOKEN_PATH: Final = "/sap/bc/sec/oauth2/token"

Step = ErpResponse | Exception


@dataclass
class ScriptedTransport:
    """Answers each request with what `answer` says; counts, and calls permits as the real one does.

    Every send gives other tasks a turn first, so that calls made at once really overlap.
    """

    answer: Callable[[ErpRequest], Step]
    seen: list[ErpRequest] = field(default_factory=list)
    closed: bool = False

    async def send(self, request: ErpRequest, permit: Permit | None = None) -> ErpResponse:
        """Play the next step."""
        await asyncio.sleep(0)
        if permit is not None:
            permit()
        self.seen.append(request)
        step = self.answer(request)
        if isinstance(step, Exception):
            raise step
        return step

    async def aclose(self) -> None:
        """Remember it."""
        self.closed = True

    def paths(self) -> list[str]:
        """Method and last part of the path of every request."""
        return [f"{one.method} {one.path.rstrip('/').rsplit('/', 1)[-1]}" for one in self.seen]


class Erp:
    """Gives tokens as the ERP does, and `on_call` for everything else."""

    def __init__(self, on_call: Callable[[ErpRequest], Step], *, life_s: int = 3600) -> None:
        self._on_call = on_call
        self._life_s = life_s
        self.access = 0
        self.csrf = 0

    def __call__(self, request: ErpRequest) -> Step:
        """One answer."""
        if request.path == TOKEN_PATH:
            self.access += 1
            return as_json({"access_token": f"sap-{self.access}", "token_type": "Bearer", "expires_in": self._life_s})
        if request.headers.get("Authorization") != f"Bearer sap-{self.access}":
            return problem(401, "The access token expired")
        if request.headers.get("X-CSRF-Token") == "Fetch":
            self.csrf += 1
            return as_json(
                {"d": {"EntitySets": []}},
                headers={"x-csrf-token": f"csrf-{self.csrf}"},
                cookies=(f"SAP_SESSIONID_MCK_100=session-{self.csrf}; path=/; HttpOnly", "sap-usercontext=x; path=/"),
            )
        if request.method != "GET" and request.headers.get("X-CSRF-Token") != f"csrf-{self.csrf}":
            return csrf_required()
        return self._on_call(request)


def as_json(
    body: Any, status: int = 200, *, headers: Mapping[str, str] | None = None, cookies: tuple[str, ...] = ()
) -> ErpResponse:
    """An answer in JSON."""
    all_headers = {"content-type": "application/json;charset=utf-8", **(headers or {})}
    return ErpResponse(status, all_headers, json.dumps(body).encode(), cookies)


def problem(status: int, message: str, code: str = "/IWBEP/CX_MGW_BUSI_EXCEPTION", target: str = "") -> ErpResponse:
    """The error envelope of SAP Gateway."""
    detail = {"code": code, "message": message, "propertyref": target, "severity": "error", "target": target}
    body = {
        "error": {
            "code": code,
            "message": {"lang": "en", "value": message},
            "innererror": {"transactionid": "0", "errordetails": [detail]},
        }
    }
    return as_json(body, status)


def csrf_required() -> ErpResponse:
    """The refusal of a CSRF token."""
    answer = problem(403, "CSRF token validation failed", "/IWFND/CM_CSRF")
    return ErpResponse(403, {**answer.headers, "x-csrf-token": "Required"}, answer.body)


def html(status: int = 200) -> ErpResponse:
    """What a proxy says in between."""
    return ErpResponse(status, {"content-type": "text/html"}, b"<html><body>Service Unavailable</body></html>")


def number(document_type: str, text: str, system_id: str = SYSTEM) -> ErpNumber:
    """A number there."""
    return ErpNumber(system_id=system_id, document_type=document_type, document_number=text)


_SCALES: Final = (
    "NetAmount RequestedQuantity ConditionRateValue ConditionQuantity ConditionBaseValue ConditionAmount "
    "AmountInTransactionCurrency TotalNetAmount"
).split()
_INITIAL: Final[dict[str, dict[str, Any]]] = {
    "to_PricingElement": {"ConditionRateValue": "0", "ConditionQuantity": "0", "ConditionAmount": "0"},
}


def as_served(entity: Mapping[str, Any], kind: str = "") -> dict[str, Any]:
    """An entity as the ERP gives back what it was sent: initial values filled in, decimals at three places."""
    row: dict[str, Any] = {"__metadata": {"etag": 'W/"1"'}, **_INITIAL.get(kind, {}), **entity}
    for name, value in row.items():
        if name in _SCALES:
            row[name] = f"{float(value):.3f}" if len(value) < 15 else value
        elif isinstance(value, dict) and "results" in value:
            row[name] = {"results": [as_served(child, name) for child in value["results"]]}
    return row
