"""Documents on their way in, and what was refused of them, as AsyncAPI 3.0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.api.contract.references import SCHEMAS
from gateway.api.idempotency import KEY_PATTERN
from gateway.intake.cloud_event import event_type
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
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "pattern": f"^{KEY_PATTERN}$", "description": "The idempotency key."},
            "source": {"type": "string", "minLength": 1, "description": "The sender's own word; not who it is."},
            "type": {"enum": [event_type(one) for one in domains]},
            "datacontenttype": {"type": "string", "pattern": "^application/json"},
            "traceparent": {"type": "string", "description": "W3C Trace Context."},
            "data": {"type": "object", "description": "The document, as it is submitted to `POST /v1/{domain}`."},
        },
    }


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
