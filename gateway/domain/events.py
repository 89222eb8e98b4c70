"""Status and control events: their NATS subjects and their CloudEvents 1.0 JSON.

Sources: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md (attribute names and rules),
.../cloudevents/formats/json-format.md (the structured form), .../cloudevents/extensions/sequence.md,
.../cloudevents/extensions/distributed-tracing.md.

An event is built in the unit that commits its fact, so all of this is plain dictionaries and one call of the
standard encoder; nothing here awaits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from gateway.domain.records import OutboxRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.domain.wire import instant, transaction_wire
from gateway.errors import GatewayError

STATUS_PREFIX: Final = "erp.status"
CONTROL_PREFIX: Final = "erp.control"

ABSENT: Final = "_"
"""The subject token of a fact that the document does not have."""

EVENT_LIMIT_BYTES: Final = 1_000_000
"""Bytes of one event. NATS takes 1,048,576 by default, headers included; the rest is room for those."""

CONTROL_LINEAGE: Final = "control"
"""The lineage of events that belong to no document, so that rule and operation events keep one order."""

CONTROL_KINDS: Final = frozenset(
    "pinned pin_released adopted linked unlinked merged unmerged erased hold_set hold_lifted "
    "draft_saved checked simulated approved activation_prepared activated activation_failed rolled_back "
    "gate_passed gate_failed gate_waived overlay_set overlay_lifted auto_paused "
    "exception_opened exception_moved repaired period_closed period_reopened tied_out tie_out_voided".split()
)
"""The ledger's entry kinds of pins, rules and operations."""

_STATUS_KINDS: Final = frozenset(status.value for status in Status)
_TOKEN: Final = re.compile(r"\A[A-Za-z0-9_-]{1,32}\Z")
_NAME: Final = re.compile(r"\A[A-Za-z0-9._~-]{1,64}\Z")
_TRACEPARENT: Final = re.compile(r"\A[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")

# Escaping everything beyond ASCII keeps a lone surrogate in a caller's text from failing the commit of its fact.
_encode: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
_encode_quickly: Final = msgspec.json.Encoder().encode


class InvalidEvent(GatewayError):
    """A defect of ours: an event that consumers could not be subscribed to, or could not read."""


class EventTooLarge(InvalidEvent):
    """The event is above `EVENT_LIMIT_BYTES`: NATS would refuse it for ever."""


@lru_cache(1_024)
def status_subject(domain: str, business_unit: str | None, geography: str | None, kind: str) -> str:
    """`erp.status.<domain>.<business unit>.<geography>.<kind>`; an absent fact is `_`.

    Raises:
        InvalidEvent: a token that is not `[A-Za-z0-9_-]{1,32}`. NATS would split it at a dot and take `*` and `>`
            for wildcards, so a consumer's filter would see the wrong documents.
    """
    return (
        f"{STATUS_PREFIX}.{_token(domain)}.{_token(business_unit or ABSENT)}.{_token(geography or ABSENT)}"
        f".{_token(kind)}"
    )


def control_subject(kind: str) -> str:
    """`erp.control.<kind>`. Raises `InvalidEvent` as `status_subject` does."""
    return f"{CONTROL_PREFIX}.{_token(kind)}"


def status_event(
    record: TransactionRecord,
    *,
    kind: str,
    event_id: str,
    sequence: int,
    at: int,
    gateway_name: str,
    traceparent: str,
    external_reference: str | None,
    links: Mapping[str, Any] | None = None,
) -> OutboxRecord:
    """The event that says that a transaction reached the status `kind`; its data is the transaction resource.

    Args:
        record: the transaction as the same commit leaves it.
        sequence: the event's number in its lineage, from 1.
        at: when it happened, µs.
        gateway_name: letters, digits and `._~-`, at most 64: a part of the URI in `source`.
        traceparent: W3C trace context; left out of the event where it is empty or malformed, as the trace context
            specification has receivers do: a caller's header must not fail a commit.
        links: further members of the resource, which the record does not hold.

    Raises:
        InvalidEvent: `kind` is no status, or a name or node id is not a token.
        EventTooLarge: above `EVENT_LIMIT_BYTES`.
    """
    if kind not in _STATUS_KINDS:
        raise InvalidEvent(f"{kind!r} is no transaction status")
    data = transaction_wire(record, external_reference=external_reference)
    if links:
        data |= links
    return _event(
        subject=status_subject(record.domain, record.business_unit, record.geography, kind),
        type_name=f"erp.{record.domain}.{kind}.v1",
        about=record.transaction_id,
        lineage_id=record.lineage_id,
        event_id=event_id,
        sequence=sequence,
        at=at,
        gateway_name=gateway_name,
        traceparent=traceparent,
        data=data,
        # what the record holds itself is text and whole numbers
        is_plain=not (links or record.legs or record.problem),
    )


