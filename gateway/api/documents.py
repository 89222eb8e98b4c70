"""The operations of every domain: submit, read one, list, and what can be done to a document that is there."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

from gateway.api.document_create import create_route
from gateway.api.document_list import list_route
from gateway.api.document_operations import operation_routes
from gateway.api.document_read import read_route
from gateway.api.parts import AppParts
from gateway.api.resources import Resource
from gateway.api.visibility import Visibility


def document_routes(resource: Resource, parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """The handlers of a domain. Data outside the caller's scope is not found."""
    return [
        create_route(resource, parts, visibility),
        read_route(resource, parts, visibility),
        list_route(resource, parts, visibility),
        *operation_routes(resource, parts, visibility),
    ]
