"""The flat description for Salesforce External Services, made from the one that is served.

What it lacks, and why: operations of the tag `health` (they are for operators, and one answers in plain text);
response headers (not supported; everything in them is in the body too); request headers (their names are no Apex
identifiers; `idempotencyKey` and `ifMatch` in the body do the same), and 304, which only a header asks for; media types
other than application/json (one of them would invalidate the registration).
Source: https://help.salesforce.com/s/articleView?id=platform.external_services_intro_openapi_2_3_support.htm
"""

from __future__ import annotations

from typing import Any, Final

from gateway.api.contract.flat_schemas import FlatSchemas

_JSON: Final = "application/json"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_LEFT_OUT: Final = frozenset({"health", "ledger", "cutover", "rules"})
"""Tags of what is for operators, auditors and the migration team; the ledger's files are no JSON either."""


def flat_document(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI 3.0.3 document. Raises `NotFlat` for a shape that has no flat form."""
    kept = {
        path: {method: item[method] for method in _METHODS if method in item and _is_kept(item[method])}
        for path, item in document["paths"].items()
    }
    operations = [one for item in kept.values() for one in item.values()]
    shapes = FlatSchemas(
        document["components"]["schemas"],
        requests=[one.get("requestBody") for one in operations],
        answers=[one["responses"] for one in operations],
    )
    return {
        "openapi": "3.0.3",
        "info": {key: value for key, value in document["info"].items() if not key.startswith("x-")},
        "servers": document["servers"],
        "paths": {
            path: {method: _operation(one, shapes) for method, one in item.items()}
            for path, item in kept.items()
            if item
        },
        "components": {
            "securitySchemes": document["components"]["securitySchemes"],
            "schemas": shapes.components(),
        },
    }


def _is_kept(operation: dict[str, Any]) -> bool:
    """By its tags, and with a body and answers that are JSON (304 has none)."""
    said = [one for status, one in operation["responses"].items() if not status.startswith("3")]
    said += [operation["requestBody"]] if "requestBody" in operation else []
    return _LEFT_OUT.isdisjoint(operation.get("tags", ())) and all(_JSON in one["content"] for one in said)


def _operation(operation: dict[str, Any], shapes: FlatSchemas) -> dict[str, Any]:
    found: dict[str, Any] = {
        key: operation[key] for key in ("tags", "summary", "description", "operationId", "security") if key in operation
    }
    if operation.get("deprecated"):
        found["deprecated"] = True
    parameters = [
        {**one, "schema": shapes.member(one["schema"], answer=False)}
        for one in operation.get("parameters", ())
        if one["in"] != "header"
    ]
    if parameters:
        found["parameters"] = parameters
    if "requestBody" in operation:
        found["requestBody"] = {"required": True, "content": _body(operation["requestBody"]["content"], shapes)}
    found["responses"] = {
        status: {
            "description": one["description"],
            "content": {_JSON: {"schema": shapes.member(one["content"][_JSON]["schema"], answer=True)}},
        }
        for status, one in operation["responses"].items()
        if not status.startswith("3")
    }
    return found


def _body(content: dict[str, Any], shapes: FlatSchemas) -> dict[str, Any]:
    given = content[_JSON]
    found: dict[str, Any] = {"schema": shapes.member(given["schema"], answer=False)}
    examples = [one["value"] for one in given.get("examples", {}).values()]
    if examples:
        found["example"] = examples[0]
    return {_JSON: found}
