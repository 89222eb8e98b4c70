"""JSON Schemas of the events, and the envelope that all of them share.

Sources: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md (attribute names and types),
https://json-schema.org/draft/2020-12/schema.

The data of a status event is the transaction resource of the API, so its schema is handed in from there: one
definition for both. Consumers must ignore members and attributes that they do not know; so the schemas are open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from gateway.domain.events import ABSENT, CONTROL_KINDS, CONTROL_PREFIX, STATUS_PREFIX
from gateway.domain.transaction import Status

Schema = dict[str, Any]

STATUS_KINDS: Final = tuple(status.value for status in Status)
CONTROL_KINDS_IN_ORDER: Final = tuple(sorted(CONTROL_KINDS))

REQUIRED_ATTRIBUTES: Final = (
    "specversion", "id", "source", "type", "time", "datacontenttype", "lineageid", "sequence", "data"
)  # fmt: skip

TOKEN_PATTERN: Final = "[A-Za-z0-9_-]{1,32}"  # noqa: S105  a token of a subject, no secret
"""One token of a NATS subject; an absent fact is `_`."""

_TEXT: Final = {"type": "string", "minLength": 1}


def envelope_schema() -> Schema:
    """The CloudEvents 1.0 envelope in structured JSON, without what depends on the event."""
    return {
        "type": "object",
        "description": "CloudEvents 1.0 in structured JSON. Other extension attributes may come.",
        "required": list(REQUIRED_ATTRIBUTES),
        "propertyNames": {"pattern": "^[a-z0-9]{1,20}$"},
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {**_TEXT, "description": "Unique for the source; also the Nats-Msg-Id. Deduplicate on it."},
            "source": {"type": "string", "pattern": "^/gateways/[A-Za-z0-9._~-]{1,64}$"},
            "type": {"type": "string", "pattern": r"^erp\.[A-Za-z0-9_-]{1,32}\.[a-z_]{1,32}\.v1$"},
            "subject": {**_TEXT, "description": "What it is about: the transaction's id, or the object of the act."},
            "time": {
                "type": "string",
                "format": "date-time",
                "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$",
                "description": "When it happened, UTC, to the microsecond.",
            },
            "datacontenttype": {"const": "application/json"},
            "lineageid": {**_TEXT, "description": "The lineage, or `control` for what belongs to no document."},
            "sequence": {
                "type": "string",
                "pattern": "^[0-9]{10}$",
                "description": "The event's number in its lineage, from 1; orders as text.",
            },
            "traceparent": {"type": "string", "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"},
            "data": {"type": "object"},
        },
    }


def status_members(domains: Iterable[str], transaction: Schema, kinds: Iterable[str] = STATUS_KINDS) -> Schema:
    """What a status event adds to the envelope. `transaction`: (a reference to) the schema of the resource."""
    return {
        "required": ["subject"],
        "properties": {
            "type": {"pattern": rf"^erp\.({'|'.join(domains)})\.({'|'.join(kinds)})\.v1$"},
            "data": transaction,
        },
    }


def control_members(kinds: Iterable[str] = CONTROL_KINDS_IN_ORDER, data: Schema | None = None) -> Schema:
    """What a control event adds to the envelope."""
    return {
        "properties": {
            "type": {"pattern": rf"^erp\.control\.({'|'.join(kinds)})\.v1$"},
            "data": data or {"type": "object", "properties": dict(_CONTROL_PROPERTIES)},
        }
    }


_CONTROL_PROPERTIES: Final[Mapping[str, Schema]] = {
    "transactionId": _TEXT,
    "lineageId": _TEXT,
    "documentId": _TEXT,
    "systemId": _TEXT,
    "activationId": _TEXT,
    "tableVersion": _TEXT,
    "governanceVersion": _TEXT,
    "activationNumber": {"type": "integer", "minimum": 1},
    "overlayId": _TEXT,
    "overlay": {"enum": ["freeze", "hold", "paused"]},
    "slice": {**_TEXT, "description": "`<domain>.<business unit>.<geography>`, nodes by their ids."},
    "actsNumber": {"type": "integer", "minimum": 1},
    "companyCode": _TEXT,
    "period": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
    "startsOn": {"type": "string", "format": "date"},
    "endsBefore": {"type": "string", "format": "date", "description": "The first day after the period."},
    "tieOutId": _TEXT,
    "mirror": {"type": "boolean", "description": "The number is the mirror's, which undid the document."},
}

_CONTROL_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "pinned": ("transactionId", "lineageId", "systemId"),
    "pin_released": ("transactionId", "lineageId", "systemId"),
    "linked": ("transactionId", "documentId", "systemId"),
    "activated": ("activationId", "tableVersion", "governanceVersion", "activationNumber"),
    "overlay_set": ("overlayId", "overlay", "slice", "actsNumber"),
    "overlay_lifted": ("overlayId", "overlay", "slice", "actsNumber"),
    "auto_paused": ("overlayId", "overlay", "slice", "actsNumber"),
    "period_closed": ("companyCode", "period", "startsOn", "endsBefore", "actsNumber"),
    "period_reopened": ("companyCode", "period", "startsOn", "endsBefore", "actsNumber"),
    "tied_out": ("companyCode", "period", "startsOn", "endsBefore", "actsNumber", "tieOutId"),
    "tie_out_voided": ("transactionId", "companyCode", "period", "tieOutId"),
}
"""Kinds that are sent today, with the members that they always bear."""
_CONTROL_OPTIONAL: Final[Mapping[str, tuple[str, ...]]] = {"linked": ("mirror",)}


def control_data(kind: str) -> Schema:
    """The data of one kind; kinds that nothing sends yet promise no member."""
    required = _CONTROL_REQUIRED.get(kind, ())
    if not required:
        return {"type": "object"}
    return {
        "type": "object",
        "required": list(required),
        "properties": {name: _CONTROL_PROPERTIES[name] for name in required + _CONTROL_OPTIONAL.get(kind, ())},
    }


def status_address() -> str:
    """The subject of status events as an AsyncAPI channel address."""
    return f"{STATUS_PREFIX}.{{domain}}.{{businessUnit}}.{{geography}}.{{kind}}"


def control_address() -> str:
    """The subject of control events as an AsyncAPI channel address."""
    return f"{CONTROL_PREFIX}.{{kind}}"


def address_parameters(domains: Iterable[str]) -> dict[str, Schema]:
    """The tokens of a status subject."""
    node = f"A node id from the rulebook ({TOKEN_PATTERN}); `{ABSENT}` where the document has none."
    return {
        "domain": {"enum": list(domains), "description": "The document family."},
        "businessUnit": {"description": node},
        "geography": {"description": node},
        "kind": {"enum": list(STATUS_KINDS), "description": "The status that the transaction reached."},
    }
