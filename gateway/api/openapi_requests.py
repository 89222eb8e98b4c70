"""Parameters and bodies in the description."""

from __future__ import annotations

from typing import Any, Final

from gateway.api.etags import MOST_TAGS, TAG_PATTERN
from gateway.api.identifiers import ID_PATTERN
from gateway.api.limits import Limits
from gateway.api.operations import Operation
from gateway.api.problems import KINDS
from gateway.api.query import Parameter

_TAGS: Final = rf'^(\*|(W/)?"{TAG_PATTERN}"(, ?(W/)?"{TAG_PATTERN}"){{0,{MOST_TAGS - 1}}})$'
_PATTERNS: Final = {"If-Match": _TAGS, "If-None-Match": _TAGS}
"""What is refused with 400 otherwise. Idempotency-Key was released without one, so it gets none; its member has one."""


def parameters(path: str, operation: Operation, limits: Limits) -> list[dict[str, Any]]:
    """In the address, in the query, in headers."""
    return [
        *_in_path(path),
        *(_in_query(one, limits) for one in operation.query),
        *(_in_header(name, meaning) for name, meaning in operation.headers.items()),
    ]


def request_body(operation: Operation, schema: dict[str, Any]) -> dict[str, Any]:
    """The body in each media type that is taken."""
    content: dict[str, Any] = {"schema": schema}
    if operation.example is not None:
        content["examples"] = {"plain": {"value": dict(operation.example)}}
    return {"required": True, "content": dict.fromkeys(operation.body_media_types, content)}


def _in_path(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "enum": list(KINDS)}
            if name == "slug"
            else {"type": "string", "pattern": f"^{ID_PATTERN}$"},
        }
        for name in names
    ]


def _in_query(parameter: Parameter, limits: Limits) -> dict[str, Any]:
    schema: dict[str, Any]
    if parameter.name == "pageSize":
        schema = {"type": "integer", "minimum": 1, "maximum": limits.page, "default": limits.default_page}
    elif parameter.values:
        schema = {"type": "string", "enum": list(parameter.values)}
    else:
        schema = {"type": "string", "pattern": f"^{parameter.pattern}$"}
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.meaning,
        "schema": schema,
    }


def _in_header(name: str, meaning: str) -> dict[str, Any]:
    schema = {"type": "string"}
    if name in _PATTERNS:
        schema["pattern"] = _PATTERNS[name]
    return {"name": name, "in": "header", "required": False, "description": meaning, "schema": schema}
