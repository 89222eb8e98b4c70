"""What is drawn before a unit runs, so that the unit may be run again with the same ids and salt."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from adapters.canonical import CanonicalDocument
from gateway.domain.identity import content_hash
from gateway.transactions.commands import Cancel, Change, Create, Reverse
from gateway.transactions.parts import LineParts, Tools

OPERATION = "create"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is made before the unit runs: ids, salt, the canonical body and its hash. `customer`: the same of the
    customer that comes with an order."""

    transaction_id: str
    document_id: str
    lineage_id: str
    payload_id: str
    salt: bytes
    body: bytes
    content_hash: str
    trace_id: str
    customer: Draft | None = None

    @classmethod
    def of(cls, command: Create, parts: LineParts) -> Draft:
        """Draw the ids for this command."""
        trace_id = _trace_id(command.traceparent, parts.tools)
        if command.new_customer is None:
            return cls._of(command.document, parts.tools, trace_id)
        # first, because ids are ordered by time, and it is done first
        customer = cls._of(command.new_customer, parts.tools, trace_id)
        return replace(cls._of(command.document, parts.tools, trace_id), customer=customer)

    @classmethod
    def _of(cls, document: CanonicalDocument, tools: Tools, trace_id: str) -> Draft:
        body = document.model_dump_json(exclude_none=True).encode()
        return cls(
            transaction_id=tools.ids.new("txn"),
            document_id=tools.ids.new("doc"),
            lineage_id=tools.ids.new("lin"),
            payload_id=tools.ids.new("pay"),
            salt=tools.randomness.salt(),
            body=body,
            content_hash=content_hash(body),
            trace_id=trace_id,
        )


@dataclass(frozen=True, slots=True)
class OperationDraft:
    """The same for a change, cancellation or reversal. `asked`: what was asked for, as canonical JSON."""

    operation: str
    transaction_id: str
    payload_id: str
    salt: bytes
    asked: bytes
    content_hash: str
    trace_id: str

    @classmethod
    def of(cls, command: Change | Cancel | Reverse, parts: LineParts) -> OperationDraft:
        """Draw the ids for this command."""
        tools = parts.tools
        operation, members = _asked(command)
        asked = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
        return cls(
            operation=operation,
            transaction_id=tools.ids.new("txn"),
            payload_id=tools.ids.new("pay"),
            salt=tools.randomness.salt(),
            asked=asked,
            content_hash=content_hash(asked),
            trace_id=_trace_id(command.traceparent, tools),
        )


def _asked(command: Change | Cancel | Reverse) -> tuple[str, dict[str, object]]:
    """Without `if_match`: the same request is repeated with a newer etag too, and is still the same."""
    match command:
        case Change():
            return "change", dict(command.patch)
        case Cancel():
            return "cancel", {"reason": command.reason}
        case Reverse():
            date = command.posting_date
            return "reverse", {"reason": command.reason, "postingDate": date and date.isoformat()}


def _trace_id(traceparent: str, tools: Tools) -> str:
    return traceparent[3:35] if len(traceparent) >= 35 else tools.randomness.salt().hex()
