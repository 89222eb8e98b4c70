"""From what a batch or a message holds to a command."""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from adapters.canonical import DOMAINS
from gateway.api.idempotency import idempotency_key
from gateway.api.limits import Limits
from gateway.api.problems import malformed, problem_body
from gateway.api.strict_json import parse_object
from gateway.domain.caller import Caller
from gateway.domain.complaints import problem_of_validation
from gateway.domain.lanes import Queueing
from gateway.domain.new_customer import take_new_customer
from gateway.errors import Problem
from gateway.transactions.commands import Create

_NULL: Final = b"null"
_encode: Final = msgspec.json.Encoder().encode

_MEMBERS: Final = ("domain", "document", "idempotencyKey")


@dataclass(frozen=True, slots=True)
class DocumentReader:
    """Reads the documents of one caller, all queued alike. `served`: domains that the rulebook in force has."""

    caller: Caller
    served: Container[str]
    queueing: Queueing
    limits: Limits
    traceparent: str = ""

    def of_line(self, raw: bytes) -> Create:
        """The command of a line `{domain, document, idempotencyKey?}`.

        Raises Problem: invalid-request, domain-not-served, invalid-document, totals-disagree.
        """
        members = parse_object(raw, self.limits)
        for name in members:
            if name not in _MEMBERS:
                raise malformed(name[:64], "is not a member of a line", f"Use {', '.join(_MEMBERS)}.")
        return self.of_members(members.get("domain"), members.get("document"), members.get("idempotencyKey"))

    def of_members(self, domain: Any, document: Any, key: Any) -> Create:
        """The same of what was parsed already."""
        model = DOMAINS.get(domain) if isinstance(domain, str) else None
        if model is None:
            raise malformed("domain", "is missing or no domain", f"Use one of {', '.join(DOMAINS)}.")
        if domain not in self.served:
            raise Problem("domain-not-served", f"The rulebook has no table for {domain!r}.")
        if not isinstance(document, dict):
            raise malformed("document", "is missing or no object", "Send the document as it would be submitted alone.")
        document = dict(document)
        new_customer = take_new_customer(model, document)
        body = _written(document)
        try:
            # By alias only, and in JSON's own terms: as a document that is submitted alone.
            read = model.model_validate_json(body, by_alias=True, by_name=False)
        except ValidationError as error:
            raise problem_of_validation(error, model) from error
        return Create(
            caller=self.caller,
            document=read,
            idempotency_key=idempotency_key(None, key),
            traceparent=self.traceparent,
            queueing=self.queueing,
            new_customer=new_customer,
        )


def _written(document: dict[str, Any]) -> bytes:
    """The document as JSON again, for a parser that reads JSON's own terms. msgspec is ten times as fast as the
    standard library, but writes an infinite number (1e999) as null, and no lone surrogate."""
    try:
        body = _encode(document)
    except UnicodeEncodeError:
        body = _NULL
    if _NULL in body:
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return body


def told(problem: Problem, instance: str, trace_id: str) -> dict[str, Any]:
    """The RFC 9457 body of a refusal. `instance`: the address or subject of what was refused."""
    return problem_body(problem, instance, trace_id)
