"""The events as JSON Schemas (2020-12), one file for each family; the data of a status event is the API's resource."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.api.contract.references import SCHEMAS, moved, reachable
from gateway.api.counterparts import MEMBERS
from gateway.api.schemas import TransactionAnswer
from gateway.domain.event_schemas import (
    CONTROL_KINDS_IN_ORDER,
    STATUS_KINDS,
    control_data,
    control_members,
    envelope_schema,
    status_members,
)

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
RESOURCE: Final = TransactionAnswer.__name__
_DEFS: Final = "#/$defs/"
_OF_ANSWERS: Final = MEMBERS | {"requestTraceId", "etag", "documentVersion"}


def resource_schemas(document: dict[str, Any]) -> dict[str, Any]:
    """The transaction resource of the API description, with all that it refers to, by name.

    Without what an answer says of itself: an event has no headers that its data would repeat.
    """
    schemas: dict[str, Any] = {**document["components"]["schemas"]}
    members: dict[str, Any] = schemas[RESOURCE]["properties"]
    kept = {name: one for name, one in members.items() if name not in _OF_ANSWERS}
    schemas[RESOURCE] = {**schemas[RESOURCE], "properties": kept}
    names = reachable(schemas, {"$ref": SCHEMAS + RESOURCE})
    return {name: schemas[name] for name in sorted(names)}


def event_schemas(document: dict[str, Any], domains: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Each schema by its file's name."""
    resource = moved(resource_schemas(document), _DEFS)
    definitions = {"Envelope": envelope_schema(), **resource}
    return {
        "transaction.v1.json": {
            **_head("transaction", "The transaction resource: the data of every status event."),
            "$ref": _DEFS + RESOURCE,
            "$defs": resource,
        },
        "status.v1.json": {
            **_head("status", "A transaction reached a status."),
            "allOf": [
                {"$ref": f"{_DEFS}Envelope"},
                status_members(domains, {"$ref": _DEFS + RESOURCE}),
                *(_when(f"^erp\\.[a-z_]+\\.{kind}\\.v1$", status_data(kind)) for kind in STATUS_KINDS),
            ],
            "$defs": definitions,
        },
        "control.v1.json": {
            **_head("control", "An act on pins, rules or operations."),
            "allOf": [
                {"$ref": f"{_DEFS}Envelope"},
                control_members(),
                *(
                    _when(f"^erp\\.control\\.{kind}\\.v1$", control_data(kind))
                    for kind in CONTROL_KINDS_IN_ORDER
                    if "required" in control_data(kind)
                ),
            ],
            "$defs": {"Envelope": definitions["Envelope"]},
        },
    }


def status_data(kind: str) -> dict[str, Any]:
    """What the kind of a status event says of its data: the transaction stands where the type says."""
    return {"properties": {"status": {"const": kind}}}


def _head(name: str, meaning: str) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"urn:erp-gateway:events:{name}:v1", "description": meaning}


def _when(type_pattern: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "if": {"properties": {"type": {"pattern": type_pattern}}, "required": ["type"]},
        "then": {"properties": {"data": data}},
    }
