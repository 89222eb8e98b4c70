"""The events as AsyncAPI 3.0.

Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0. Payloads are in AsyncAPI's own schema format, so
every tool reads them; beside a `$ref` it allows nothing, therefore `allOf`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.api.contract.asyncapi_intake import intake_channels
from gateway.api.contract.event_files import RESOURCE, resource_schemas, status_data
from gateway.api.contract.references import SCHEMAS
from gateway.domain.event_schemas import (
    CONTROL_KINDS_IN_ORDER,
    STATUS_KINDS,
    address_parameters,
    control_address,
    control_data,
    control_members,
    envelope_schema,
    status_address,
    status_members,
)
from gateway.messaging.stream import STREAM

_CONTENT_TYPE: Final = "application/cloudevents+json"


def asyncapi_document(document: dict[str, Any], domains: Sequence[str]) -> dict[str, Any]:
    """Of the API description: its version, and its transaction resource as the data of status events."""
    status = {_message_name("transaction", kind): _status_message(kind, domains) for kind in STATUS_KINDS}
    control = {_message_name("control", kind): _control_message(kind) for kind in CONTROL_KINDS_IN_ORDER}
    schemas = {
        "Envelope": envelope_schema(),
        "StatusEvent": _all_of("Envelope", status_members(domains, {"$ref": SCHEMAS + RESOURCE})),
        "ControlEvent": _all_of("Envelope", control_members()),
        **resource_schemas(document),
    }
    intake = intake_channels(domains)
    schemas |= intake["schemas"]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ERP coexistence gateway: events",
            "version": document["info"]["version"],
            "description": (
                f"CloudEvents 1.0 in structured JSON on the JetStream stream `{STREAM}`. In each lineage they come in "
                "the order of `sequence`; an event may come again, with the same `id`. The record is the gateway's "
                "store: what the stream has forgotten can be read from the API."
            ),
        },
        "defaultContentType": _CONTENT_TYPE,
        "channels": {
            "status": {
                "address": status_address(),
                "description": "Every status that a transaction reaches.",
                "parameters": address_parameters(domains),
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in status},
            },
            "control": {
                "address": control_address(),
                "description": "Acts on pins, rules and operations.",
                "parameters": {"kind": {"enum": list(CONTROL_KINDS_IN_ORDER), "description": "The act."}},
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in control},
            },
            **intake["channels"],
        },
        "operations": {
            "sendStatus": {"action": "send", "channel": {"$ref": "#/channels/status"}},
            "sendControl": {"action": "send", "channel": {"$ref": "#/channels/control"}},
            **intake["operations"],
        },
        "components": {
            "messages": {**status, **control, **intake["messages"]},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _status_message(kind: str, domains: Sequence[str]) -> dict[str, Any]:
    own = {"properties": {**status_members(domains, {}, [kind])["properties"], "data": status_data(kind)}}
    return _message(f"erp.<domain>.{kind}.v1", f"A transaction is {kind}.", _all_of("StatusEvent", own))


def _control_message(kind: str) -> dict[str, Any]:
    own = control_members([kind], control_data(kind))
    return _message(f"erp.control.{kind}.v1", f"The act {kind}.", _all_of("ControlEvent", own))


def _message(type_name: str, summary: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"name": type_name, "summary": summary, "contentType": _CONTENT_TYPE, "payload": payload}


def _all_of(name: str, own: dict[str, Any]) -> dict[str, Any]:
    return {"allOf": [{"$ref": SCHEMAS + name}, own]}


def _message_name(first: str, kind: str) -> str:
    return first + "".join(part.capitalize() for part in kind.split("_"))
