"""What only the flat document must hold: the shapes that Salesforce External Services reads.

Sources: https://help.salesforce.com/s/articleView?id=platform.external_services_schema_def_definition.htm,
https://help.salesforce.com/s/articleView?id=platform.external_services_intro_openapi_2_3_support.htm,
https://spec.openapis.org/oas/v3.0.3.html#schema-object.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tools.contract.reading import (
    COMPOSITION,
    Complaint,
    Document,
    contents,
    every_schema,
    named_schemas,
    operations,
    target,
)

_ONLY_3_1: Final = ("const", "examples", "prefixItems", "patternProperties", "propertyNames", "$defs", "if", "contains")


def version(document: Document) -> Iterator[Complaint]:
    """OpenAPI 3.0: newer ones are not read."""
    if not str(document.get("openapi", "")).startswith("3.0."):
        yield "openapi", f"{document.get('openapi')!r} is not 3.0"


def no_composition(document: Document) -> Iterator[Complaint]:
    """No oneOf, anyOf, allOf, not."""
    for where, schema in every_schema(document):
        for key in (*COMPOSITION, "not", "discriminator"):
            if key in schema:
                yield where, f"`{key}` is not flat"


def one_type(document: Document) -> Iterator[Complaint]:
    """One type, as a word; what may be null is `nullable`."""
    for where, schema in every_schema(document):
        if "$ref" not in schema and not any(key in schema for key in COMPOSITION):
            kind = schema.get("type")
            if not isinstance(kind, str) or kind == "null":
                yield where, f"the type is {kind!r}, not one word of OpenAPI 3.0"


def only_3_0_keywords(document: Document) -> Iterator[Complaint]:
    """No keyword that came with 3.1."""
    for where, schema in every_schema(document):
        for key in _ONLY_3_1:
            if key in schema:
                yield where, f"`{key}` is not in OpenAPI 3.0"


def reference_alone(document: Document) -> Iterator[Complaint]:
    """Nothing stands beside a reference, for it would be ignored."""
    for where, schema in every_schema(document):
        if "$ref" in schema and len(schema) > 1:
            yield where, f"{sorted(set(schema) - {'$ref'})} beside a reference are ignored"


def no_inline_object(document: Document) -> Iterator[Complaint]:
    """Every object has a name."""
    named = {f"schemas/{name}" for name in named_schemas(document)}
    for where, schema in every_schema(document):
        if where not in named and (schema.get("type") == "object" or "properties" in schema):
            yield where, "an object without a name of its own"


def no_list_of_lists(document: Document) -> Iterator[Complaint]:
    """A list of lists is no field of an Apex-defined variable."""
    for where, schema in every_schema(document):
        items = schema.get("items")
        if isinstance(items, dict) and target(document, items).get("type") == "array":
            yield where, "a list of lists"


def list_has_items(document: Document) -> Iterator[Complaint]:
    """A list says what it holds."""
    for where, schema in every_schema(document):
        if schema.get("type") == "array" and not isinstance(schema.get("items"), dict):
            yield where, "a list of nothing in particular"


def only_json(document: Document) -> Iterator[Complaint]:
    """application/json only: another media type invalidates the registration."""
    for operation in operations(document):
        for where, media_type, _ in contents(operation):
            if media_type != "application/json":
                yield where, f"the media type {media_type}"


def no_answer_headers(document: Document) -> Iterator[Complaint]:
    """Response headers are not supported."""
    for operation in operations(document):
        for status, answer in operation.body.get("responses", {}).items():
            if answer.get("headers"):
                yield f"{operation.where}/responses/{status}", "has headers"


def no_open_enumeration(document: Document) -> Iterator[Complaint]:
    """Answers hold no enumeration, for one value more would break registered services."""
    pending = [
        (f"{one.where}/responses", content.get("schema", {}))
        for one in operations(document)
        for where, _, content in contents(one)
        if "/responses/" in where
    ]
    seen: set[str] = set()
    while pending:
        where, schema = pending.pop()
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference in seen:
                continue
            seen.add(reference)
            where, schema = reference, target(document, schema)
        if "enum" in schema:
            yield where, "an enumeration in an answer"
        pending += [(f"{where}/{name}", one) for name, one in schema.get("properties", {}).items()]
        if isinstance(schema.get("items"), dict):
            pending.append((f"{where}/items", schema["items"]))


def no_callbacks(document: Document) -> Iterator[Complaint]:
    """Callbacks work in Apex and not in Flow; Flow polls the transaction."""
    for operation in operations(document):
        if operation.body.get("callbacks"):
            yield operation.where, "has callbacks"


def no_headers_asked(document: Document) -> Iterator[Complaint]:
    """Everything that a request says is in its address or body."""
    for operation in operations(document):
        for one in operation.body.get("parameters", ()):
            if one.get("in") not in {"path", "query"}:
                yield operation.where, f"the parameter {one.get('name')!r} is in {one.get('in')}"


RULES: Final = {
    "flat-version": version,
    "flat-no-composition": no_composition,
    "flat-one-type": one_type,
    "flat-only-3-0-keywords": only_3_0_keywords,
    "flat-reference-alone": reference_alone,
    "flat-no-inline-object": no_inline_object,
    "flat-no-list-of-lists": no_list_of_lists,
    "flat-list-has-items": list_has_items,
    "flat-only-json": only_json,
    "flat-no-answer-headers": no_answer_headers,
    "flat-no-open-enumeration": no_open_enumeration,
    "flat-no-callbacks": no_callbacks,
    "flat-no-headers-asked": no_headers_asked,
}
