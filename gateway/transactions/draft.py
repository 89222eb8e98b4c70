"""What is drawn before a unit runs, so that the unit may be run again with the same ids and salt."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.domain.identity import content_hash
from gateway.transactions.commands import Create
from gateway.transactions.parts import LineParts

OPERATION = "create"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is made before the unit runs: ids, salt, the canonical body and its hash."""

    transaction_id: str
    document_id: str
    lineage_id: str
    payload_id: str
    salt: bytes
    body: bytes
    content_hash: str
    trace_id: str

    @classmethod
    def of(cls, command: Create, parts: LineParts) -> Draft:
        """Draw the ids for this command."""
        tools = parts.tools
        body = command.document.model_dump_json(exclude_none=True).encode()
        trace_id = command.traceparent[3:35] if len(command.traceparent) >= 35 else tools.randomness.salt().hex()
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
