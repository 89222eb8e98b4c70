"""Rules that compare places of a document with each other, which Spectral's do not.

Sizes are those of Salesforce External Services: 10 million characters of JSON, 3,000 active operations. Apex does not
tell upper case from lower case. Source:
https://help.salesforce.com/s/articleView?id=platform.external_services_schema_def_naming_description.htm
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from tools.contract.reading import Complaint, Document, Rule, every_schema, named_schemas, operations

_MOST_CHARACTERS: Final = 10_000_000
_MOST_OPERATIONS: Final = 3_000


def operation_id_unique(document: Document) -> Iterator[Complaint]:
    """No two operation ids differ in case only."""
    yield from _doubles((one.where, str(one.body.get("operationId", ""))) for one in operations(document))


def schema_name_unique(document: Document) -> Iterator[Complaint]:
    """No two schema names differ in case only."""
    yield from _doubles((f"schemas/{name}", name) for name in named_schemas(document))


def property_name_unique(document: Document) -> Iterator[Complaint]:
    """No two properties of a schema differ in case only."""
    for where, schema in every_schema(document):
        yield from _doubles((f"{where}/{name}", name) for name in schema.get("properties", {}))


def required_exists(document: Document) -> Iterator[Complaint]:
    """What is required is described."""
    for where, schema in every_schema(document):
        unknown = set(schema.get("required", ())) - set(schema.get("properties", {}))
        if unknown:
            yield where, f"{sorted(unknown)} are required and not described"


def conflict_declared(document: Document) -> Iterator[Complaint]:
    """What is named by an Idempotency-Key can conflict with what was sent under it before, 409."""
    for one in operations(document):
        named = {str(parameter.get("name", "")).lower() for parameter in one.body.get("parameters", ())}
        if "idempotency-key" in named and "409" not in one.body.get("responses", {}):
            yield f"{one.where}/responses", "an Idempotency-Key can be in conflict, 409"


def size(document: Document) -> Iterator[Complaint]:
    """The document is registered as a whole."""
    characters = len(json.dumps(document, ensure_ascii=False, indent=2))
    if characters > _MOST_CHARACTERS:
        yield "", f"the document has {characters} characters; the limit is {_MOST_CHARACTERS}"
    count = sum(1 for _ in operations(document))
    if count > _MOST_OPERATIONS:
        yield "paths", f"there are {count} operations; the limit is {_MOST_OPERATIONS}"


def _doubles(named: Iterable[tuple[str, str]]) -> Iterator[Complaint]:
    seen: dict[str, str] = {}
    for where, name in named:
        first = seen.setdefault(name.lower(), where)
        if first != where:
            yield where, f"{name!r} is, but for its case, the name of {first} too"


RULES: Final[dict[str, Rule]] = {
    "operation-id-unique": operation_id_unique,
    "schema-name-unique": schema_name_unique,
    "property-name-unique": property_name_unique,
    "required-exists": required_exists,
    "conflict-declared": conflict_declared,
    "size": size,
}
