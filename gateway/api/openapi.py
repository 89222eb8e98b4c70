"""The OpenAPI 3.1 description: routes from Litestar, shapes from pydantic, problems from their table.

Litestar's own schemas leave out `additionalProperties: false` and patterns of optional members, so the shapes come
from the models themselves. Requests are closed; answers are open for members to come.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from gateway.api.contract.deprecation import DEPRECATION_HEADERS
from gateway.api.guard import ANY_SCOPE_OF, PUBLIC
from gateway.api.identifiers import ID_PATTERN
from gateway.api.limits import Limits
from gateway.api.operations import OPERATION, Operation
from gateway.api.problems import KINDS
from gateway.api.query import Parameter
from gateway.api.shapes import PROBLEM_REF, Shapes
from gateway.domain.facts import camel

API_VERSION: Final = "1.0.0"
_EVERYWHERE: Final = (
    "invalid-request",
    "method-not-allowed",
    "too-large",
    "rate-limited",
    "internal-error",
    "not-ready",
)
_PROTECTED: Final = ("unauthenticated", "forbidden")
_MEANINGS: Final = {
    200: "As it stands.",
    201: "Posted in the ERP by this request.",
    202: "Accepted durably, and not at its end yet: read the transaction again.",
}
_CODE: Final = re.compile("`([a-z][a-z0-9_]*)`")
_LINE_BREAK: Final = re.compile(r"(?<!\n)\n(?!\n)")
_HEADERS: Final[Mapping[str, str]] = {
    "Location": "Where the result can be read; also `statusUrl` in the body.",
    "Retry-After": "Seconds; also `retryAfterS` in the body.",
    "Deprecation": "Since when this is not to be built on (RFC 9745): `@` and seconds since 1970.",
    "Sunset": "When this may be gone (RFC 8594): an HTTP date.",
    "Link": "With rel=deprecation, where it is told what to use instead.",
}


def describe(handlers: Sequence[HTTPRouteHandler], limits: Limits) -> dict[str, Any]:
    """The document for these handlers."""
    app = Litestar(
        route_handlers=list(handlers),
        openapi_config=OpenAPIConfig(
            title="ERP coexistence gateway",
            version=API_VERSION,
            description="One stable ERP API in front of a legacy and a cloud ERP.",
            use_handler_docstrings=False,
            components=Components(
                security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
            ),
        ),
        logging_config=None,
    )
    document: dict[str, Any] = app.openapi_schema.to_schema()
    shapes = Shapes(_operations(app))
    for route in app.routes:
        for method, handler in _described(route):
            operation = document["paths"][route.path_format][method.lower()]
            _complete(operation, handler, _path_parameters(route.path_format), shapes, limits)
    document["components"]["schemas"] = {name: _told(_untitled(one)) for name, one in shapes.schemas.items()}
    return document


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the titles that pydantic makes of Python's names (`Externalid`): they are nobody's word for anything."""
    found = {key: value for key, value in schema.items() if key != "title"}
    if "properties" in found:
        found["properties"] = {name: _untitled(one) for name, one in found["properties"].items()}
    if "anyOf" in found:
        found["anyOf"] = [_untitled(one) for one in found["anyOf"]]
    if "items" in found:
        found["items"] = _untitled(found["items"])
    return found


def _told(schema: dict[str, Any]) -> dict[str, Any]:
    """The model's docstring as callers read it: members under their names on the wire, no line breaks of the source."""
    if "description" not in schema:
        return schema
    members = schema.get("properties", {})

    def on_the_wire(match: re.Match[str]) -> str:
        name = camel(match[1])
        return f"`{name}`" if name in members else match[0]

    joined = _LINE_BREAK.sub(" ", schema["description"])
    return {**schema, "description": _CODE.sub(on_the_wire, joined)}