def control_event(
    kind: str,
    data: Mapping[str, Any],
    *,
    event_id: str,
    sequence: int,
    at: int,
    gateway_name: str,
    traceparent: str = "",
    lineage_id: str = CONTROL_LINEAGE,
    about: str | None = None,
) -> OutboxRecord:
    """The event of a pin, rule or operation entry. `data` is in wire words already.

    `lineage_id` is the document's lineage for pins; rules and operations share `CONTROL_LINEAGE`, and `sequence`
    numbers that lineage. `about` becomes the CloudEvents subject (a transaction, slice or table version).

    Raises:
        InvalidEvent, EventTooLarge: as `status_event`.
    """
    if kind not in CONTROL_KINDS:
        raise InvalidEvent(f"{kind!r} is no entry kind of pins, rules or operations")
    return _event(
        subject=control_subject(kind),
        type_name=f"erp.control.{kind}.v1",
        about=about,
        lineage_id=lineage_id,
        event_id=event_id,
        sequence=sequence,
        at=at,
        gateway_name=gateway_name,
        traceparent=traceparent,
        data=data,
    )


def sequence_text(sequence: int) -> str:
    """The `sequence` extension: ten digits with leading zeros.

    The extension demands a string that orders lexicographically, which plain numbers do not (`"10" < "9"`);
    `int()` of any language still reads it.
    """
    return f"{sequence:010d}"


def _event(
    *,
    subject: str,
    type_name: str,
    about: str | None,
    lineage_id: str,
    event_id: str,
    sequence: int,
    at: int,
    gateway_name: str,
    traceparent: str,
    data: Mapping[str, Any],
    is_plain: bool = False,
) -> OutboxRecord:
    if _NAME.match(gateway_name) is None:
        raise InvalidEvent(f"the gateway's name {gateway_name!r} is not 1 to 64 of letters, digits and ._~-")
    if not event_id or not lineage_id or not 0 < sequence < 10_000_000_000:
        raise InvalidEvent(f"event {event_id!r} of lineage {lineage_id!r} has number {sequence}")
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/gateways/{gateway_name}",
        "type": type_name,
        "time": instant(at),
        "datacontenttype": "application/json",
        "lineageid": lineage_id,
        "sequence": sequence_text(sequence),
    }
    if about:
        attributes["subject"] = about
    if _TRACEPARENT.match(traceparent) is not None:
        attributes["traceparent"] = traceparent
    attributes["data"] = data
    body = _plain_body(attributes) if is_plain else _encode(attributes).encode("ascii")
    if len(body) > EVENT_LIMIT_BYTES:
        raise EventTooLarge(f"event {event_id} has {len(body)} bytes; the limit is {EVENT_LIMIT_BYTES}")
    return OutboxRecord(event_id, lineage_id, sequence, subject, body, traceparent, at)


def _plain_body(attributes: Mapping[str, Any]) -> bytes:
    """The same bytes in a quarter of the time, of text, whole numbers, booleans and null in dictionaries alone: the two
    encoders differ in how they write floating point numbers and what is not printable ASCII."""
    try:
        body = _encode_quickly(attributes)
    except UnicodeEncodeError:
        body = b"\x7f"  # a lone surrogate, of which only the other one can write the escape
    if body.isascii() and b"\x7f" not in body:
        return body
    return _encode(attributes).encode("ascii")


def _token(text: str) -> str:
    if _TOKEN.match(text) is None:
        raise InvalidEvent(f"{text!r} is not a subject token: 1 to 32 of letters, digits, _ and -")
    return text
