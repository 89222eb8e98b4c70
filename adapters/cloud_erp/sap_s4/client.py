"""Calls of SAP's OData services, and what each answer says of whether something happened.

The same for every dialect. Nothing here knows a noun.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.cloud_erp.sap_s4.group import DONE, Group, Member
from adapters.cloud_erp.sap_s4.json_answer import clipped, read_json
from adapters.cloud_erp.sap_s4.session import Session
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.wire import Address, Dialect, Entity, Row, Rows
from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.port import Permit
from adapters.transport import ErpRequest, ErpResponse

_SECONDS: Final = re.compile(r"\A[0-9]{1,6}\Z")
_MAX_MESSAGES: Final = 10
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}
_BATCH_STATUS: Final = frozenset({200, 202})
"""V2 answers a batch with 202, V4 with 200; what came of its changes stands inside."""


@dataclass(frozen=True, slots=True)
class Created:
    """An entity that was created, and the warnings that came with it."""

    row: Row
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """What was read after a group of steps was done, None if that cannot be read; and the warnings."""

    row: Row | None
    messages: tuple[str, ...]


class ODataClient:
    """One system's OData services in one dialect."""

    def __init__(self, session: Session, dialect: Dialect, settings: S4Settings) -> None:
        self._session = session
        self._settings = settings
        self.dialect = dialect

    async def create(
        self,
        address: Address,
        entity: Entity,
        permit: Permit,
        *,
        expand: Sequence[str] = (),
        check: Callable[[Row], None],
    ) -> Created:
        """Create an entity with its deep inserts, once.

        `check` raises `Garbled` if the entity in the answer is not the one that was sent. Only a 201 with such an
        entity is success.
        """
        request = ErpRequest(
            method="POST",
            path=self.dialect.path(address),
            query={"$expand": self.dialect.expand(expand)} if expand else {},
            headers={**self.dialect.headers, **_JSON},
            body=self.dialect.encode(entity),
        )
        response = await self._session.write(request, permit)
        if response.status != 201:
            raise self._refusal(response)
        row = self.dialect.entity(read_json(response), address)
        check(row)
        return Created(row, messages_of(response.headers))

    async def change(self, group: Group, permit: Permit) -> Changed:
        """Do all steps of a group or none, once, in one call.

        Success is a complete answer in which every step says that it was done. If one of them failed, all of them
        were undone, whatever the others say. 412 (changed since) and 428 (an ETag is wanted) are `Rejected`.
        """
        media_type, body = self.dialect.encode_group(group)
        batch = {**self.dialect.headers, "Accept": media_type.partition(";")[0], "Content-Type": media_type}
        request = ErpRequest(
            method="POST", path=f"{self.dialect.service_path(group.address)}$batch", headers=batch, body=body
        )
        response = await self._session.write(request, permit)
        if response.status not in _BATCH_STATUS:
            raise self._refusal(response)
        answer = self.dialect.read_group(response, group)
        failed = [self._error(one, no_such=Rejected) for one in answer.members if one.status >= 400]
        if failed:
            # The most doubtful of them counts.
            raise next((error for error in failed if error.happened is None), failed[0])
        for step, member in zip(group.steps, answer.members, strict=True):
            if member.status not in DONE[step.method]:
                raise Garbled(f"a change of the batch is answered HTTP {member.status}")
        messages = [message for member in answer.members for message in messages_of(member.headers)]
        return Changed(self._reading(group, answer.reading), tuple(messages[:_MAX_MESSAGES]))

    async def find(
        self, address: Address, condition: str, *, order: str = "", expand: Sequence[str] = (), top: int | None = None
    ) -> Rows:
        """The entities for which `$filter` holds, as many as the server gives at once and at most `top`."""
        query = {
            "$filter": condition,
            **self.dialect.format,
            "$orderby": order,
            "$expand": self.dialect.expand(expand),
            "$top": "" if top is None else str(top),
        }
        request = ErpRequest(
            method="GET",
            path=self.dialect.path(address),
            query={name: value for name, value in query.items() if value},
            headers=self.dialect.headers,
        )
        response = await self._session.read(request)
        if response.status != 200:
            raise self._refusal(response)
        rows = self.dialect.collection(read_json(response), address)
        if top is not None and len(rows.rows) > top:
            raise Garbled("the answer has more entities than were asked for")
        return rows

    async def look(self, address: Address) -> None:
        """Read the service document: that the system answers, lets us in and offers the service."""
        response = await self._session.read(
            ErpRequest(method="GET", path=self.dialect.service_path(address), headers=self.dialect.headers)
        )
        if response.status != 200:
            raise self._refusal(response)

    def _reading(self, group: Group, member: Member | None) -> Row | None:
        """The steps are done by then: what is amiss with the reading leaves them done."""
        if group.reading is None or member is None or member.status != 200 or member.answer is None:
            return None
        address, key = group.reading
        try:
            row = self.dialect.entity(member.answer, address)
            return row if all(row.text(name) == value for name, value in key.items()) else None
        except Garbled:
            return None

    def _refusal(self, response: ErpResponse) -> ErpError:
        try:
            answer: Mapping[str, object] | None = read_json(response)
        except Garbled:
            answer = None
        return self._error(Member(response.status, response.headers, answer))

    def _error(self, member: Member, *, no_such: type[ErpError] = Misconfigured) -> ErpError:
        """What an answer other than success says; `no_such` for a 404.

        Definite is: 423 and 429, the system's own busy error with 503, and a 4xx with a well-formed OData error.
        Everything else may have happened.
        """
        status = member.status
        problem = None if member.answer is None else self.dialect.problem(member.answer)
        code, message, field = (problem.code, problem.message, problem.field) if problem else (str(status), "", "")
        said = f"HTTP {status}: {message}" if message else f"HTTP {status}"
        if status == 429:
            return NotSent(said, code=code, retry_after_s=retry_after_s(member.headers), overloaded=True)
        if status == 423:
            return NotSent(said, code=code)
        if status == 503 and problem is not None and code in self._settings.busy_codes:
            return NotSent(said, code=code, retry_after_s=retry_after_s(member.headers), overloaded=True)
        if status >= 500:
            return OutcomeUnknown(said, code=code)
        if problem is not None and status == 404:
            return no_such(said, code=code, field=field)
        if problem is not None and status in {401, 403, 405}:
            # Not let in, or not served: no other document would fare better.
            return Misconfigured(said, code=code, field=field)
        if problem is not None and 400 <= status < 500:
            return Rejected(message or said, code=code, field=field)
        return Garbled(f"HTTP {status} outside the protocol", code=code)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds; None if it is missing or a date (a date needs a clock that agrees with theirs)."""
    value = headers.get("retry-after", "").strip()
    return float(value) if _SECONDS.match(value) else None


def messages_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The warnings of the `sap-message` header (SAP Help Portal: "Messages in the HTTP Header"): at most ten.

    A header that is not as described is no reason to doubt a success, so it is dropped.
    """
    text = headers.get("sap-message", "")
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
