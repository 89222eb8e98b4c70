"""What an HTTP answer to a function call means: it happened, it was refused, or nobody knows.

Sources: BAPI Programming Guide, "Return Parameter" (BAPIRET2: TYPE S, I and W are no errors; E and A are; RETURN may
be a table, a single structure or empty); SAP Gateway, "Error Response" (the envelope in which the HTTP layer answers
before a function runs). Definite is only what those two say; a SOAP fault of a posting function is not, because a
fault can come after the document's header was written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.errors import Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.legacy_erp.sap_ecc.wire import Answer, Fault, Function, Unreadable, clean, parse, text_of
from adapters.transport import ErpResponse

BUSY_CODE: Final = "/IWFND/CM_MGW_RT"
"""With status 503: no dialog work process was free, so nothing was begun."""
_WRONG_CLIENT: Final = "/IWFND/CM_CONSUMER"
_MISMAPPED: Final = frozenset(
    {
        "TABLE_NOT_AVAILABLE",
        "FIELD_NOT_VALID",
        "OPTION_NOT_VALID",
        "NOT_AUTHORIZED",
        "RFC_ERROR_FUNCTION_NOT_FOUND",
    }
)
"""Exceptions of reading functions that no repetition mends."""
_MESSAGES: Final = 20
_MESSAGE_LENGTH: Final = 220
"""BAPIRET2-MESSAGE."""
_ENVELOPE_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Message:
    """One row of RETURN. `code` is message class and number as SAP prints them, e.g. `V1/033`."""

    kind: str
    code: str
    field: str
    text: str


def read_answer(function: Function, response: ErpResponse, *, posts: bool) -> Answer:
    """The answer of `function`; anything else is raised as what it means.

    `posts`: the function may have posted something, so a fault of it is unknown and not a mistake of ours.
    """
    raise_refusal(response)
    content_type = response.headers.get("content-type", "")
    try:
        answer = parse(function, content_type, response.body)
    except Unreadable as error:
        if response.status >= 400:
            raise OutcomeUnknown(f"{function.name}: HTTP {response.status} without an answer of the ERP") from error
        raise Garbled(f"{function.name}: {error}") from error
    if isinstance(answer, Fault):
        if not posts and answer.name in _MISMAPPED:
            raise Misconfigured(f"{function.name}: {answer.text}", code=answer.name)
        raise OutcomeUnknown(f"{function.name}: SOAP fault: {answer.text}", code=answer.name)
    if response.status != 200:
        raise OutcomeUnknown(f"{function.name}: an answer with HTTP {response.status}")
    return answer


def raise_refusal(response: ErpResponse) -> None:
    """Raise what the HTTP layer said in the place of an answer; nothing if it said nothing."""
    if response.status == 401:
        raise Misconfigured("the ERP refuses the credentials", code="401")
    if response.status == 403 and response.headers.get("x-csrf-token", "").lower() == "required":
        raise Misconfigured("the ERP wants a CSRF token, which these addresses do not hand out", code="403")
    envelope = _envelope(response)
    if response.status in {423, 429}:
        code, message = envelope or ("", "")
        raise NotSent(
            message or "the ERP is locked or busy",
            code=code or str(response.status),
            retry_after_s=_wait(response),
            overloaded=response.status == 429,
        )
    if envelope is not None:
        raise _refused(response, *envelope)


def saved(found: tuple[Message, ...]) -> bool:
    """True if a change says that the document was saved (V1/311). One that says neither that nor why not did nothing
    that could be relied on: a change whose fields nobody flagged is answered with a warning."""
    return any(message.kind == "S" and message.code == "V1/311" for message in found)


def messages(answer: Answer) -> tuple[Message, ...]:
    """The rows of RETURN; an empty one or an initial row says nothing. Raises `Unreadable` for an unknown TYPE, and
    if there is no RETURN at all."""
    if not answer.has("RETURN"):
        raise Unreadable("the answer has no RETURN")
    found = []
    for row in answer.rows("RETURN"):
        kind = text_of(row, "TYPE").strip()
        text = clean(text_of(row, "MESSAGE"), _MESSAGE_LENGTH)
        if not kind and not text:
            continue
        if kind not in {"S", "I", "W", "E", "A"}:
            raise Unreadable("a row of RETURN has an unknown TYPE")
        number = text_of(row, "NUMBER").strip()
        found.append(Message(kind, clean(f"{text_of(row, 'ID')}/{number}", 30), _field(row), text))
    return tuple(found)


def refusal(found: tuple[Message, ...], lock_messages: frozenset[tuple[str, str]]) -> Rejected | NotSent | None:
    """What E or A in RETURN come to: a lock held by somebody else is to be tried again, all others are refusals."""
    errors = [message for message in found if message.kind in {"E", "A"}]
    if not errors:
        return None
    locked = {"/".join(pair) for pair in lock_messages}
    held = next((message for message in errors if message.code in locked), None)
    if held is not None:
        return NotSent(held.text, code=held.code, field=held.field)
    text = "; ".join(message.text for message in errors[:3])
    return Rejected(text, code=errors[0].code, field=errors[0].field)


def remarks(found: tuple[Message, ...]) -> tuple[str, ...]:
    """Warnings and information of a call that worked, bounded."""
    return tuple(f"{message.code} {message.text}" for message in found if message.kind in {"W", "I"})[:_MESSAGES]


def _field(row: Mapping[str, object]) -> str:
    """PARAMETER[ROW].FIELD of BAPIRET2, as far as they are given."""
    parameter, line, field = (text_of(row, name).strip() for name in ("PARAMETER", "ROW", "FIELD"))
    place = f"{parameter}[{line}]" if parameter and line.strip("0") else parameter
    return clean(".".join(part for part in (place, field) if part), 80)


def _refused(response: ErpResponse, code: str, message: str) -> Exception:
    """What the HTTP layer's own error envelope means. Below 500 it is definite, by contract of that layer."""
    status = response.status
    if status == 503 and code == BUSY_CODE:
        return NotSent(message, code=code, retry_after_s=_wait(response), overloaded=True)
    if status >= 500 or status < 400:
        return OutcomeUnknown(f"HTTP {status}: {message}", code=code)
    # Authorisation, address, token and client are for operations: no caller can mend them.
    if status in {403, 404, 405} or code == _WRONG_CLIENT:
        return Misconfigured(message, code=code)
    return Rejected(message, code=code)


def _envelope(response: ErpResponse) -> tuple[str, str] | None:
    """Code and message of an OData error envelope, None if the answer is not one."""
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" or len(response.body) > _ENVELOPE_BYTES:
        return None
    try:
        error = json.loads(response.body.decode("utf-8"))["error"]
        code, message = error["code"], error["message"]
        text = message["value"] if isinstance(message, dict) else message
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not (isinstance(code, str) and isinstance(text, str)):
        return None
    return clean(code, 60), clean(text, _MESSAGE_LENGTH)


def _wait(response: ErpResponse) -> float | None:
    """Retry-After in seconds (RFC 9110, 10.2.3); None if absent or a date."""
    value = response.headers.get("retry-after", "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 7 else None
