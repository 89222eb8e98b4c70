"""Members that are sent and not described. Answers are open, so a validator lets them pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_MAPS = "additionalProperties"


def undeclared(document: dict[str, Any], schema: dict[str, Any], value: Any, where: str = "$") -> list[str]:
    """Paths of the members that the schema, followed through the document, does not name."""
    return list(_walk(document, schema, value, where))


def _walk(document: dict[str, Any], schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    if value is None:
        return
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from _walk(document, document["components"]["schemas"][name], value, where)
    elif "anyOf" in schema:
        for one in schema["anyOf"]:
            if one != {"type": "null"}:
                yield from _walk(document, one, value, where)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _walk(document, schema["items"], one, f"{where}[{number}]")
    elif isinstance(value, dict) and not isinstance(schema.get(_MAPS), dict):
        for name, one in value.items():
            if name not in schema.get("properties", {}):
                yield f"{where}.{name}"
            else:
                yield from _walk(document, schema["properties"][name], one, f"{where}.{name}")
