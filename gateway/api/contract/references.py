"""Following `$ref` through a description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

SCHEMAS: Final = "#/components/schemas/"


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in it, itself included."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from nodes(one)
    elif isinstance(value, list):
        for one in value:
            yield from nodes(one)


def reachable(schemas: dict[str, Any], *roots: Any) -> set[str]:
    """The names of all schemas that the roots refer to, directly or through others."""
    found: set[str] = set()
    pending = list(roots)
    while pending:
        for node in nodes(pending.pop()):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.startswith(SCHEMAS):
                name = reference.removeprefix(SCHEMAS)
                if name not in found:
                    found.add(name)
                    pending.append(schemas[name])
    return found


def moved(value: Any, prefix: str) -> Any:
    """The same with every reference to a component leading to `prefix` + name."""
    if isinstance(value, list):
        return [moved(one, prefix) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: prefix + one.removeprefix(SCHEMAS) if key == "$ref" and isinstance(one, str) else moved(one, prefix)
        for key, one in value.items()
    }