def _described(route: Any) -> list[tuple[str, HTTPRouteHandler]]:
    return [
        (method, handler)
        for method, (handler, _) in getattr(route, "route_handler_map", {}).items()
        if OPERATION in handler.opt
    ]


def _operations(app: Litestar) -> list[tuple[str, Operation]]:
    """Each with its operation id."""
    return [
        (str(handler.operation_id), handler.opt[OPERATION]) for route in app.routes for _, handler in _described(route)
    ]


def _complete(
    wire: dict[str, Any], handler: HTTPRouteHandler, path: list[dict[str, Any]], shapes: Shapes, limits: Limits
) -> None:
    operation: Operation = handler.opt[OPERATION]
    is_public = handler.opt.get(PUBLIC) is True
    parameters = [*path, *(_query(one, limits) for one in operation.query)]
    parameters += [_header(name, meaning) for name, meaning in operation.headers.items()]
    wire.pop("parameters", None)
    if parameters:
        wire["parameters"] = parameters
    if operation.body is not None:
        content: dict[str, Any] = {"schema": shapes.request(operation.body)}
        if operation.example is not None:
            content["examples"] = {"plain": {"value": dict(operation.example)}}
        wire["requestBody"] = {"required": True, "content": {"application/json": content}}
    if operation.deprecation is not None:
        wire["deprecated"] = True
    wire["security"] = [] if is_public else [{"bearer": []}]
    scopes = handler.opt.get(ANY_SCOPE_OF)
    if scopes is not None:
        wire["description"] = f"Needs one of the scopes {', '.join(sorted(scopes))}."
        wire["x-any-scope-of"] = sorted(scopes)
    if operation.deprecation is not None:
        wire["description"] = f"{operation.deprecation.told} {wire.get('description', '')}".strip()
    slugs = {*_EVERYWHERE, *operation.problems, *(() if is_public else _PROTECTED)}
    wire["responses"] = {**_answers(str(handler.operation_id), operation, shapes), **_problems(slugs)}


def _answers(operation_id: str, operation: Operation, shapes: Shapes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, model in operation.answers.items():
        schema = {"type": "string"} if model is None else shapes.answer(operation_id, model)
        found[str(status)] = {
            "description": _MEANINGS[status],
            "headers": {name: _text_header(meaning) for name, meaning in _headers_of(status, operation)},
            "content": {operation.answer_media_type: {"schema": schema}},
        }
    return found


def _headers_of(status: int, operation: Operation) -> Iterable[tuple[str, str]]:
    names = {201: ("Location",), 202: ("Location", "Retry-After")}.get(status, ())
    if operation.deprecation is not None:
        names += DEPRECATION_HEADERS
    return [(name, _HEADERS[name]) for name in names]


def _problems(slugs: set[str]) -> dict[str, Any]:
    """One response per status, which lists the problems that it can be."""
    by_status: dict[int, list[str]] = {}
    for kind in KINDS.values():
        if kind.slug in slugs:
            by_status.setdefault(kind.status, []).append(kind.slug)
    return {
        str(status): {
            "description": "; ".join(f"`{slug}`: {KINDS[slug].title}" for slug in found),
            "content": {
                media_type: {"schema": PROBLEM_REF, "examples": {slug: {"value": _example(slug)} for slug in found}}
                for media_type in ("application/problem+json", "application/json")
            },
        }
        for status, found in by_status.items()
    }


def _example(slug: str) -> dict[str, Any]:
    kind = KINDS[slug]
    return {
        "type": kind.uri,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.title + ".",
        "instance": "/v1/orders",
        "code": slug,
        "remedy": kind.remedy,
        "errors": [],
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "retryAfterS": None,
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
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


def _query(parameter: Parameter, limits: Limits) -> dict[str, Any]:
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


def _header(name: str, meaning: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": meaning, "schema": {"type": "string"}}


def _text_header(meaning: str) -> dict[str, Any]:
    return {"description": meaning, "schema": {"type": "string"}}
