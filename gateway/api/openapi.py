"""The OpenAPI 3.1 description: routes from Litestar, shapes from pydantic, problems from their table.

Litestar's own schemas leave out `additionalProperties: false` and patterns of optional members, so the shapes come
from the models themselves. Requests are closed; answers are open for members to come.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from gateway.api.guard import ANY_SCOPE_OF, PUBLIC
from gateway.api.limits import Limits
from gateway.api.meanings import with_meanings
from gateway.api.openapi_answers import responses
from gateway.api.openapi_requests import parameters, request_body
from gateway.api.operations import OPERATION, Operation
from gateway.api.shapes import Shapes
from gateway.domain.facts import camel

API_VERSION: Final = "1.1.0"
"""Of the API, not of the program: its first number stands in the addresses, the second rises with additions. That of
the program is `x-gateway-version`."""
_PACKAGE: Final = "erp-coexistence-gateway"
_DESCRIPTION: Final = (
    "One stable ERP API in front of a legacy and a cloud ERP. Rules by business unit and geography decide which ERP "
    "owns a document; callers never name one.\n\n"
    "What is submitted is answered with a transaction: 201 or 200 when it is done, 202 while it is not; then read its "
    "`statusUrl` after `retryAfterS` seconds. Every refusal is a problem document: `code` names it, `remedy` says what "
    "to do. A repetition with the same idempotency key is answered with the same transaction. Whatever a header says, "
    "the body says too.\n\n"
    "Within /v1 operations, members and problem types are only added: ignore those that you do not know. An operation "
    "that will go is marked as deprecated here, and its answers carry the member `deprecation` (and the headers "
    "Deprecation, Sunset and Link) until the day that it may be gone."
)
_CODE: Final = re.compile("`([a-z][a-z0-9_]*)`")
_LINE_BREAK: Final = re.compile(r"(?<!\n)\n(?!\n)")


def describe(handlers: Sequence[HTTPRouteHandler], limits: Limits) -> dict[str, Any]:
    """The document for these handlers."""
    app = Litestar(
        route_handlers=list(handlers),
        openapi_config=OpenAPIConfig(
            title="ERP coexistence gateway",
            version=API_VERSION,
            description=_DESCRIPTION,
            use_handler_docstrings=False,
            components=Components(
                security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
            ),
        ),
        logging_config=None,
    )
    document: dict[str, Any] = app.openapi_schema.to_schema()
    document["info"]["x-gateway-version"] = version(_PACKAGE)
    shapes = Shapes(_operations(app))
    for route in app.routes:
        for method, handler in _described(route):
            operation = document["paths"][route.path_format][method.lower()]
            _complete(operation, handler, route.path_format, shapes, limits)
    told = {name: _told(_untitled(one)) for name, one in shapes.schemas.items()}
    document["components"]["schemas"] = with_meanings(told)
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


def _complete(wire: dict[str, Any], handler: HTTPRouteHandler, path: str, shapes: Shapes, limits: Limits) -> None:
    operation: Operation = handler.opt[OPERATION]
    is_public = handler.opt.get(PUBLIC) is True
    wire.pop("parameters", None)
    found = parameters(path, operation, limits)
    if found:
        wire["parameters"] = found
    if operation.body is not None:
        wire["requestBody"] = request_body(operation, shapes.request(operation.body))
    wire["security"] = [] if is_public else [{"bearer": []}]
    scopes = handler.opt.get(ANY_SCOPE_OF)
    if scopes is not None:
        wire["description"] = f"Needs one of the scopes {', '.join(sorted(scopes))}."
        wire["x-any-scope-of"] = sorted(scopes)
    if operation.deprecation is not None:
        wire["deprecated"] = True
        wire["x-sunset"] = f"{operation.deprecation.sunset:%Y-%m-%d}"
        wire["description"] = f"{operation.deprecation.told} {wire.get('description', '')}".strip()
    wire["responses"] = responses(str(handler.operation_id), operation, path, shapes, is_public=is_public)
