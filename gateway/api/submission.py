"""The body of a submission: a canonical document, and beside it an idempotency key, what it replaces, and the customer
that an order brings."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import ValidationError

from adapters.canonical import CanonicalDocument, Customer
from gateway.api.idempotency import idempotency_key
from gateway.api.identifiers import checked_id
from gateway.api.limits import Limits
from gateway.api.problems import malformed
from gateway.api.strict_json import parse_object
from gateway.domain.complaints import problem_of_validation
from gateway.domain.new_customer import take_new_customer


@dataclass(frozen=True, slots=True)
class Submission:
    """What one request submits."""

    document: CanonicalDocument
    idempotency_key: str | None
    replaces: str | None
    new_customer: Customer | None = None


def read_submission(raw: bytes, key_header: bytes | None, model: type[CanonicalDocument], limits: Limits) -> Submission:
    """Raises `invalid-request`, `invalid-document`, `totals-disagree`."""
    members = parse_object(raw, limits)
    stated = len(members)
    in_body, replaces = members.pop("idempotencyKey", None), members.pop("replaces", None)
    new_customer = take_new_customer(model, members)
    if len(members) != stated or new_customer is not None:
        # Rare (keys travel in the header): the rest is the document.
        raw = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    key = idempotency_key(key_header, in_body)
    if replaces is not None:
        if not isinstance(replaces, str):
            raise malformed("replaces", "is not a text", "Name the transaction that this one corrects.")
        checked_id("replaces", replaces)
    try:
        # By alias only: two spellings of one member would be two documents for two readers.
        document = model.model_validate_json(raw, by_alias=True, by_name=False)
    except ValidationError as error:
        raise problem_of_validation(error, model) from error
    return Submission(document, key, replaces, new_customer)
