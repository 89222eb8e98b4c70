"""Walking through an OpenAPI document, so that a rule is a few lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

Document = dict[str, Any]
Complaint = tuple[str, str]
"""Where (a JSON pointer without escapes), and what is wrong there."""

Rule = Callable[[Document], Iterator[Complaint]]

METHODS: Final = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
COMPOSITION: Final = ("oneOf", "anyOf", "allOf")
SCHEMAS: Final = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule."""

    rule: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation with its place."""

    method: str
    path: str
    body: dict[str, Any]

    @property
    def where(self) -> str:
        return f"paths/{self.path}/{self.method}"

    @property
    def is_secured(self) -> bool:
        return bool(self.body.get("security"))


def operations(document: Document) -> Iterator[Operation]:
    """Every operation."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield Operation(method, path, item[method])


def named_schemas(document: Document) -> dict[str, dict[str, Any]]:
    """The schemas of the components, by name."""
    found: dict[str, dict[str, Any]] = document.get("components", {}).get("schemas", {})
    return found


def contents(operation: Operation) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(where, media type, content) of the body and of every answer."""
    for media_type, content in operation.body.get("requestBody", {}).get("content", {}).items():
        yield f"{operation.where}/requestBody/{media_type}", media_type, content
    for status, answer in operation.body.get("responses", {}).items():
        for media_type, content in answer.get("content", {}).items():
            yield f"{operation.where}/responses/{status}/{media_type}", media_type, content


def every_schema(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, schema) of every schema object: components, parameters, bodies, answers, and all inside them."""
    for name, schema in named_schemas(document).items():
        yield from _inside(f"schemas/{name}", schema)
    for operation in operations(document):
        for parameter in operation.body.get("parameters", ()):
            yield from _inside(f"{operation.where}/parameters/{parameter.get('name')}", parameter.get("schema", {}))
        for where, _, content in contents(operation):
            yield from _inside(where, content.get("schema", {}))


def _inside(where: str, schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(schema, dict):
        return
    yield where, schema
    for name, one in schema.get("properties", {}).items():
        yield from _inside(f"{where}/{name}", one)
    for key in ("items", "additionalProperties", "not"):
        yield from _inside(f"{where}/{key}", schema.get(key))
    for key in COMPOSITION:
        for number, one in enumerate(schema.get(key, ())):
            yield from _inside(f"{where}/{key}/{number}", one)


def every_node(value: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, object) of every JSON object, whatever it means."""
    if isinstance(value, dict):
        yield where, value
        for key, one in value.items():
            yield from every_node(one, f"{where}/{key}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from every_node(one, f"{where}/{number}")


def target(document: Document, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, or the one that it refers to; empty where the reference leads nowhere."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    return named_schemas(document).get(reference.removeprefix(SCHEMAS), {})
