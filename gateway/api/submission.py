"""The body of a submission: a canonical document, and beside it an idempotency key and what it replaces."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from adapters.canonical import CanonicalDocument
from gateway.api.complaints import problem_of_validation
from gateway.api.identifiers import checked_id
from gateway.api.limits import Limits
from gateway.api.problems import malformed
from gateway.api.strict_json import parse_object

KEY_PATTERN: Final = r"[!-~]{1,255}"
"""Stripe allows 255 characters, Zuora fewer."""
_KEY: Final = re.compile(rf"\A{KEY_PATTERN}\Z")


@dataclass(frozen=True, slots=True)
class Submission:
    """What one request submits."""

    document: CanonicalDocument
    idempotency_key: str | None
    replaces: str | None


def read_submission(raw: bytes, key_header: bytes | None, model: type[CanonicalDocument], limits: Limits) -> Submission:
    """Raises `invalid-request`, `invalid-document`, `totals-disagree`."""
    members = parse_object(raw, limits)
    stated = len(members)
    in_body, replaces = members.pop("idempotencyKey", None), members.pop("replaces", None)
    if len(members) != stated:
        # Rare (keys travel in the header): the rest is the document.
        raw = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    key = _one_key(_checked_key("idempotencyKey", in_body), _key_of_header(key_header))
    if replaces is not None:
        if not isinstance(replaces, str):
            raise malformed("replaces", "is not a text", "Name the transaction that this one corrects.")
        checked_id("replaces", replaces)
    try:
        # By alias only: two spellings of one member would be two documents for two readers.
        document = model.model_validate_json(raw, by_alias=True, by_name=False)
    except ValidationError as error:
        raise problem_of_validation(error, model) from error
    return Submission(document, key, replaces)


def _key_of_header(header: bytes | None) -> str | None:
    """The key, with or without the quotes that make it a structured field (draft-ietf-httpapi-idempotency-key)."""
    if header is None:
        return None
    text = header.decode("latin-1").strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return _checked_key("Idempotency-Key", text)


def _checked_key(field: str, key: Any) -> str | None:
    if key is None:
        return None
    if not isinstance(key, str) or _KEY.match(key) is None:
        raise malformed(field, "is not 1 to 255 printable ASCII characters without blanks", "Use a UUID, for example.")
    return key


def _one_key(in_body: str | None, in_header: str | None) -> str | None:
    if in_body is not None and in_header is not None and in_body != in_header:
        raise malformed("idempotencyKey", "differs from the header Idempotency-Key", "Send one, or the same twice.")
    return in_header if in_body is None else in_body
