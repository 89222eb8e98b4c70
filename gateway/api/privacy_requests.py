"""What requests about erasures and legal holds share: who may send them, and how one asks for something once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from gateway.api.draft_requests import BODY, KEYED
from gateway.api.guard import any_scope_of
from gateway.api.operations import Operation

READS: Final = any_scope_of("ledger:read", "operations:act")
ACTS: Final = any_scope_of("operations:act")
_ASKING: Final = (
    *BODY,
    "missing-idempotency-key",
    "idempotency-key-reused",
    "in-flight",
    "not-found",
    "out-of-scope",
    "policy-check-failed",
)


def asking(
    body: type[BaseModel], answer: type[BaseModel], example: Mapping[str, Any], shown: Mapping[str, Any]
) -> Operation:
    """A request that asks once, by its key: 201, and 200 to a repeat. `example`: the body; `shown`: the answer."""
    return Operation(
        body=body,
        answers={201: answer, 200: answer},
        headers=KEYED,
        problems=_ASKING,
        example=example,
        answer_examples={201: shown, 200: {**shown, "replayed": True}},
    )
