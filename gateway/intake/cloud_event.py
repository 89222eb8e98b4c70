"""From a message on NATS to a command: CloudEvents 1.0 in structured JSON, the only form of its NATS binding.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/nats-protocol-binding.md.

Who sends is told by the subject, which the NATS server lets only some publish to, and never by the message: the
attribute `source` is the sender's own word. The event's `id` is the idempotency key of its document.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.api.limits import Limits
from gateway.api.problems import malformed
from gateway.api.strict_json import parse_object
from gateway.domain.caller import Caller, DataScope
from gateway.domain.lanes import IN_BULK, RESPOND_ASYNC
from gateway.errors import Problem
from gateway.intake.event_attributes import attributes_of, data_of
from gateway.intake.lines import DocumentReader
from gateway.telemetry import fresh_trace, parse_traceparent
from gateway.transactions.commands import Create

SUBMITS: Final = frozenset({"documents:submit"})


@dataclass(frozen=True, slots=True)
class Sender:
    """Who publishes to the subjects that `pattern` matches (NATS's wildcard `*` for one token, `>` for the rest)."""

    pattern: str
    caller: Caller

    def matches(self, subject: str) -> bool:
        """Whether the subject is one of this sender's."""
        wanted, given = self.pattern.split("."), subject.split(".")
        for at, part in enumerate(wanted):
            if part == ">":
                return len(given) > at
            if at >= len(given) or part not in ("*", given[at]):
                return False
        return len(wanted) == len(given)


def sender_of(
    pattern: str,
    client: str,
    source: str,
    business_units: Sequence[str] | None = None,
    geographies: Sequence[str] | None = None,
) -> Sender:
    """As the settings name it; None: an unrestricted data scope."""
    scope = DataScope(
        None if business_units is None else frozenset(business_units),
        None if geographies is None else frozenset(geographies),
    )
    return Sender(pattern, Caller(client, source, SUBMITS, scope))


@dataclass(frozen=True, slots=True)
class EventReader:
    """`senders`: the first that matches counts. `served`: domains of the rulebook in force."""

    senders: Sequence[Sender]
    bulk_clients: Container[str]
    limits: Limits

    def read(self, subject: str, raw: bytes, served: Container[str]) -> Create:
        """The command of a message.

        Raises Problem: unauthenticated, too-large, invalid-request, domain-not-served, invalid-document,
        totals-disagree.
        """
        caller = next((one.caller for one in self.senders if one.matches(subject)), None)
        if caller is None:
            raise Problem(
                "unauthenticated",
                f"No source is set for the subject {subject}.",
                remedy="Publish to a subject that is listed in the gateway's setting intake.sources.",
            )
        if len(raw) > self.limits.body_bytes:
            raise Problem(
                "too-large",
                f"The message is larger than {self.limits.body_bytes} bytes.",
                extra={"mostBytes": self.limits.body_bytes},
            )
        event = parse_object(raw, self.limits)
        domain = subject.split(".")[2]
        attributes = attributes_of(event)
        _check_submits(attributes, domain)
        # JSON may hold half a surrogate pair, which no encoding takes
        sent = str(attributes.get("traceparent", "")).encode("ascii", "replace")
        context = parse_traceparent(sent) or fresh_trace()
        queueing = IN_BULK if caller.client in self.bulk_clients else RESPOND_ASYNC
        reader = DocumentReader(caller, served, queueing, self.limits, context.traceparent)
        return reader.of_members(domain, data_of(event), attributes["id"])


def event_type(domain: str) -> str:
    """The `type` of an event that submits a document."""
    return f"erp.{domain}.create.v1"


def _check_submits(attributes: Mapping[str, Any], domain: str) -> None:
    """That this is a document of the subject's domain, in JSON."""
    if attributes["type"] != event_type(domain):
        raise malformed("type", f"is not {event_type(domain)}", "Publish to erp.intake.<domain> of the document.")
    # a media type is the same in capitals (RFC 2045, section 5.1)
    content = attributes.get("datacontenttype", "application/json")
    if re.fullmatch(r"application/json(\s*;.*)?", content, re.IGNORECASE | re.ASCII) is None:
        raise malformed("datacontenttype", "is not application/json", "Send the document as JSON in data.")
