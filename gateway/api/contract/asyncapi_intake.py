"""Documents on their way in, and what was refused of them, as AsyncAPI 3.0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.api.contract.references import SCHEMAS
from gateway.api.idempotency import KEY_PATTERN
from gateway.intake.cloud_event import event_type
from gateway.intake.event_attributes import DATA_BASE64, NAME_PATTERN
from gateway.messaging.intake_stream import PREFIX, REFUSED, STREAM

_CONTENT_TYPE: Final = "application/cloudevents+json"


def intake_channels(domains: Sequence[str]) -> dict[str, Any]:
    """The parts of a document, to be added to its own: channels, operations, messages, schemas."""
    return {
        "channels": {
            "intake": {
                "address": f"{PREFIX}.{{domain}}",
                "description": (
                    f"Documents, on the stream `{STREAM}`; a further token may name the sender. Accepted as over HTTP: "
                    "the subject says who sends, `id` is the idempotency key. Acknowledged after the commit."
                ),
                "parameters": {"domain": {"enum": list(domains), "description": "The document family."}},
                "messages": {"documentSubmitted": {"$ref": "#/components/messages/documentSubmitted"}},
            },
            "intakeRefused": {
                "address": REFUSED,
                "description": "What was refused of them, and why.",
                "messages": {"documentRefused": {"$ref": "#/components/messages/documentRefused"}},
            },
        },
        "operations": {
            "receiveDocument": {"action": "receive", "channel": {"$ref": "#/channels/intake"}},
            "sendRefusal": {"action": "send", "channel": {"$ref": "#/channels/intakeRefused"}},
        },
        "messages": {
            "documentSubmitted": {
                "name": event_type("<domain>"),
                "summary": "A document is submitted.",
                "contentType": _CONTENT_TYPE,
                "payload": {"$ref": SCHEMAS + "SubmittedEvent"},
            },
            "documentRefused": {
                "name": f"{REFUSED}.v1",
                "summary": "A document was refused.",
                "contentType": _CONTENT_TYPE,
                "payload": {"$ref": SCHEMAS + "RefusedEvent"},
            },
        },
        "schemas": {"SubmittedEvent": _submitted(domains), "RefusedEvent": _refused()},
    }


def _submitted(domains: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "CloudEvents 1.0 in structured JSON. An attribute that is null is as good as none.",
        "required": ["specversion", "id", "source", "type", "data"],
        "propertyNames": {"pattern": f"^({NAME_PATTERN}|{DATA_BASE64})$"},
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "pattern": f"^{KEY_PATTERN}$", "description": "The idempotency key."},
            "source": {
                "type": "string",
                "minLength": 1,
                "description": "A URI reference: the sender's own word; not who it is.",
            },
            "type": {"enum": [event_type(one) for one in domains]},
            "datacontenttype": _optional(
                pattern=r"^[Aa][Pp][Pp][Ll][Ii][Cc][Aa][Tt][Ii][Oo][Nn]/[Jj][Ss][Oo][Nn]\s*(;|$)"
            ),
            "dataschema": _optional(minLength=1, description="An absolute URI; not looked at."),
            "subject": _optional(minLength=1, description="Not looked at."),
            "time": _optional(format="date-time", description="Not looked at."),
            "traceparent": {"type": "string", "description": "W3C Trace Context."},
            "data": {"type": "object", "description": "The document, as it is submitted to `POST /v1/{domain}`."},
            DATA_BASE64: {"type": "null", "description": "Not beside `data`, and no document without it."},
        },
        "additionalProperties": {
            "type": ["string", "boolean", "integer", "null"],
            "minimum": -(2**31),
            "maximum": 2**31 - 1,
            "description": "Extension attributes; not looked at.",
        },
    }


def _optional(**more: Any) -> dict[str, Any]:
    return {"type": ["string", "null"], **more}


def _refused() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "pattern": "^ref_[0-9a-f]{32}$"},
            "source": {"type": "string", "pattern": "^/gateways/"},
            "type": {"const": f"{REFUSED}.v1"},
            "subject": {"type": "string", "description": "The NATS subject of the refused message."},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "data": {
                "type": "object",
                "required": ["natsSubject", "streamSequence", "eventId", "problem"],
                "properties": {
                    "natsSubject": {"type": "string"},
                    "streamSequence": {"type": "integer", "description": "Where the message lies in the stream."},
                    "eventId": {"type": ["string", "null"], "description": "Null where none could be read."},
                    "problem": {"type": "object", "description": "RFC 9457, as over HTTP."},
                },
            },
        },
    }
