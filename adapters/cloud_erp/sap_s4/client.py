"""Calls of SAP's OData services, and what each answer says of whether something happened.

The same for every dialect. Nothing here knows a noun.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn
from urllib.parse import quote

from adapters.cloud_erp.sap_s4.session import Session
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.wire import Address, Dialect, Entity, Row, Rows, clipped, text_literal
from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.port import Permit
from adapters.transport import ErpRequest, ErpResponse

_SECONDS: Final = re.compile(r"\A[0-9]{1,6}\Z")
_MAX_MESSAGES: Final = 10
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Created:
    """An entity that was created, and the warnings that came with it."""

    row: Row
    messages: tuple[str, ...]


class ODataClient:
    """One system's OData services in one dialect."""

    def __init__(self, session: Session, dialect: Dialect, settings: S4Settings) -> None:
        self._session = session
        self._dialect = dialect
        self._settings = settings

    async def create(
        self,
        address: Address,
        entity: Entity,
        permit: Permit,
        *,
        expand: str = "",
        check: Callable[[Row], None],
    ) -> Created:
        """Create an entity with its deep inserts, once.

        `check` raises `Garbled` if the entity in the answer is not the one that was sent. Only a 201 with such an
        entity is success.
        """
        request = ErpRequest(
            method="POST",
            path=self._dialect.path(address),
            query={"$expand": expand} if expand else {},
            headers={**self._dialect.headers, **_JSON},
            body=self._dialect.encode(entity),
        )
        response = await self._session.write(request, permit)
        if response.status != 201:
            self._raise(response)
        row = self._dialect.entity(response)
        check(row)
        return Created(row, messages_of(response))

    async def change(
        self, address: Address, key: Mapping[str, str], etag: str, entity: Entity, permit: Permit
    ) -> tuple[str, ...]:
        """Change an entity as it was when `etag` was read, once. Returns the warnings.

        412 (changed since) and 428 (the system wants an ETag and got none) are `Rejected`: nothing was changed.
        """
        predicate = ",".join(f"{name}={text_literal(value)}" for name, value in key.items())
        request = ErpRequest(
            method="PATCH",
            path=f"{self._dialect.path(address)}({quote(predicate, safe='=,')})",
            headers={**self._dialect.headers, **_JSON, **({"If-Match": etag} if etag else {})},
            body=self._dialect.encode(entity),
        )
        response = await self._session.write(request, permit)
        if response.status != 204:
            self._raise(response, no_such=Rejected)
        return messages_of(response)

    async def find(
        self, address: Address, condition: str, *, order: str = "", expand: str = "", top: int | None = None
    ) -> Rows:
        """The entities for which `$filter` holds, as many as the server gives at once and at most `top`."""
        query = {"$filter": condition, "$format": "json"}
        if order:
            query["$orderby"] = order
        if expand:
            query["$expand"] = expand
        if top is not None:
            query["$top"] = str(top)
        request = ErpRequest(
            method="GET",
            path=self._dialect.path(address),
            query={name: value for name, value in query.items() if value},
            headers=self._dialect.headers,
        )
        response = await self._session.read(request)
        if response.status != 200:
            self._raise(response)
        rows = self._dialect.collection(response)
        if top is not None and len(rows.rows) > top:
            raise Garbled("the answer has more entities than were asked for")
        return rows

    async def look(self, address: Address) -> None:
        """Read the service document: that the system answers, lets us in and offers the service."""
        response = await self._session.read(
            ErpRequest(method="GET", path=self._dialect.service_path(address), headers=self._dialect.headers)
        )
        if response.status != 200:
            self._raise(response)

    def _raise(self, response: ErpResponse, *, no_such: type[ErpError] = Misconfigured) -> NoReturn:
        """Raise what an answer other than success says; `no_such` for a 404.

        Definite is: 423 and 429, the system's own busy error with 503, and a 4xx with a well-formed OData error.
        Everything else may have happened.
        """
        status = response.status
        problem = self._dialect.problem(response)
        code, message, field = (problem.code, problem.message, problem.field) if problem else (str(status), "", "")
        said = f"HTTP {status}: {message}" if message else f"HTTP {status}"
        if status == 429:
            raise NotSent(said, code=code, retry_after_s=retry_after_s(response))
        if status == 423:
            raise NotSent(said, code=code)
        if status == 503 and problem is not None and code in self._settings.busy_codes:
            raise NotSent(said, code=code, retry_after_s=retry_after_s(response))
        if status >= 500:
            raise OutcomeUnknown(said, code=code)
        if problem is not None and status == 404:
            raise no_such(said, code=code, field=field)
        if problem is not None and status in {401, 403, 405}:
            # Not let in, or not served: no other document would fare better.
            raise Misconfigured(said, code=code, field=field)
        if problem is not None and 400 <= status < 500:
            raise Rejected(message or said, code=code, field=field)
        raise Garbled(f"HTTP {status} outside the protocol", code=code)


def retry_after_s(response: ErpResponse) -> float | None:
    """`Retry-After` in seconds; None if it is missing or a date (a date needs a clock that agrees with theirs)."""
    value = response.headers.get("retry-after", "").strip()
    return float(value) if _SECONDS.match(value) else None


def messages_of(response: ErpResponse) -> tuple[str, ...]:
    """The warnings of the `sap-message` header (SAP Help Portal: "Messages in the HTTP Header"): at most ten.

    A header that is not as described is no reason to doubt a success, so it is dropped.
    """
    text = response.headers.get("sap-message", "")
    if not text:
        return ()
    try:
        head = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(head, dict):
        return ()
    details = head.get("details")
    found = [head, *(details if isinstance(details, list) else ())]
    return tuple(
        clipped(f"{item.get('code', '')} {item['message']}".strip())
        for item in found[:_MAX_MESSAGES]
        if isinstance(item, dict) and isinstance(item.get("message"), str)
    )
