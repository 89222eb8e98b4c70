"""The bodies of a cancellation and of a reversal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from adapters.canonical import CanonicalModel
from adapters.port import Operation
from gateway.api.limits import Limits
from gateway.api.strict_json import parse_object
from gateway.domain.complaints import problem_of_validation

Reason = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["Ordered twice"])]


class Cancellation(CanonicalModel):
    """Calls a document off before anything followed from it. `reason`: for people; kept beside the ledger."""

    reason: Reason


class Reversal(CanonicalModel):
    """Undoes a posted document by its mirror. `posting_date`: the mirror's; left out, that of the original."""

    reason: Reason
    posting_date: date | None = None


Undoing = Literal[Operation.CANCEL, Operation.REVERSE]
UNDOINGS: Final[Mapping[Undoing, type[Cancellation | Reversal]]] = {
    Operation.CANCEL: Cancellation,
    Operation.REVERSE: Reversal,
}
"""The body of each."""


@dataclass(frozen=True, slots=True)
class RequestedUndo:
    """`idempotency_key`, `if_match`: the members, as they were sent."""

    reason: str
    posting_date: date | None
    idempotency_key: Any
    if_match: Any


def read_undo(raw: bytes, model: type[Cancellation | Reversal], limits: Limits) -> RequestedUndo:
    """Raises `invalid-request`, `invalid-document`."""
    members = parse_object(raw, limits)
    key, if_match = members.pop("idempotencyKey", None), members.pop("ifMatch", None)
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    try:
        asked = model.model_validate_json(text, by_alias=True, by_name=False)
    except ValidationError as error:
        raise problem_of_validation(error, model) from error
    return RequestedUndo(asked.reason, getattr(asked, "posting_date", None), key, if_match)
