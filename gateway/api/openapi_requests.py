"""Parameters and bodies in the description."""

from __future__ import annotations

from typing import Any, Final

from gateway.api.etags import MOST_TAGS, TAG_PATTERN
from gateway.api.identifiers import ID_PATTERN
from gateway.api.limits import Limits
from gateway.api.operations import Operation
from gateway.api.problems import KINDS
from gateway.api.query import Parameter
from gateway.cutover.slices import SLICE_PATTERN

_TAGS: Final = rf'^(\*|(W/)?"{TAG_PATTERN}"(, ?(W/)?"{TAG_PATTERN}"){{0,{MOST_TAGS - 1}}})$'
_PATTERNS: Final = {"If-Match": _TAGS, "If-None-Match": _TAGS}
"""What is refused with 400 otherwise. Idempotency-Key was released without one, so it gets none; its member has one."""

_PATH_PATTERNS: Final = {
    "activationNumber": "^[0-9]{1,15}$",
    "slice": f"^{SLICE_PATTERN}$",
    "keyNumber": "^[1-9][0-9]{0,2}$",
    "tile": r"^(entries|[0-9]{1,2})/(x[0-9]{3}/){0,6}[0-9]{3}(\.p/[1-9][0-9]{0,2})?$",
}
"""What stands in an address and is no id."""


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
        examples = {"plain": operation.example, **operation.further_examples}
        content["examples"] = {name: {"value": dict(one)} for name, one in examples.items()}
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
            else {"type": "string", "pattern": _PATH_PATTERNS.get(name, f"^{ID_PATTERN}$")},
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
        if parameter.form:
            schema["format"] = parameter.form
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.meaning,
        "schema": schema,
        "example": int(parameter.example) if parameter.name == "pageSize" else parameter.example,
    }


def _in_header(name: str, meaning: str) -> dict[str, Any]:
    schema = {"type": "string"}
    if name in _PATTERNS:
        schema["pattern"] = _PATTERNS[name]
    return {"name": name, "in": "header", "required": False, "description": meaning, "schema": schema}
